"""The worst case and its arithmetic: TechModa's 33 h, the lab's 75 h to a DR copy, and never less than can be lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from tests.policy.calendar_builders import DR, lab, moment, periods, techmoda, tier, tiers
from tests.policy.slow_calendar import worst_loss

from backcheck.policy.calendar import Calendar, calendar_of
from backcheck.policy.model import Tier
from backcheck.policy.rpo import spell, worst_case

NOW = moment("2026-11-22")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def from_now(*rules: Tier) -> Calendar:
    return calendar_of(rules, NOW)


def test_techmoda_s_worst_pair_is_a_sunday_before_monday_the_first() -> None:
    worst = worst_case(from_now(*techmoda()))
    assert worst.lines == (
        "primary: weekly on Sun 2027-01-31 00:00 UTC, then monthly on Mon 2027-02-01 00:00 UTC",
        "24 h between them + 3 h start window + 6 h completion window of monthly = 33 h",
    )
    assert worst.hours == 33
    assert (worst.gap, worst.start_window, worst.completion_window) == (24 * HOUR, 3 * HOUR, 6 * HOUR)
    assert worst.earlier is not None
    assert worst.later is not None
    assert (worst.earlier.tier.name, worst.later.tier.name) == ("weekly", "monthly")
    assert not worst.within(27)
    assert not worst.within(32)
    assert worst.within(33)


def test_daily_to_daily_is_27_hours() -> None:
    assert worst_case(from_now(techmoda()[0])).hours == 27


def test_the_lab_s_copies_are_up_to_three_days_apart() -> None:
    worst = worst_case(from_now(*lab()), {DR})
    assert worst.lines == (
        f"{DR}: daily on Sat 2027-01-30 01:00 UTC, then daily on Tue 2027-02-02 01:00 UTC",
        "72 h (3 days) between them + 1 h start window + 2 h completion window of daily = 75 h",
        "and the time that copying takes, for which AWS Backup has no window",
    )
    assert worst.gap == 3 * DAY
    assert worst.hours == 75


def test_an_allowance_for_the_copy_is_counted() -> None:
    worst = worst_case(from_now(*techmoda()), {DR}, copy_allowance_minutes=180)
    assert worst.hours == 36
    assert worst.lines[-1].endswith("completion window of monthly + 3 h for the copy = 36 h")
    assert worst_case(from_now(*techmoda()), copy_allowance_minutes=180).hours == 33


def test_an_hour_more_where_clocks_are_set_back() -> None:
    worst = worst_case(from_now(tier(zone="Europe/Berlin")), zone="Europe/Berlin")
    assert worst.hours == 28
    assert "then daily on Sun 2027-10-31" not in worst.lines[0]
    assert worst.lines[0] == (
        "primary: daily on Sun 2027-10-31 01:00 Europe/Berlin, then daily on Mon 2027-11-01 01:00 Europe/Berlin"
    )


def test_a_skipped_run_makes_a_gap_of_two_days() -> None:
    assert worst_case(from_now(tier(schedule="cron(30 2 * * ? *)", zone="Europe/Berlin"))).gap == 47 * HOUR


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (
            tier(schedule="cron(0 0 30 2 ? *)"),
            "no backup from Sun 2026-11-22 00:00 UTC to Mon 2027-12-27 00:00 UTC, 9600 h (400 days) or more",
        ),
        (
            tier(schedule="cron(0 0 * * ? 2026)"),
            "no backup after daily on Thu 2026-12-31 00:00 UTC to Mon 2027-12-27 00:00 UTC, 8664 h (361 days) or more",
        ),
        (
            tier(schedule="cron(0 0 * * ? 2027)"),
            "no backup from Sun 2026-11-22 00:00 UTC until daily on Fri 2027-01-01 00:00 UTC is complete, "
            "963 h or more",
        ),
        (
            tier(kept=1),
            "the point of daily on Sat 2027-12-25 01:00 UTC is deleted before daily on Sun 2027-12-26 01:00 UTC "
            "is complete; no other is left",
        ),
    ],
)
def test_no_bound(rule: Tier, why: str) -> None:
    worst = worst_case(from_now(rule))
    assert worst.lines == (f"primary: no bound: {why}",)
    assert worst.total is None
    assert worst.hours is None
    assert not worst.within(1_000_000)


def test_no_copy_no_bound() -> None:
    assert worst_case(from_now(tier()), {DR}).total is None


def test_a_point_that_is_deleted_early_leaves_an_older_one() -> None:
    rules = (tier(kept=1), tier("weekly", "cron(0 0 ? * SUN *)", start=120, kept=90))
    worst = worst_case(from_now(*rules))
    # On Sunday at 02:59 Saturday's daily point is gone: what is left is the weekly one of seven days ago.
    assert worst.earlier is not None
    assert worst.earlier.tier.name == "weekly"
    assert worst.total is not None
    assert worst.total > 7 * DAY


def test_a_point_that_is_there_until_the_next_is_complete_is_enough() -> None:
    # 21 h to the next firing and 3 h of windows: deleted after 24 h, at the very moment.
    assert worst_case(from_now(tier(schedule="cron(0 0,21 * * ? *)", kept=1))).hours == 24


def test_a_stretch_beyond_the_period_that_is_no_longer_than_the_worst_pair_hides_no_bound() -> None:
    rule = tier(schedule="cron(0 1 1,2 6 ? *)")
    start, longer = moment("2026-06-01"), moment("2026-06-03T04:01")
    assert worst_case(calendar_of((rule,), start, moment("2026-06-03T04:00"))).hours == 27
    assert worst_case(calendar_of((rule,), start, longer)).hours is None


def test_equals_count_with_the_later_deadline() -> None:
    rules = (tier("early"), tier("late", "cron(30 1 * * ? *)", completion=600))
    worst = worst_case(from_now(*rules))
    # Early today, late tomorrow: 24 h 30 min, and late's own windows.
    assert worst.total == 24 * HOUR + 30 * timedelta(minutes=1) + HOUR + 10 * HOUR


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "0 min"), (45, "45 min"), (60, "1 h"), (90, "1 h 30 min"), (24 * 60, "24 h"), (72 * 60, "72 h (3 days)")],
)
def test_spell(minutes: int, text: str) -> None:
    assert spell(timedelta(minutes=minutes)) == text


@settings(max_examples=100, deadline=None)
@given(rules=tiers(most=3, plans=("a", "b")), start=periods)
def test_never_less_than_what_can_be_lost(rules: tuple[Tier, ...], start: datetime) -> None:
    calendar = calendar_of(rules, start, start + 15 * DAY)
    worst = worst_case(calendar)
    made = [(o.firing.tier, o.firing.at) for o in calendar.effective]
    if worst.total is not None:
        assert worst.total >= worst_loss(made, start, start + 15 * DAY)


@settings(max_examples=100, deadline=None)
@given(rules=tiers(most=3), start=periods)
def test_is_the_worst_successive_pair_of_points_that_last(rules: tuple[Tier, ...], start: datetime) -> None:
    lasting = tuple(replace(rule, retention_days=30 + (rule.retention_days or 0)) for rule in rules)
    end = start + 15 * DAY
    made = calendar_of(lasting, start, end).effective
    pairs = [later.deadline - earlier.firing.at for earlier, later in pairwise(made)]
    ends = [made[0].deadline - start, end - made[-1].firing.at] if made else [end - start]
    # Beyond the period's ends nothing is known: where one of those stretches is the longest, there is no bound.
    expected = max(pairs) if pairs and max(pairs) >= max(ends) else None
    assert worst_case(calendar_of(lasting, start, end)).total == expected
