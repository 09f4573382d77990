"""The clock of a command: `--at`, or now."""

from __future__ import annotations

from datetime import UTC, datetime

import click


def parse_moment(_: click.Context, __: click.Parameter, written: str | None) -> datetime:
    """A day (its beginning, UTC) or an RFC 3339 time; now where it is not given. For click's `callback`."""
    if written is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise click.BadParameter(f"{written!r} is neither a day (2026-11-22) nor a time (2026-11-22T12:00Z)") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
