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


def window(fired: Fired) -> frozenset[datetime]:
    """The hours of the start window."""
    tier, at = fired
    return frozenset(at + n * HOUR for n in range(tier.start_window_minutes // 60))


def days_kept(tier: Tier) -> float:
    return inf if tier.retention_days is None else tier.retention_days


def rules_collide(one: Tier, other: Tier) -> bool:
    """Whether they are different rules of one plan."""
    return one.plan == other.plan and one is not other


def taken(firings: list[Fired]) -> list[Fired]:
    """The firings under which a backup is taken: none with longer retention collides, and of equals the earliest."""
    hours = [window(fired) for fired in firings]

    def collide(one: int, other: int) -> bool:
        return rules_collide(firings[one][0], firings[other][0]) and not hours[one].isdisjoint(hours[other])

    kept = [days_kept(tier) for tier, _ in firings]
    every = range(len(firings))
    unbeaten = [n for n in every if not any(kept[m] > kept[n] and collide(n, m) for m in every)]
    chosen: list[int] = []
    for n in unbeaten:
        if not any(kept[m] == kept[n] and collide(n, m) for m in chosen):
            chosen.append(n)
    return [firings[n] for n in chosen]


def deadline(fired: Fired) -> datetime:
    tier, at = fired
    return at + timedelta(minutes=tier.start_window_minutes + tier.completion_window_minutes)


def worst_loss(made: list[Fired], start: datetime, end: datetime) -> timedelta:
    """Look at the last moment of each hour: what would be lost, if every job took as long as it may?

    Looks only at hours at which some backup is complete and not yet deleted.
    """
    lives = [(at, deadline((tier, at)), at + timedelta(days=tier.retention_days or 9999)) for tier, at in made]
    worst = timedelta(0)
    hour = start
    while hour <= end:
        there = [at for at, complete, deleted in lives if complete < hour <= deleted]
        if there:
            worst = max(worst, hour - max(there))
        hour += HOUR
    return worst
