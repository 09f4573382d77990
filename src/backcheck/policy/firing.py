"""Which firings take effect: schedules fired, and overlapping start windows settled, plan by plan.

The page is https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html. 'When the start
windows of different rules overlap, AWS Backup retains the backup under the rule with the longer retention period', and
that 'takes into account the full start window'. In its worked example (hourly beside every 12 hours: 8 of 24 hourly
backups are left) windows that touch do not overlap: they are half-open.

Where the page is silent the reading with fewer backups is taken, and the outcome says that it is not certain:

- A chain (A overlaps B, B overlaps C, A and C do not; retention grows): A loses to B although B itself loses to C.
- Equal retention: one of the two is taken, and either may be. The earlier one stands for both, with the deadline of
  whichever ends later and only the copies that both make.
- Rules of different plans do not replace each other: the page speaks of the rules of one plan.
- A rule does not replace itself, however long its start window is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import inf
from typing import NamedTuple

from backcheck.cron import Cron, zone_of
from backcheck.policy.model import Copy, Tier

HORIZON = timedelta(days=400)
"""A year and a month: every length of month, both shifts of daylight saving, and a first of a month on each weekday."""

REACH = timedelta(days=62)
"""How far beyond a period firings are looked at because their windows may reach into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One time at which a tier's schedule starts a backup, whether or not it takes effect."""

    tier: Tier
    at: datetime
    """UTC."""

    def __hash__(self) -> int:
        # Not the whole tier: a calendar hashes a firing many times, and two of one name and time are rare.
        return hash((self.tier.name, self.at))

    @property
    def start_by(self) -> datetime:
        """The end of the start window, exclusive: a job that has not begun by then expires."""
        return self.at + timedelta(minutes=self.tier.start_window_minutes)

    @property
    def deadline(self) -> datetime:
        """When the backup is complete at the latest: started at the last moment, and all of the completion window."""
        return self.start_by + timedelta(minutes=self.tier.completion_window_minutes)

    @property
    def day(self) -> date:
        """The date in the tier's own time zone."""
        return self.at.astimezone(zone_of(self.tier.timezone)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of a firing."""

    firing: Firing
    superseded_by: tuple[Firing, ...] = ()
    """The firings that are taken in its place; empty: it takes effect."""
    rivals: tuple[Firing, ...] = ()
    """Firings of equal retention for which this one stands; AWS may take one of them instead."""
    certain: bool = True
    """False where the documentation does not settle it; the module's text says how it was read."""

    @property
    def effective(self) -> bool:
        """Whether a backup is taken under this firing."""
        return not self.superseded_by

    @property
    def deadline(self) -> datetime:
        """When a backup is complete at the latest, whichever of the rivals is taken."""
        return max(firing.deadline for firing in (self.firing, *self.rivals))

    @property
    def latest(self) -> Firing:
        """The firing, of this and its rivals, that is complete last."""
        return max((self.firing, *self.rivals), key=lambda firing: firing.deadline)

    def copy_to(self, vault: str) -> Copy | None:
        """The copy that reaches a vault whichever of the rivals is taken, the one that is kept least long."""
        found = [copy_to(firing.tier, vault) for firing in (self.firing, *self.rivals)]
        sure = [copy for copy in found if copy is not None]
        return min(sure, key=lambda copy: kept(copy.retention_days)) if len(sure) == len(found) else None


@lru_cache(maxsize=1024)
def fire(schedule: str, timezone: str, start: datetime, end: datetime) -> tuple[datetime, ...]:
    """The times in [start, end) at which a schedule fires, UTC; kept, since many tables share one schedule."""
    return tuple(Cron.parse(schedule).between(start, end, timezone))


def longest_gap(tier: Tier, start: datetime, end: datetime | None = None) -> timedelta | None:
    """The longest time between two successive firings, effective or not; None with fewer than two in the period."""
    times = fire(tier.schedule, tier.timezone, start, start + HORIZON if end is None else end)
    return max((later - earlier for earlier, later in pairwise(times)), default=None)


def by_plan(tiers: Sequence[Tier]) -> Iterator[tuple[Tier, ...]]:
    """The tiers of each plan, in order: only rules of one plan replace each other."""
    for plan in dict.fromkeys(tier.plan for tier in tiers):
        yield tuple(tier for tier in tiers if tier.plan == plan)


@lru_cache(maxsize=64)
def settle(tiers: tuple[Tier, ...], start: datetime, end: datetime) -> tuple[Outcome, ...]:
    """The outcomes of one plan's firings in the period; windows that reach in from outside are seen too.

    Kept, since tables with different plans beside it share the plan.
    """
    return tuple(_settle(tiers, start, end))


def _settle(tiers: Sequence[Tier], start: datetime, end: datetime) -> Iterator[Outcome]:
    reach = min(REACH, 2 * max(_window(tier) for tier in tiers))
    lanes = [
        _Lane(tier, _window(tier), fire(tier.schedule, tier.timezone, start - reach, end + reach)) for tier in tiers
    ]
    over = {firing: longer for lane in lanes for firing, longer in _overruled(lane, lanes)}
    stand_ins = _ties([firing for firing, longer in over.items() if not longer])
    displaced = {rival: taken for taken, rivals in stand_ins.items() for rival in rivals}
    for firing, longer in over.items():
        if not start <= firing.at < end:
            continue
        if longer:
            yield _lost(longer, firing, over, displaced)
        elif firing in displaced:
            yield Outcome(firing=firing, superseded_by=(displaced[firing],), certain=False)
        else:
            rivals = stand_ins.get(firing, ())
            yield Outcome(firing=firing, rivals=tuple(rivals), certain=not rivals)


class _Lane(NamedTuple):
    """One tier's firings."""

    tier: Tier
    window: timedelta
    fired: Sequence[datetime]

    def overlapping(self, at: datetime, start_by: datetime) -> Iterator[Firing]:
        """The firings whose start windows share a moment with [at, start_by)."""
        first = bisect_right(self.fired, at - self.window)
        for other in self.fired[first : bisect_left(self.fired, start_by)]:
            yield Firing(tier=self.tier, at=other)


def _window(tier: Tier) -> timedelta:
    return timedelta(minutes=tier.start_window_minutes)


def _overruled(lane: _Lane, lanes: Sequence[_Lane]) -> Iterator[tuple[Firing, tuple[Firing, ...]]]:
    """Each firing of a lane, with the firings of longer retention that overlap it."""
    own = kept(lane.tier.retention_days)
    longer = [other for other in lanes if kept(other.tier.retention_days) > own]
    for at in lane.fired:
        start_by = at + lane.window
        yield Firing(tier=lane.tier, at=at), tuple(f for other in longer for f in other.overlapping(at, start_by))


def _ties(standing: Sequence[Firing]) -> dict[Firing, list[Firing]]:
    """Of overlapping firings with equal retention the earliest stands for the rest: it, and the rest."""
    stand_ins: dict[Firing, list[Firing]] = {}
    taken: dict[float, list[tuple[_Lane, list[datetime]]]] = {}
    for tier in dict.fromkeys(firing.tier for firing in standing):
        fired: list[datetime] = []
        taken.setdefault(kept(tier.retention_days), []).append((_Lane(tier, _window(tier), fired), fired))
    for firing in sorted(standing, key=lambda firing: firing.at):
        equals = taken[kept(firing.tier.retention_days)]
        others = (lane for lane, _ in equals if lane.tier is not firing.tier)
        first = next((f for lane in others for f in lane.overlapping(firing.at, firing.start_by)), None)
        if first:
            stand_ins.setdefault(first, []).append(firing)
        else:
            next(fired for lane, fired in equals if lane.tier is firing.tier).append(firing.at)
    return stand_ins


def _lost(
    longer: Sequence[Firing], firing: Firing, over: Mapping[Firing, Sequence[Firing]], displaced: Collection[Firing]
) -> Outcome:
    """A firing that longer retention replaces, with those that are taken, at the end of a chain if need be."""
    if winners := tuple(other for other in longer if not over.get(other)):
        return Outcome(firing=firing, superseded_by=winners, certain=any(winner not in displaced for winner in winners))
    ends: dict[Firing, None] = {}
    beyond = list(longer)
    while beyond:
        other = beyond.pop()
        if further := over.get(other):
            beyond.extend(further)
        else:
            ends[other] = None
    return Outcome(firing=firing, superseded_by=tuple(ends), certain=False)


def kept(retention_days: int | None) -> float:
    """Retention as a number that compares: for ever is infinity."""
    return inf if retention_days is None else retention_days


def copy_to(tier: Tier, vault: str) -> Copy | None:
    """The copy to a vault that is kept longest, should a rule name the vault twice."""
    to_it = [copy for copy in tier.copies if copy.vault == vault]
    return max(to_it, key=lambda copy: kept(copy.retention_days), default=None)
