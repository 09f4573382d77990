"""The clock of a command: `--at`, or now."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from backcheck.cron import YEAR

REACH_YEARS = 2
"""How far a policy is reckoned from the clock, back and ahead."""


def parse_moment(_: click.Context, __: click.Parameter, written: str | None) -> datetime:
    """A day (its beginning, UTC) or an RFC 3339 time; now where it is not given. For click's `callback`."""
    if written is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise click.BadParameter(f"{written!r} is neither a day (2026-11-22) nor a time (2026-11-22T12:00Z)") from error
    in_years_of_cron(moment)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def in_years_of_cron(moment: datetime) -> datetime:
    """The moment; raises BadParameter where the years that are reckoned from it are not ones that AWS's cron has."""
    first, last = YEAR.low + REACH_YEARS, YEAR.high - REACH_YEARS
    if not first <= moment.year <= last:
        raise click.BadParameter(f"{moment.date()} is too far away: schedules are reckoned from {first} to {last}")
    return moment
