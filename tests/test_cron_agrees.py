"""Random schedules, against a look at every minute and at every day."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.test_cron import BERLIN, NEW_YORK

from backcheck.cron import DAY_NAMES, MONTH_NAMES, Cron

DayRule = Callable[[date], bool]


# The brute-force evaluator: texts that come with their meaning, spelled out by hand, and a look at every minute.


@dataclass(frozen=True)
class Part:
    text: str
    values: frozenset[int]


@st.composite
def parts(draw: st.DrawFn, low: int, high: int, names: tuple[str, ...] = (), wraps: bool = True) -> Part:
    """A list of values, ranges and steps, or `*`, with what it means."""

    def shown(value: int) -> str:
        return names[value - low] if bool(names) and draw(st.booleans()) else str(value)

    pieces: list[tuple[str, set[int]]] = []
    for shape in draw(st.lists(st.sampled_from(["*", "v", "r", "s", "R", "S"]), min_size=1, max_size=3)):
        a, b = draw(st.integers(low, high)), draw(st.integers(low, high))
        step = draw(st.integers(1, high - low + 1))
        if not wraps and a > b:
            a, b = b, a
        reached = list(range(a, b + 1)) if a <= b else [*range(a, high + 1), *range(low, b + 1)]
        pieces.append(
            {
                "*": ("*", set(range(low, high + 1))),
                "v": (shown(a), {a}),
                "r": (f"{shown(a)}-{shown(b)}", set(reached)),
                "s": (f"{shown(a)}/{step}", {v for v in range(a, high + 1) if (v - a) % step == 0}),
                "R": (f"{shown(a)}-{shown(b)}/{step}", {v for i, v in enumerate(reached) if i % step == 0}),
                "S": (f"*/{step}", {v for v in range(low, high + 1) if (v - low) % step == 0}),
            }[shape]
        )
    return Part(",".join(text for text, _ in pieces), frozenset().union(*(values for _, values in pieces)))


def aws_weekday(day: date) -> int:
    return {6: 1, 0: 2, 1: 3, 2: 4, 3: 5, 4: 6, 5: 7}[day.weekday()]


def last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def closest_weekday(target: date) -> date:
    near = [target + timedelta(days=n) for n in (0, -1, 1, -2, 2)]
    return next(d for d in near if d.weekday() < 5 and d.month == target.month)


def is_nearest(day: date, number: int) -> bool:
    return number <= last_of_month(day).day and day == closest_weekday(day.replace(day=number))


@st.composite
def day_rules(draw: st.DrawFn) -> tuple[str, str, DayRule]:
    """Day-of-month, day-of-week, and whether a date is meant."""
    number, weekday, nth = draw(st.integers(1, 31)), draw(st.integers(1, 7)), draw(st.integers(1, 5))
    name = draw(st.sampled_from([str(weekday), DAY_NAMES[weekday - 1]]))
    some_days, some_weekdays = draw(parts(1, 31)), draw(parts(1, 7, DAY_NAMES))
    rules: list[tuple[str, str, DayRule]] = [
        (some_days.text, "?", lambda d: d.day in some_days.values),
        ("?", some_weekdays.text, lambda d: aws_weekday(d) in some_weekdays.values),
        ("L", "?", lambda d: (d + timedelta(days=1)).day == 1),
        ("LW", "?", lambda d: d == closest_weekday(last_of_month(d))),
        (f"{number}W", "?", lambda d: is_nearest(d, number)),
        ("?", "L", lambda d: d.weekday() == 5),
        ("?", f"{name}L", lambda d: aws_weekday(d) == weekday and (d + timedelta(days=7)).month != d.month),
        ("?", f"{name}#{nth}", lambda d: aws_weekday(d) == weekday and (d.day - 1) // 7 == nth - 1),
    ]
    return draw(st.sampled_from(rules))


@st.composite
def schedules(draw: st.DrawFn) -> tuple[str, Callable[[datetime], bool]]:
    """A cron expression, and whether it means a wall-clock minute."""
    minutes, hours, months = draw(parts(0, 59)), draw(parts(0, 23)), draw(parts(1, 12, MONTH_NAMES))
    years = draw(st.one_of(st.just(Part("*", frozenset(range(1970, 2200)))), parts(1970, 2199, wraps=False)))
    day, weekday, meant = draw(day_rules())

    def matches(local: datetime) -> bool:
        in_time = local.minute in minutes.values and local.hour in hours.values
        in_date = local.month in months.values and local.year in years.values
        return in_time and in_date and meant(local.date())

    return f"cron({minutes.text} {hours.text} {day} {months.text} {weekday} {years.text})", matches


SHIFTS = {
    "UTC": datetime(2026, 2, 27, tzinfo=UTC),
    BERLIN: datetime(2026, 3, 29, 1, tzinfo=UTC),
    NEW_YORK: datetime(2026, 11, 1, 6, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, 15, tzinfo=UTC),
    "Africa/Casablanca": datetime(2026, 2, 15, 2, tzinfo=UTC),
    "Asia/Kathmandu": datetime(2026, 12, 31, 18, 15, tzinfo=UTC),
    "America/Santiago": datetime(2026, 9, 6, 4, tzinfo=UTC),
}
"""A moment of interest for each zone: a shift at night, by half an hour, at midnight; a year's end."""


@settings(max_examples=250, deadline=None)
@given(
    schedule=schedules(),
    zone=st.sampled_from(sorted(SHIFTS)),
    before_minutes=st.integers(0, 2000),
    length_minutes=st.integers(0, 3000),
)
def test_agrees_with_a_look_at_every_minute(
    schedule: tuple[str, Callable[[datetime], bool]], zone: str, before_minutes: int, length_minutes: int
) -> None:
    text, matches = schedule
    start = SHIFTS[zone] - timedelta(minutes=before_minutes)
    expected = []
    for n in range(length_minutes):
        moment = start + timedelta(minutes=n)
        local = moment.astimezone(ZoneInfo(zone))
        # fold is 1 on the second of two equal wall times; a wall time that does not exist never comes up here.
        if not local.fold and matches(local):
            expected.append(moment)
    assert list(Cron.parse(text).between(start, start + timedelta(minutes=length_minutes), zone)) == expected


@settings(max_examples=250, deadline=None)
@given(rule=day_rules(), months=parts(1, 12, MONTH_NAMES), year=st.integers(1970, 2190))
def test_agrees_with_a_look_at_every_day(rule: tuple[str, str, DayRule], months: Part, year: int) -> None:
    day, weekday, meant = rule
    start = datetime(year, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=n) for n in range(3 * 365)]
    expected = [d for d in days if d.month in months.values and meant(d.date())]
    found = Cron.parse(f"0 0 {day} {months.text} {weekday} *").between(start, start + timedelta(days=3 * 365))
    assert list(found) == expected


@given(schedule=schedules())
def test_the_normal_text_means_the_same(schedule: tuple[str, Callable[[datetime], bool]]) -> None:
    cron = Cron.parse(schedule[0])
    assert Cron.parse(cron.normal) == cron
    assert Cron.parse(cron.normal).normal == cron.normal
