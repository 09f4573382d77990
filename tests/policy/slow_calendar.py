"""The calendar as obviously as it can be said, an hour at a time; for tests only.

Every schedule here fires on whole hours and every window is whole hours, so a start window is a set of hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import inf

from backcheck.cron import Cron
from backcheck.policy.model import Tier

HOUR = timedelta(hours=1)
Fired = tuple[Tier, datetime]


def all_firings(tiers: Iterable[Tier], start: datetime, end: datetime) -> list[Fired]:
    """Every firing in [start, end), by time and then in the tiers' order."""
    order = list(tiers)
    found = [(t, at) for t in order for at in Cron.parse(t.schedule).between(start, end, t.timezone)]
    return sorted(found, key=lambda fired: (fired[1], order.index(fired[0])))


def window(fired: Fired) -> set[datetime]:
    """The hours of the start window."""
    tier, at = fired
    return {at + n * HOUR for n in range(tier.start_window_minutes // 60)}


def days_kept(tier: Tier) -> float:
    return inf if tier.retention_days is None else tier.retention_days


def rules_collide(one: Fired, other: Fired) -> bool:
    """Different rules of one plan whose start windows share an hour."""
    return one[0].plan == other[0].plan and one[0] != other[0] and bool(window(one) & window(other))


def taken(firings: list[Fired]) -> list[Fired]:
    """The firings under which a backup is taken: none with longer retention collides, and of equals the earliest."""
    unbeaten = [
        f for f in firings if not any(rules_collide(f, g) and days_kept(g[0]) > days_kept(f[0]) for g in firings)
    ]
    chosen: list[Fired] = []
    for f in unbeaten:
        if not any(rules_collide(f, g) and days_kept(g[0]) == days_kept(f[0]) for g in chosen):
            chosen.append(f)
    return chosen


def deadline(fired: Fired) -> datetime:
    tier, at = fired
    return at + timedelta(minutes=tier.start_window_minutes + tier.completion_window_minutes)


def is_there(tier: Tier, at: datetime, hour: datetime) -> bool:
    """Whether a backup is complete, and not yet deleted, throughout the hour before."""
    deleted = tier.retention_days is not None and at + timedelta(days=tier.retention_days) < hour
    return deadline((tier, at)) < hour and not deleted


def worst_loss(made: list[Fired], start: datetime, end: datetime) -> timedelta:
    """Look at the last moment of each hour: what would be lost, if every job took as long as it may?

    Looks only at hours at which some backup is there to go back to.
    """
    worst = timedelta(0)
    hour = start
    while hour <= end:
        there = [at for tier, at in made if is_there(tier, at, hour)]
        if there:
            worst = max(worst, hour - max(there))
        hour += HOUR
    return worst
