"""Which firings take effect, against the page's example, the lab's rules, and a slow and obvious evaluator."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.calendar_builders import lab, moment, periods, tier, tiers
from tests.policy.slow_calendar import all_firings, taken

from backcheck.cron import CronError
from backcheck.policy.calendar import calendar_of
from backcheck.policy.firing import Firing, fire, longest_gap
from backcheck.policy.model import Tier

DAY = timedelta(days=1)


def effective(rules: tuple[Tier, ...], start: str, end: str) -> list[str]:
    made = calendar_of(rules, moment(start), moment(end)).effective
    return [f"{o.firing.tier.name} {o.firing.at:%d %H:%M}" for o in made]


def test_the_page_s_own_example() -> None:
    """'The second rule creates two backups. The first rule creates eight backups.'"""
    rules = (
        tier("hourly", "cron(0 * * * ? *)", start=60, kept=1),
        tier("every-12-hours", "cron(0 0/12 * * ? *)", start=480, kept=7),
    )
    assert effective(rules, "2026-06-01", "2026-06-02") == [
        "every-12-hours 01 00:00",
        *(f"hourly 01 {hour:02}:00" for hour in (8, 9, 10, 11)),
        "every-12-hours 01 12:00",
        *(f"hourly 01 {hour:02}:00" for hour in (20, 21, 22, 23)),
    ]


def test_on_sunday_the_first_only_the_monthly_backup_is_taken() -> None:
    assert effective(lab(), "2026-02-28", "2026-03-03") == ["daily 28 01:00", "monthly 01 00:00", "daily 02 01:00"]


def test_windows_that_touch_do_not_overlap() -> None:
    rules = (tier("late", "cron(0 2 * * ? *)"), tier("early", "cron(0 0 * * ? *)", start=120, kept=90))
    assert effective(rules, "2026-06-01", "2026-06-02") == ["early 01 00:00", "late 01 02:00"]


def test_windows_overlap_by_a_minute() -> None:
    rules = (tier("late", "cron(59 1 * * ? *)"), tier("early", "cron(0 0 * * ? *)", start=120, kept=90))
    assert effective(rules, "2026-06-01", "2026-06-02") == ["early 01 00:00"]


def test_the_full_start_window_counts_also_of_the_rule_that_fires_first() -> None:
    rules = (tier("early", "cron(0 23 * * ? *)", start=120), tier("late", "cron(0 0 * * ? *)", kept=90))
    assert effective(rules, "2026-06-01", "2026-06-02") == ["late 01 00:00"]


def test_a_window_reaches_in_from_before_the_period() -> None:
    rules = (tier("long", "cron(0 22 31 5 ? *)", start=480, kept=90), tier("short", "cron(0 1 * * ? *)"))
    assert effective(rules, "2026-06-01", "2026-06-03") == ["short 02 01:00"]


def test_for_ever_is_longer_than_any_number() -> None:
    rules = (tier("long", kept=36_500), tier("for-ever", kept=None))
    assert effective(rules, "2026-06-01", "2026-06-02") == ["for-ever 01 01:00"]


def test_rules_of_two_plans_do_not_replace_each_other() -> None:
    rules = (tier("one", plan="a", kept=30), tier("two", plan="b", kept=90))
    assert effective(rules, "2026-06-01", "2026-06-02") == ["one 01 01:00", "two 01 01:00"]


def test_a_rule_does_not_replace_itself() -> None:
    assert effective((tier("hourly", "cron(0 * * * ? *)", start=480),), "2026-06-01", "2026-06-01T03:00") == [
        "hourly 01 00:00",
        "hourly 01 01:00",
        "hourly 01 02:00",
    ]


def test_in_a_chain_the_shortest_loses_although_its_winner_loses_too() -> None:
    rules = (
        tier("a", "cron(0 0 * * ? *)", start=120, kept=7),
        tier("b", "cron(0 1 * * ? *)", start=120, kept=30),
        tier("c", "cron(0 2 * * ? *)", start=120, kept=90),
    )
    calendar = calendar_of(rules, moment("2026-06-01"), moment("2026-06-02"))
    a, b, c = calendar.outcomes
    assert (a.effective, b.effective, c.effective) == (False, False, True)
    assert a.superseded_by == b.superseded_by == (c.firing,)
    assert (a.certain, b.certain, c.certain) == (False, True, True)
    assert calendar.notes == ("main/a: 1 firings lose to a rule that itself loses to another; read as not taken",)


def test_of_equal_retention_the_earlier_stands_for_both_and_neither_is_certain() -> None:
    rules = (
        tier("early", "cron(0 0 * * ? *)", copies={"dr": 30, "far": 7}),
        tier("late", "cron(30 0 * * ? *)", completion=600, copies={"dr": 7}),
    )
    calendar = calendar_of(rules, moment("2026-06-01"), moment("2026-06-02"))
    early, late = calendar.outcomes
    assert early.effective
    assert early.rivals == (late.firing,)
    assert late.superseded_by == (early.firing,)
    assert not early.certain
    assert not late.certain
    # Whichever is taken: complete by the later deadline, and copied only where both copy, for as long as both keep it.
    assert early.deadline == moment("2026-06-01T11:30")
    assert early.latest == late.firing
    assert early.copy_to("far") is None
    copy = early.copy_to("dr")
    assert copy is not None
    assert copy.retention_days == 7
    assert "overlap with equal retention 1 times" in calendar.notes[0]


def test_what_loses_only_to_one_that_may_not_be_taken_is_not_certain() -> None:
    rules = (
        tier("short", "cron(30 1 * * ? *)", kept=7),
        tier("early", "cron(0 0 * * ? *)"),
        tier("late", "cron(30 0 * * ? *)", start=120),
    )
    early, late, short = calendar_of(rules, moment("2026-06-01"), moment("2026-06-02")).outcomes
    assert early.rivals == (late.firing,)
    assert short.superseded_by == (late.firing,)
    assert not short.certain


def test_a_rule_given_twice_counts_once() -> None:
    assert effective((tier(), tier()), "2026-06-01", "2026-06-02") == ["daily 01 01:00"]


@pytest.mark.parametrize(("schedule", "zone"), [("rate(1 day)", "UTC"), ("cron(0 1 * * ? *)", "Mars/Olympus")])
def test_what_aws_would_not_take_is_refused(schedule: str, zone: str) -> None:
    with pytest.raises(CronError):
        calendar_of((tier(schedule=schedule, zone=zone),), moment("2026-06-01"))


def test_the_day_of_a_firing_is_in_its_own_zone() -> None:
    assert Firing(tier=tier(zone="Asia/Tokyo"), at=moment("2026-06-01T16:00")).day.isoformat() == "2026-06-02"


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("cron(0 1 * * ? *)", "UTC", DAY),
        ("cron(0 1 * * ? *)", "Europe/Berlin", timedelta(hours=25)),
        ("cron(30 2 * * ? *)", "Europe/Berlin", timedelta(hours=47)),
        ("cron(0 0 ? * SUN *)", "UTC", 7 * DAY),
        ("cron(0 0 1 * ? *)", "UTC", 31 * DAY),
        ("cron(0 0 31 * ? *)", "UTC", 61 * DAY),
        ("cron(0 0 1 1 ? *)", "UTC", 365 * DAY),
        ("cron(0 0 1 1 ? 2026)", "UTC", None),
        ("cron(0 0 30 2 ? *)", "UTC", None),
    ],
)
def test_the_longest_gap_of_a_schedule(schedule: str, zone: str, expected: timedelta | None) -> None:
    assert longest_gap(tier(schedule=schedule, zone=zone), moment("2026-01-01")) == expected


def test_firings_are_kept_for_tables_that_share_a_schedule() -> None:
    period = (moment("2026-01-01"), moment("2027-01-01"))
    assert fire("cron(0 1 * * ? *)", "UTC", *period) is fire("cron(0 1 * * ? *)", "UTC", *period)


@settings(max_examples=100, deadline=None)
@given(rules=tiers(most=5, plans=("a", "a", "b")), start=periods, days=st.integers(1, 12))
def test_agrees_with_the_slow_evaluator(rules: tuple[Tier, ...], start: datetime, days: int) -> None:
    end = start + days * DAY
    # As far beyond the period as the calendar looks, for the choice among equals depends on what was chosen before.
    reach = {
        plan: 2 * timedelta(minutes=max(r.start_window_minutes for r in rules if r.plan == plan))
        for plan in {r.plan for r in rules}
    }
    around = [
        f for plan, r in reach.items() for f in all_firings([t for t in rules if t.plan == plan], start - r, end + r)
    ]
    expected = {(rule, at) for rule, at in taken(around) if start <= at < end}
    calendar = calendar_of(rules, start, end)
    assert {(o.firing.tier, o.firing.at) for o in calendar.effective} == expected
    fired = [(o.firing.tier, o.firing.at) for o in calendar.outcomes]
    assert sorted(fired, key=str) == sorted(all_firings(rules, start, end), key=str)
    assert [at for _, at in fired] == sorted(at for _, at in fired)


@settings(max_examples=100, deadline=None)
@given(rules=tiers(most=4, plans=("a", "b")), start=periods)
def test_what_loses_names_winners_that_are_kept_at_least_as_long(rules: tuple[Tier, ...], start: datetime) -> None:
    for outcome in calendar_of(rules, start, start + 10 * DAY).outcomes:
        own = outcome.firing.tier
        for winner in outcome.superseded_by:
            assert winner.tier != own
            assert winner.tier.plan == own.plan
            assert winner.tier.retention_days is None or (
                own.retention_days is not None and winner.tier.retention_days >= own.retention_days
            )
