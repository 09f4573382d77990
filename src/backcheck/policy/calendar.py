"""Which recovery points exist on any day: where, in which storage class, until when; and what that rests on.

Firings are settled in `firing.py`. Then, by
https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html:

- Retention and cold storage count from when the job starts ('the creation date of a backup is the date the backup job
  started'); the scheduled time is used, the earliest that a job can start, so that nothing is counted on for too long.
- A copy's lifecycle is its own, 'the number of days after creation'; it is counted from the same moment.
- A point is counted on from the deadline on: the end of the start window plus the completion window.

Pure: periods are arguments. Deployed rules are put on a calendar as `Tier`, the same as a policy's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise

from backcheck.cron import Cron, zone_of
from backcheck.policy.firing import HORIZON, Outcome, by_plan, fire, kept, settle
from backcheck.policy.model import Tier


class StorageClass(StrEnum):
    """AWS Backup's storage tiers."""

    WARM = "warm"
    COLD = "cold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A recovery point that the calendar foretells."""

    tier: Tier
    vault: str
    """Key of the vault that holds it."""
    is_copy: bool
    created: datetime
    """The scheduled time, UTC; the job may start up to the start window later."""
    usable_by: datetime
    """From then on it can be counted on. For a copy add the time that copying takes: AWS documents no bound."""
    cold_at: datetime | None
    delete_at: datetime | None
    """None: kept for ever."""

    def storage_at(self, moment: datetime) -> StorageClass | None:
        """The class that it is in; None before it can be counted on and after it is deleted."""
        if moment < self.usable_by or (self.delete_at is not None and moment >= self.delete_at):
            return None
        return StorageClass.COLD if self.cold_at is not None and moment >= self.cold_at else StorageClass.WARM


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The outcomes of every firing of some tiers in [start, end), by time."""

    tiers: tuple[Tier, ...]
    start: datetime
    end: datetime
    outcomes: tuple[Outcome, ...]

    @cached_property
    def effective(self) -> tuple[Outcome, ...]:
        """The outcomes under which a backup is taken."""
        return tuple(outcome for outcome in self.outcomes if outcome.effective)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The recovery points made in the period, primary and copies, by time."""
        return tuple(point for outcome in self.effective for point in _points(outcome))

    @cached_property
    def copy_vaults(self) -> tuple[str, ...]:
        """Every vault that some tier copies to, in the tiers' order."""
        return tuple(dict.fromkeys(copy.vault for tier in self.tiers for copy in tier.copies))

    def copies_to(self, vaults: Collection[str]) -> tuple[Outcome, ...]:
        """The effective outcomes that surely reach at least one of the vaults."""
        return tuple(outcome for outcome in self.effective if any(outcome.copy_to(vault) for vault in vaults))

    def days_without_copy(self, vaults: Collection[str], zone: str = "UTC") -> tuple[date, ...]:
        """The dates in the period, in that zone, on which no copy to any of the vaults is begun."""
        place = zone_of(zone)
        made = {outcome.firing.at.astimezone(place).date() for outcome in self.copies_to(vaults)}
        return tuple(day for day in _days(self.start.astimezone(place), self.end.astimezone(place)) if day not in made)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the documentation leaves open about these tiers, and runs that daylight saving leaves out."""
        return tuple(_notes(self))


def calendar_of(tiers: Iterable[Tier], start: datetime, end: datetime | None = None) -> Calendar:
    """Fire the tiers that protect one table, and settle their overlaps plan by plan.

    `start` is aware; `end` is 400 days later where not given. Raises CronError for a schedule or a zone that AWS would
    not take.
    """
    return _calendar_of(tuple(dict.fromkeys(tiers)), start, start + HORIZON if end is None else end)


@lru_cache(maxsize=64)
def _calendar_of(tiers: tuple[Tier, ...], start: datetime, end: datetime) -> Calendar:
    settled = [outcome for group in by_plan(tiers) for outcome in settle(group, start, end)]
    settled.sort(key=lambda outcome: outcome.firing.at)
    return Calendar(tiers=tiers, start=start, end=end, outcomes=tuple(settled))


def stock(tiers: Iterable[Tier], moment: datetime, since: datetime | None = None) -> tuple[Point, ...]:
    """Every recovery point that can be counted on at a moment, if the tiers have been in force since `since`.

    Without `since`: for as long as the longest retention, or 400 days for what is kept for ever.
    """
    tiers = tuple(tiers)
    start = since if since is not None else earliest_kept(tiers, moment)
    if start >= moment:
        return ()
    made = calendar_of(tiers, start, moment).points
    return tuple(point for point in made if point.storage_at(moment) is not None)


def _points(outcome: Outcome) -> Iterator[Point]:
    tier = outcome.firing.tier
    yield _point(outcome, tier.vault, tier.retention_days, tier.cold_storage_after_days, is_copy=False)
    for vault in dict.fromkeys(copy.vault for copy in tier.copies):
        if copy := outcome.copy_to(vault):
            yield _point(outcome, vault, copy.retention_days, copy.cold_storage_after_days, is_copy=True)


def _point(outcome: Outcome, vault: str, retention: int | None, cold: int | None, *, is_copy: bool) -> Point:
    at = outcome.firing.at
    return Point(
        tier=outcome.firing.tier,
        vault=vault,
        is_copy=is_copy,
        created=at,
        usable_by=outcome.deadline,
        cold_at=None if cold is None else at + timedelta(days=cold),
        delete_at=None if retention is None else at + timedelta(days=retention),
    )


def earliest_kept(tiers: Sequence[Tier], moment: datetime) -> datetime:
    """The time before which nothing that is still there can have been made; 400 days ago for what is kept for ever."""
    kept_days = [days for tier in tiers for days in (tier.retention_days, *(c.retention_days for c in tier.copies))]
    longest = max((days for days in kept_days if days is not None), default=0)
    return moment - max(timedelta(days=longest), HORIZON if None in kept_days else timedelta(0))


def _days(start: datetime, end: datetime) -> Iterator[date]:
    day, last = start.date(), (end - timedelta(microseconds=1)).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _notes(calendar: Calendar) -> Iterator[str]:
    unsure = [outcome for outcome in calendar.outcomes if not outcome.certain]
    if ties := [o for o in unsure if o.rivals]:
        pairs = _named(tier for o in ties for tier in (o.firing.tier, *(rival.tier for rival in o.rivals)))
        yield f"{pairs} overlap with equal retention {len(ties)} times: AWS does not document which one is taken"
    if chains := [o for o in unsure if not o.effective and kept_longer(o)]:
        names = _named(o.firing.tier for o in chains)
        yield f"{names}: {len(chains)} firings lose to a rule that itself loses to another; read as not taken"
    if len({tier.plan for tier in calendar.tiers}) > 1:
        yield "several plans: AWS documents overlaps within one plan only, so they are taken to be independent"
    for tier in calendar.tiers:
        yield from _notes_on(tier, calendar)


def kept_longer(outcome: Outcome) -> bool:
    """Whether a firing lost to longer retention, rather than to its equal."""
    own = kept(outcome.firing.tier.retention_days)
    return any(kept(winner.tier.retention_days) > own for winner in outcome.superseded_by)


def _notes_on(tier: Tier, calendar: Calendar) -> Iterator[str]:
    lost = list(Cron.parse(tier.schedule).skipped(calendar.start, calendar.end, tier.timezone))
    if lost:
        when = ", ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in lost[:3])
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        yield f"{tier.id} does not run at {when}{more}: daylight saving leaves that time out in {tier.timezone}"
    times = fire(tier.schedule, tier.timezone, calendar.start, calendar.end)
    shortest = min((later - earlier for earlier, later in pairwise(times)), default=timedelta.max)
    if shortest < timedelta(hours=1):
        yield f"{tier.id} fires more than once an hour: AWS Backup takes snapshots at most hourly"
    if timedelta(minutes=tier.start_window_minutes) > shortest:
        yield f"{tier.id}'s start window is longer than the time to its next firing: AWS does not document what follows"


def _named(tiers: Iterable[Tier]) -> str:
    return ", ".join(dict.fromkeys(tier.id for tier in tiers))
