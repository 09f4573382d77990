"""When an AWS cron expression runs: six fields, as EventBridge documents them and AWS Backup evaluates them.

The fields, their values and wildcards, to which AWS Backup's own page refers:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html.
https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html sends readers, for daylight
saving, to https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time: a time that
does not exist is skipped; a time that comes twice runs once, before the shift.

What the pages leave open, and how it is read here:

- `LW` is the last weekday of the month, and `/` is taken in day-of-week too (`1/7` is Sunday): the pages have neither
  in words. Other mixtures that no page shows (`1,L`, `L-3`, `1W,15W`) are refused.
- `W` stays within its month, and `31W` in a month of 30 days does not run: the reading with fewer backups.
- Ranges go round the end (`FRI-MON`, hours `20-2`, the page's own example), years apart. A start with a step does not:
  `13/12` in the hours is 13 only, which is AWS Backup's 'every 12 hours' that, started after 11:59, runs once a day.
- 'Runs only once' is taken to the letter: an hourly schedule is silent for the repeated hour.

aws-croniter 2.1.1 was tried and is not used: `L` in day-of-week never runs, `LW` and `*-5` raise ValueError, a next run
more than ten steps away (`TUE#5` of a February, 29 February 2104) ends the schedule, `1/7` is refused, and it has no
time zones.
"""

from __future__ import annotations

import difflib
import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from backcheck.errors import Error

MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
SATURDAY = 7
"""AWS numbers the week from 1 = SUN."""

PAGE = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html"


class CronError(Error):
    """A schedule that AWS Backup does not document, or a time zone that does not exist: which field, and why."""

    def __init__(self, text: str, part: str, why: str, *, hint: str = f"see {PAGE}") -> None:
        """`part` is the field's name as the page has it, or `expression` or `timezone`."""
        super().__init__(f"{text!r}: {part}: {why}", hint=hint)
        self.text = text
        self.part = part
        self.why = why


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the table of values and wildcards."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    wraps: bool = True

    @property
    def values(self) -> str:
        """The values as the page writes them."""
        numbers = f"{self.low}-{self.high}"
        return f"{numbers} or {self.names[0]}-{self.names[-1]}" if self.names else numbers


MINUTES = Field("minutes", 0, 59)
HOURS = Field("hours", 0, 23)
DAY_OF_MONTH = Field("day-of-month", 1, 31)
MONTH = Field("month", 1, 12, MONTH_NAMES)
DAY_OF_WEEK = Field("day-of-week", 1, 7, DAY_NAMES)
YEAR = Field("year", 1970, 2199, wraps=False)
FIELDS = (MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)


class DayKind(StrEnum):
    """How days are chosen."""

    EVERY = "every day"
    OF_MONTH = "days of the month"
    LAST = "the last day of the month"
    LAST_WEEKDAY = "the last weekday of the month"
    NEAREST_WEEKDAY = "the weekday nearest to a day"
    OF_WEEK = "days of the week"
    LAST_OF_WEEK = "the last such day of the month"
    NTH_OF_WEEK = "the n-th such day of the month"


@dataclass(frozen=True, slots=True)
class Days:
    """Day-of-month and day-of-week in one: which days of a month the schedule means."""

    kind: DayKind
    values: frozenset[int] = frozenset()
    """Days of the month, or of the week with 1 = Sunday; one value for the kinds with a single day."""
    nth: int = 0
    """1 to 5 for NTH_OF_WEEK."""

    def of(self, year: int, month: int) -> tuple[int, ...]:
        """The days of that month, ascending; none is a possible answer."""
        return _days_of(self, year, month)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A schedule by what it means: two are equal when each field means the same values, however they are written."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: frozenset[int]
    years: frozenset[int]
    text: str = field(compare=False, default="")
    """As it was written."""

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read `cron(...)`, or the six fields alone; raises CronError, which names the field and says why."""
        return _parse(text)

    @property
    def normal(self) -> str:
        """One text for one meaning; it parses back to an equal schedule."""
        day, weekday = _write_days(self.days)
        minutes, hours = _write(self.minutes, MINUTES), _write(self.hours, HOURS)
        return f"cron({minutes} {hours} {day} {_write(self.months, MONTH)} {weekday} {_write(self.years, YEAR)})"

    def between(self, start: datetime, end: datetime, zone: str = "UTC") -> Iterator[datetime]:
        """The runs in [start, end), ascending, as aware UTC datetimes.

        `start` and `end` are aware; raises CronError for a zone that the time zone database does not have.
        """
        if start.utcoffset() is None or end.utcoffset() is None:
            raise ValueError("start and end must carry a time zone")
        place = zone_of(zone)
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        # No local clock is more than a day away from UTC.
        first, last = _shifted(start.date(), -1), _shifted(end.date(), 1)
        for day in self._days_between(first, last):
            for local in self._times_on(day):
                moment = _exact(local, place)
                if moment is None or moment < start:
                    continue
                if moment >= end:
                    return
                yield moment

    def skipped(self, start: datetime, end: datetime, zone: str) -> Iterator[datetime]:
        """The wall times, naive, that the schedule means on the days from `start` to `end` and no clock shows."""
        place = zone_of(zone)
        if place is not UTC:
            for day in self._days_between(start.astimezone(place).date(), end.astimezone(place).date()):
                yield from (local for local in self._times_on(day) if _exact(local, place) is None)

    def _days_between(self, first: date, last: date) -> Iterator[date]:
        for year in sorted(y for y in self.years if first.year <= y <= last.year):
            for month in sorted(self.months):
                if (first.year, first.month) <= (year, month) <= (last.year, last.month):
                    for day in self.days.of(year, month):
                        if first <= date(year, month, day) <= last:
                            yield date(year, month, day)

    def _times_on(self, day: date) -> Iterator[datetime]:
        for hour in self.hours:
            for minute in self.minutes:
                yield datetime.combine(day, time(hour, minute))


def _exact(local: datetime, place: tzinfo) -> datetime | None:
    """The moment of a wall time, the first of two equal ones (fold is 0); None where no clock ever shows it."""
    moment = local.replace(tzinfo=place).astimezone(UTC)
    return moment if moment.astimezone(place).replace(tzinfo=None) == local else None


def same_schedule(one: str, other: str) -> bool:
    """Whether two expressions mean the same, however they are written; False where either is no cron, as rate() is."""
    try:
        return Cron.parse(one) == Cron.parse(other)
    except CronError:
        return False


@cache
def zone_of(name: str) -> tzinfo:
    """The zone of that IANA name, from the packaged database so that it means the same on every machine.

    Raises CronError with the nearest name where there is none.
    """
    if name == "UTC":
        return UTC
    if name not in _zone_names():
        near = difflib.get_close_matches(name, _zone_names(), 1)
        hint = f"did you mean {near[0]}?" if near else "use a name of the IANA time zone database"
        raise CronError(name, "timezone", "is not in the IANA time zone database", hint=hint)
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


def _shifted(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return day


@lru_cache(maxsize=1024)
def _parse(text: str) -> Cron:
    minutes, hours, day, month, weekday, year = _split(text)
    return Cron(
        minutes=tuple(sorted(_values(text, minutes, MINUTES))),
        hours=tuple(sorted(_values(text, hours, HOURS))),
        days=_days(text, day, weekday),
        months=_values(text, month, MONTH),
        years=_values(text, year, YEAR),
        text=text,
    )


def _split(text: str) -> list[str]:
    body = text.strip()
    if re.match(r"(?i)(rate|at)\s*\(", body):
        raise CronError(text, "expression", "AWS Backup documents only cron", hint="write cron(0 5 ? * * *)")
    if wrapped := re.fullmatch(r"(?i)cron\((.*)\)", body, re.DOTALL):
        body = wrapped[1]
    parts = body.upper().split()
    if len(parts) != len(FIELDS):
        names = ", ".join(f.name for f in FIELDS)
        raise CronError(text, "expression", f"has {len(parts)} fields, AWS wants six: {names}")
    return parts


def _values(text: str, part: str, of: Field) -> frozenset[int]:
    """What a field of `, - * /` alone means."""
    return frozenset(value for item in part.split(",") for value in _item(text, item, of))


def _item(text: str, item: str, of: Field) -> range | list[int]:
    reach, slash, step_text = item.partition("/")
    step = _number(text, step_text, of, item) if slash else 1
    if not 1 <= step <= of.high - of.low + 1:
        raise CronError(text, of.name, f"the step of {item!r} must be 1 to {of.high - of.low + 1}")
    if reach == "*":
        return range(of.low, of.high + 1, step)
    first_text, dash, last_text = reach.partition("-")
    first = _value(text, first_text, of)
    if dash:
        return _span(text, first, _value(text, last_text, of), step, of)
    return range(first, of.high + 1, step) if slash else [first]


def _span(text: str, first: int, last: int, step: int, of: Field) -> range | list[int]:
    if first <= last:
        return range(first, last + 1, step)
    if not of.wraps:
        raise CronError(text, of.name, f"{first}-{last} ends before it begins")
    size = of.high - of.low + 1
    return [of.low + (value - of.low) % size for value in range(first, last + size + 1, step)]


def _value(text: str, word: str, of: Field) -> int:
    value = of.names.index(word) + of.low if word in of.names else _number(text, word, of, word)
    if not of.low <= value <= of.high:
        raise CronError(text, of.name, f"{word!r} is not one of {of.values}")
    return value


def _number(text: str, word: str, of: Field, item: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", word):
        raise CronError(text, of.name, f"{item!r} is not a form that AWS documents here; values are {of.values}")
    return int(word)


def _days(text: str, day: str, weekday: str) -> Days:
    if day != "?" and weekday != "?":
        why = f"{day!r} and {weekday!r} are both given, one of the two must be '?'"
        raise CronError(text, "day-of-month and day-of-week", why)
    if day == weekday:
        raise CronError(text, "day-of-month and day-of-week", "both are '?', one of the two must say something")
    return _days_of_week(text, weekday) if day == "?" else _days_of_month(text, day)


def _days_of_month(text: str, part: str) -> Days:
    if part == "L":
        return Days(DayKind.LAST)
    if part == "LW":
        return Days(DayKind.LAST_WEEKDAY)
    if re.fullmatch(r"[0-9]+W", part):
        return Days(DayKind.NEAREST_WEEKDAY, frozenset({_value(text, part[:-1], DAY_OF_MONTH)}))
    return _listed(DayKind.OF_MONTH, _values(text, part, DAY_OF_MONTH), DAY_OF_MONTH)


def _days_of_week(text: str, part: str) -> Days:
    if part == "L":
        # 'The last day of the month or week': the week ends on 7 = SAT.
        return Days(DayKind.OF_WEEK, frozenset({SATURDAY}))
    if last := re.fullmatch(r"(\w+)L", part):
        return Days(DayKind.LAST_OF_WEEK, frozenset({_value(text, last[1], DAY_OF_WEEK)}))
    if nth := re.fullmatch(r"(\w+)#([0-9]+)", part):
        if nth[2] not in {"1", "2", "3", "4", "5"}:
            raise CronError(text, DAY_OF_WEEK.name, f"{part!r}: no month has more than five of a day, # takes 1 to 5")
        return Days(DayKind.NTH_OF_WEEK, frozenset({_value(text, nth[1], DAY_OF_WEEK)}), int(nth[2]))
    if "#" in part:
        raise CronError(text, DAY_OF_WEEK.name, f"{part!r}: with # only one expression may be given")
    return _listed(DayKind.OF_WEEK, _values(text, part, DAY_OF_WEEK), DAY_OF_WEEK)


def _listed(kind: DayKind, values: frozenset[int], of: Field) -> Days:
    return Days(DayKind.EVERY) if len(values) == of.high - of.low + 1 else Days(kind, values)


@lru_cache(maxsize=16_384)
def _days_of(days: Days, year: int, month: int) -> tuple[int, ...]:
    length = monthrange(year, month)[1]
    every = range(1, length + 1)
    match days.kind:
        case DayKind.EVERY:
            return tuple(every)
        case DayKind.OF_MONTH:
            return tuple(day for day in every if day in days.values)
        case DayKind.LAST:
            return (length,)
        case DayKind.LAST_WEEKDAY:
            return (_nearest_weekday(year, month, length, length),)
        case DayKind.NEAREST_WEEKDAY:
            return tuple(_nearest_weekday(year, month, day, length) for day in days.values if day <= length)
    matching = tuple(day for day in every if _weekday(year, month, day) in days.values)
    match days.kind:
        case DayKind.LAST_OF_WEEK:
            return matching[-1:]
        case DayKind.NTH_OF_WEEK:
            return matching[days.nth - 1 : days.nth]
        case _:
            return matching


def _weekday(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % 7 + 1


def _nearest_weekday(year: int, month: int, day: int, length: int) -> int:
    match _weekday(year, month, day):
        case 7:
            return day - 1 if day > 1 else day + 2
        case 1:
            return day + 1 if day < length else day - 2
        case _:
            return day


def _write_days(days: Days) -> tuple[str, str]:
    one = str(min(days.values, default=0))
    match days.kind:
        case DayKind.EVERY:
            return "*", "?"
        case DayKind.OF_MONTH:
            return _write(days.values, DAY_OF_MONTH), "?"
        case DayKind.LAST:
            return "L", "?"
        case DayKind.LAST_WEEKDAY:
            return "LW", "?"
        case DayKind.NEAREST_WEEKDAY:
            return f"{one}W", "?"
        case DayKind.OF_WEEK:
            return "?", _write(days.values, DAY_OF_WEEK)
        case DayKind.LAST_OF_WEEK:
            return "?", f"{one}L"
        case DayKind.NTH_OF_WEEK:
            return "?", f"{one}#{days.nth}"


def _write(values: tuple[int, ...] | frozenset[int], of: Field) -> str:
    """`*`, or a list with runs of three and more as ranges."""
    ordered = sorted(values)
    if len(ordered) == of.high - of.low + 1:
        return "*"
    parts: list[str] = []
    while ordered:
        run = next((i for i, value in enumerate(ordered) if value != ordered[0] + i), len(ordered))
        run = run if run > 2 else 1
        parts.append(f"{ordered[0]}-{ordered[run - 1]}" if run > 1 else str(ordered[0]))
        ordered = ordered[run:]
    return ",".join(parts)
