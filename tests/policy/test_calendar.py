"""Which recovery points exist, where and in which class; days without a copy; what the notes say."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from tests.policy.calendar_builders import DR, lab, moment, periods, techmoda, tier, tiers
from tests.policy.slow_calendar import all_firings, deadline, taken

from backcheck.policy.calendar import Calendar, Point, StorageClass, calendar_of, stock
from backcheck.policy.model import Tier

DAY = timedelta(days=1)


def year(rules: tuple[Tier, ...], number: int) -> Calendar:
    return calendar_of(rules, moment(f"{number}-01-01"), moment(f"{number + 1}-01-01"))


@pytest.mark.parametrize(("number", "expected"), [(2026, 61), (2027, 63)])
def test_the_lab_s_rules_leave_days_without_a_dr_copy(number: int, expected: int) -> None:
    days = year(lab(), number).days_without_copy({DR})
    assert len(days) == expected
    assert all(day.weekday() == 6 or day.day == 1 for day in days)


@pytest.mark.parametrize("number", [2026, 2027])
def test_techmoda_s_rules_leave_none(number: int) -> None:
    assert year(techmoda(), number).days_without_copy({DR}) == ()


def test_days_are_those_of_the_zone() -> None:
    calendar = calendar_of((tier(copies={DR: 30}),), moment("2026-06-01"), moment("2026-06-03"))
    # 01:00 UTC is still the evening before in New York, where the period begins on 31 May.
    assert calendar.days_without_copy({DR}, "America/New_York") == (date(2026, 6, 2),)


def test_a_copy_to_one_of_several_vaults_is_a_copy() -> None:
    rules = (tier(copies={"dr": 30}), tier("weekly", "cron(0 0 ? * SUN *)", start=120, kept=90, copies={"far": 90}))
    calendar = year(rules, 2026)
    assert len(calendar.days_without_copy({"dr"})) == 52
    assert calendar.days_without_copy({"dr", "far"}) == ()
    assert calendar.copy_vaults == ("dr", "far")


def test_a_point_ages_from_its_scheduled_time() -> None:
    rule = tier("monthly", "cron(0 0 1 6 ? *)", start=180, completion=360, kept=365, cold=90, copies={DR: 30})
    primary, copy = calendar_of((rule,), moment("2026-06-01"), moment("2026-06-02")).points
    assert primary == Point(
        tier=rule,
        vault="techmoda-vault",
        is_copy=False,
        created=moment("2026-06-01"),
        usable_by=moment("2026-06-01T09:00"),
        cold_at=moment("2026-08-30"),
        delete_at=moment("2027-06-01"),
    )
    assert (copy.vault, copy.is_copy, copy.cold_at, copy.delete_at) == (DR, True, None, moment("2026-07-01"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-06-01T08:59", None),
        ("2026-06-01T09:00", StorageClass.WARM),
        ("2026-08-29T23:59", StorageClass.WARM),
        ("2026-08-30", StorageClass.COLD),
        ("2027-05-31T23:59", StorageClass.COLD),
        ("2027-06-01", None),
    ],
)
def test_the_class_of_a_point(at: str, expected: StorageClass | None) -> None:
    rule = tier("monthly", "cron(0 0 1 6 ? *)", start=180, completion=360, kept=365, cold=90)
    (point,) = calendar_of((rule,), moment("2026-06-01"), moment("2026-06-02")).points
    assert point.storage_at(moment(at)) is expected


def test_what_is_kept_for_ever_is_never_deleted() -> None:
    (point,) = calendar_of((tier(kept=None),), moment("2026-06-01"), moment("2026-06-02")).points
    assert point.storage_at(moment("2126-06-01")) is StorageClass.WARM


def test_the_stock_of_techmoda_on_a_day() -> None:
    points = stock(techmoda(), moment("2026-11-22"))
    held: dict[tuple[str, str, str], int] = {}
    for point in points:
        storage = point.storage_at(moment("2026-11-22"))
        assert storage is not None
        key = (point.vault, point.tier.name, storage)
        held[key] = held.get(key, 0) + 1
    # 4 of 30 days are Sundays; 12 Sundays lie in 90 days, of which 1 November is the monthly one's.
    assert held == {
        ("techmoda-vault", "daily", "warm"): 26,
        ("techmoda-vault", "weekly", "warm"): 11,
        ("techmoda-vault", "monthly", "warm"): 3,
        ("techmoda-vault", "monthly", "cold"): 9,
        (DR, "daily", "warm"): 26,
        (DR, "weekly", "warm"): 11,
        (DR, "monthly", "warm"): 12,
    }


def test_the_stock_begins_when_the_rules_do() -> None:
    assert len(stock((tier(),), moment("2026-06-10"), since=moment("2026-06-05"))) == 5
    assert stock((tier(),), moment("2026-06-10"), since=moment("2026-06-10")) == ()


def test_the_stock_of_what_is_kept_for_ever_goes_back_400_days() -> None:
    assert len(stock((tier(kept=None),), moment("2026-06-10"))) == 400


SKIPS = "daylight saving leaves that time out in Europe/Berlin"


@pytest.mark.parametrize(
    ("rules", "note"),
    [
        (
            (tier("night", "cron(30 2 * * ? *)", zone="Europe/Berlin"),),
            f"main/night does not run at 2026-03-29 02:30: {SKIPS}",
        ),
        (
            (tier("h", "cron(0/15 2 * * ? *)", zone="Europe/Berlin"),),
            f"main/h does not run at 2026-03-29 02:00, 2026-03-29 02:15, 2026-03-29 02:30 and 1 more: {SKIPS}",
        ),
        (
            (tier("often", "cron(0/15 * * * ? *)"),),
            "main/often fires more than once an hour: AWS Backup takes snapshots at most hourly",
        ),
        (
            (tier("wide", "cron(0 * * * ? *)", start=61),),
            "main/wide's start window is longer than the time to its next firing: AWS does not document what follows",
        ),
        (
            (tier("one", plan="a"), tier("two", plan="b")),
            "several plans: AWS documents overlaps within one plan only, so they are taken to be independent",
        ),
    ],
)
def test_notes(rules: tuple[Tier, ...], note: str) -> None:
    assert note in year(rules, 2026).notes


def test_a_plain_calendar_has_no_notes() -> None:
    assert year(lab(), 2026).notes == ()


Held = set[tuple[str, datetime, str]]


def by_hand(rules: tuple[Tier, ...], vault: str | None, at: datetime, start: datetime) -> Held:
    """What a vault holds (None: the primary one), going through each backup and each rule in words."""
    held = set()
    # Windows are ten hours at most: two days before the start show all that reaches in.
    for rule, fired in taken(all_firings(rules, start - 2 * DAY, at + 2 * DAY)):
        if fired < start or deadline((rule, fired)) > at:
            continue
        lifecycles = [(c.retention_days, c.cold_storage_after_days) for c in rule.copies if c.vault == vault]
        if vault is None:
            lifecycles = [(rule.retention_days, rule.cold_storage_after_days)]
        for retention, cold in lifecycles:
            age = at - fired
            if retention is None or age < retention * DAY:
                held.add((rule.name, fired, "cold" if cold is not None and age >= cold * DAY else "warm"))
    return held


@settings(max_examples=100, deadline=None)
@given(rules=tiers(most=3), start=periods)
def test_the_stock_agrees_with_going_through_every_backup(rules: tuple[Tier, ...], start: datetime) -> None:
    # Equals have tests of their own: which of them is taken is not certain, nor then what is copied.
    distinct = tuple({rule.retention_days: rule for rule in rules}.values())
    at = start + 9 * DAY
    points = stock(distinct, at, since=start)
    for vault in (None, "dr", "far"):
        there = [p for p in points if (p.vault == vault if p.is_copy else vault is None)]
        assert {(p.tier.name, p.created, str(p.storage_at(at))) for p in there} == by_hand(distinct, vault, at, start)
