"""Moments as verdicts tell them, and how far clocks may disagree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

CLOCK_SKEW = timedelta(minutes=5)
"""A time this far ahead of the audit's clock is still taken for now."""

DAY = timedelta(days=1)


@lru_cache(maxsize=4096)
def told(moment: datetime) -> str:
    """`2026-11-22 12:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def instant(moment: datetime) -> str:
    """`2026-11-22T12:00:00+00:00`: as `Verdict.instances` name a moment."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def few(many: list[str], most: int = 5) -> str:
    """The first of many, and how many more there are."""
    more = f" and {len(many) - most} more" if len(many) > most else ""
    return ", ".join(many[:most]) + more
