"""Which firings take a backup, by AWS's own example and by brute force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.cron import Cron
from backcheck.sandbox.schedule import Firing, taken, upcoming

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    cron: Cron
    start_window: timedelta
    retention_days: float
    zone: str = "UTC"


def rule(expression: str, hours: float, days: float, zone: str = "UTC") -> Rule:
    return Rule(Cron.parse(f"cron({expression})"), timedelta(hours=hours), days, zone)


def within(rules: list[Rule], since: datetime, **length: float) -> list[Firing]:
    end = since + timedelta(**length)
    return list(takewhile(lambda firing: firing.at < end, taken(rules, since)))


def test_the_example_of_the_guide() -> None:
    """'After 24 hours, the second rule creates two backups. The first rule creates eight.'"""
    hourly, twelve_hours = rule("0 * * * ? *", 1, 1), rule("0 0/12 * * ? *", 8, 7)
    found = within([hourly, twelve_hours], START, hours=24)
    assert [f.at.hour for f in found if f.rule == 1] == [0, 12]
    assert [f.at.hour for f in found if f.rule == 0] == [8, 9, 10, 11, 20, 21, 22, 23]


def test_the_full_start_window_counts_also_of_the_earlier_and_shorter_rule() -> None:
    long_lived, short_lived = rule("0 2 * * ? *", 1, 90), rule("0 1 * * ? *", 2, 7)
    assert {f.rule for f in within([long_lived, short_lived], START, days=3)} == {0}


def test_windows_are_half_open() -> None:
    first, second = rule("0 0 * * ? *", 1, 90), rule("0 1 * * ? *", 1, 7)
    assert [f.rule for f in within([first, second], START, days=2)] == [0, 1, 0, 1]


def test_three_rules_at_once_leave_the_longest() -> None:
    """Sunday the first of a month: only the monthly point exists."""
    daily, weekly, monthly = rule("0 1 * * ? *", 1, 30), rule("0 0 ? * SUN *", 2, 90), rule("0 0 1 * ? *", 3, 365)
    assert datetime(2026, 2, 1).isoweekday() == 7
    found = within([daily, weekly, monthly], datetime(2026, 2, 1, tzinfo=UTC), days=1)
    assert [f.rule for f in found] == [2]


def test_a_superseded_rule_supersedes_nothing() -> None:
    """Not documented, so written down: the middle rule takes no backup, and does not keep the last one from its."""
    longest, middle, short = rule("0 0 * * ? *", 2, 90), rule("0 1 * * ? *", 2, 30), rule("30 2 * * ? *", 1, 7)
    assert [f.rule for f in within([longest, middle, short], START, days=1)] == [0, 2]


def test_equal_retention_supersedes_nothing() -> None:
    """Not documented, so written down: none of the two is the longer."""
    assert len(within([rule("0 0 * * ? *", 2, 30), rule("0 1 * * ? *", 2, 30)], START, days=1)) == 2


def test_for_ever_is_the_longest() -> None:
    assert [
        f.rule for f in within([rule("0 0 * * ? *", 1, float("inf")), rule("0 0 * * ? *", 1, 36_500)], START, days=1)
    ] == [0]


def test_a_schedule_that_is_over_ends() -> None:
    assert list(taken([rule("0 0 1 1 ? 2020", 1, 7)], START)) == []


def test_a_schedule_far_ahead_is_found() -> None:
    [only] = taken([rule("0 0 29 2 ? 2096", 1, 7)], START)
    assert only.at == datetime(2096, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "hours"), [("UTC", [1, 1]), ("Europe/Berlin", [0, 0]), ("America/New_York", [6, 6])])
def test_time_zones(zone: str, hours: list[int]) -> None:
    assert [f.at.hour for f in within([rule("0 1 * * ? *", 1, 7, zone)], START, days=2)] == hours


def test_the_hour_that_summer_time_skips_is_skipped() -> None:
    found = within([rule("30 2 * * ? *", 1, 7, "Europe/Berlin")], datetime(2026, 3, 28, tzinfo=UTC), days=3)
    assert [f.at for f in found] == [datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]


def test_upcoming_runs_are_not_thinned_out() -> None:
    rules = [rule("0 0 * * ? *", 2, 90), rule("0 1 * * ? *", 1, 7)]
    assert [(f.at.hour, f.rule) for f in upcoming(rules, START, 3)] == [(1, 1), (0, 0), (1, 1)]


rules_strategy = st.lists(
    st.builds(
        lambda hour, step, window, days: rule(f"0 {hour}/{step} * * ? *", window, days),
        st.integers(0, 23),
        st.integers(1, 12),
        st.integers(1, 9),
        st.sampled_from([1, 7, 30, 90]),
    ),
    min_size=1,
    max_size=4,
)


@given(rules_strategy)
def test_no_two_taken_firings_of_different_retention_overlap(rules: list[Rule]) -> None:
    found = within(rules, START, days=4)
    for a in found:
        for b in found:
            if rules[a.rule].retention_days != rules[b.rule].retention_days:
                assert a.closes <= b.at or b.closes <= a.at


@given(rules_strategy)
def test_each_dropped_firing_overlaps_a_taken_one_of_longer_retention(rules: list[Rule]) -> None:
    end = START + timedelta(days=3)
    found = within(rules, START, days=4)
    for place, one in enumerate(rules):
        for moment in one.cron.between(START, end):
            if any(f.at == moment and f.rule == place for f in found):
                continue
            assert any(
                f.at < moment + one.start_window
                and moment < f.closes
                and rules[f.rule].retention_days > one.retention_days
                for f in found
            )


@given(rules_strategy, st.integers(1, 200))
def test_the_beginning_does_not_depend_on_how_far_one_looks(rules: list[Rule], days: int) -> None:
    near, far = within(rules, START, days=2), within(rules, START, days=2 + days)
    assert far[: len(near)] == near
