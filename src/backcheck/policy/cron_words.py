"""A schedule in words, for people; whatever is not plain stays the cron expression that it is."""

from __future__ import annotations

from backcheck.cron import DAY_NAMES, Cron, CronError

_DAYS = dict(
    zip(DAY_NAMES, ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"), strict=True)
)
_ORDINALS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def in_words(schedule: str, timezone: str) -> str:
    """`daily at 01:00 UTC`, `on Sundays at 00:00 UTC`, `monthly on the 1st at 00:00 UTC`; else the expression."""
    try:
        fields = Cron.parse(schedule).normal.removeprefix("cron(").removesuffix(")").split()
    except CronError:
        return f"{schedule} {timezone}"
    minute, hour, day, month, weekday, year = fields
    if not (minute.isdigit() and hour.isdigit() and month == "*" and year == "*"):
        return f"{schedule} {timezone}"
    at = f"at {int(hour):02}:{int(minute):02} {timezone}"
    on = _day(day, weekday)
    return f"{on} {at}" if on else f"{schedule} {timezone}"


def _day(day: str, weekday: str) -> str:
    if {day, weekday} <= {"*", "?"}:
        return "daily"
    if weekday in ("*", "?") and day.isdigit():
        return f"monthly on the {day}{_ORDINALS.get(int(day), 'th')}"
    name = DAY_NAMES[int(weekday) - 1] if weekday.isdigit() else weekday
    return f"weekly on {_DAYS[name]}s" if day in ("*", "?") and name in _DAYS else ""
