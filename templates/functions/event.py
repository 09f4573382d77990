"""What events hold: CloudFormation hands every property over as text, EventBridge and people send JSON's own types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from backcheck.errors import UsageError

Event = Mapping[str, object]
"""An event as Lambda hands it over: JSON, parsed."""

_FLAGS = {"true": True, "false": False}


def _field(event: Event, name: str) -> object:
    if not isinstance(event, Mapping):  # `--payload '[]'` is JSON, too
        raise UsageError(f"the event is {type(event).__name__}, no JSON object")
    return event.get(name)


def text(event: Event, name: str) -> str:
    """The text of a field; empty where it is missing, null or blank. Raises UsageError for another type."""
    value = _field(event, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UsageError(f"{name} is {type(value).__name__}, not text")
    return value.strip()


def flag(event: Event, name: str) -> bool:
    """True or false, as JSON has it or as text: 'false' is false. Missing is false. Raises UsageError for all else."""
    value = _field(event, name)
    if value is None or value == "":
        return False
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _FLAGS:
        return _FLAGS[value.strip().lower()]
    raise UsageError(f"{name} is {value!r}, neither true nor false")


def moment(event: Event, name: str) -> datetime | None:
    """A time in UTC, whole seconds; None where it is missing. Raises UsageError unless ISO 8601 with an offset."""
    value = text(event, name)
    if not value:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise UsageError(f"{name} is {value!r}, no ISO 8601 time", hint="2026-11-22T09:30:00Z") from error
    if parsed.tzinfo is None:
        raise UsageError(f"{name} is {value!r}, without an offset from UTC", hint=f"{value}Z, if it is UTC")
    return parsed.astimezone(UTC).replace(microsecond=0)


def part(event: Event, name: str) -> Event:
    """An object inside the event. Raises UsageError where there is none."""
    value = _field(event, name)
    if not isinstance(value, Mapping):
        raise UsageError(f"the event has no {name}")
    return value
