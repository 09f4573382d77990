"""What `policy calendar` shows: for each set of tables with the same tiers, each site of recovery points.

A site is where the backups are made, or a vault that copies go to. It has a lane for each tier that reaches it, its
gaps, and its worst case. Pure; the command prints it and `calendar_svg` draws it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from backcheck.cron import zone_of
from backcheck.policy.calendar import Calendar, Point, StorageClass, calendar_of, earliest_kept
from backcheck.policy.firing import HORIZON, Firing, Outcome, longest_gap
from backcheck.policy.model import PRIMARY, Policy, TableScope, Tier
from backcheck.policy.overlap import Violation, violations
from backcheck.policy.rpo import Arithmetic, worst_case

SHOWN_TABLES = 6
MARGIN = timedelta(days=62)
"""How far beyond the period firings are looked for, so that a gap that reaches over its end is seen whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without a new point that is longer than it may be."""

    earlier: Firing
    later: Firing
    loss: timedelta
    """What is lost at worst within it: until the later backup is complete."""
    allowed: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One tier at one site."""

    tier: Tier
    points: tuple[Point, ...]
    """Those that exist at some time in the period, also from before it; by time."""
    outcomes: tuple[Outcome, ...]
    """What becomes of the firings in the period."""

    def stock(self, moment: datetime) -> dict[StorageClass, int]:
        """How many points can be counted on at a moment, by class."""
        classes = [point.storage_at(moment) for point in self.points]
        return {storage: classes.count(storage) for storage in StorageClass}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where recovery points are: the tables' own region, or a vault that copies go to."""

    title: str
    """`primary` or the vault's key, with its region."""
    vault: str | None
    """The vault that copies go to; None: where the tables are, whichever vaults the tiers name."""
    is_dr: bool
    """Whether the copies are in another region than the tables."""
    lanes: tuple[Lane, ...]
    gaps: tuple[Gap, ...]
    worst: Arithmetic
    objective_hours: int | None
    """The RPO that the policy states for it; None: none is stated, or the place is neither primary nor DR."""

    @property
    def holds(self) -> bool | None:
        """Whether the worst case is within the objective; None where there is no objective."""
        return None if self.objective_hours is None else self.worst.within(self.objective_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One set of tables with the same tiers, over one period."""

    policy: str
    tables: tuple[str, ...]
    zone: str
    start: datetime
    end: datetime
    since: datetime
    """From when on the tiers are taken to have been in force."""
    calendar: Calendar
    sites: tuple[Site, ...]
    violations: tuple[Violation, ...]
    """In the 400 days from `start`."""

    @property
    def whom(self) -> str:
        """The tables, in words; of many the first few."""
        more = f" and {len(self.tables) - SHOWN_TABLES} more" if len(self.tables) > SHOWN_TABLES else ""
        return f"{', '.join(self.tables[:SHOWN_TABLES])}{more}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the documentation leaves open, in the 400 days from `start`."""
        return self.calendar.notes


def timelines(policy: Policy, start: datetime, days: int) -> tuple[Timeline, ...]:
    """One for each distinct set of tiers that some tables have, in file order; tables without tiers have none.

    `start` is aware. Raises CronError for a schedule or zone that AWS would not take.
    """
    groups: dict[tuple[tuple[Tier, ...], str, str], list[TableScope]] = {}
    for scope in policy.tables:
        if tiers := policy.tiers_of(scope):
            groups.setdefault((tiers, scope.region, scope.account), []).append(scope)
    return tuple(_timeline(policy, tiers, scopes, start, days) for (tiers, _, _), scopes in groups.items())


def _timeline(
    policy: Policy, tiers: tuple[Tier, ...], scopes: Sequence[TableScope], start: datetime, days: int
) -> Timeline:
    # Days of the policy's own clock: in the week that the clocks change, one has 23 or 25 hours.
    end = (start.astimezone(zone_of(policy.timezone)) + timedelta(days=days)).astimezone(UTC)
    since = _in_force_since(policy, tiers, start)
    calendar = calendar_of(tiers, start, start + HORIZON)
    shown = _Shown(calendar_of(tiers, since, end + MARGIN), start, end)
    region = scopes[0].region

    return Timeline(
        policy=policy.name,
        tables=tuple(scope.key for scope in scopes),
        zone=policy.timezone,
        start=start,
        end=end,
        since=since,
        calendar=calendar,
        sites=tuple(_site(policy, calendar, shown, region, vault) for vault in (None, *calendar.copy_vaults)),
        violations=violations(calendar),
    )


def _in_force_since(policy: Policy, tiers: Sequence[Tier], start: datetime) -> datetime:
    """The policy's own date where it has begun; else as long as its points are kept, as if it had always been."""
    if policy.effective_from is not None:
        begun = datetime.combine(policy.effective_from, time(), zone_of(policy.timezone)).astimezone(UTC)
        if begun <= start:
            return max(begun, earliest_kept(tiers, start))
    return earliest_kept(tiers, start)


@dataclass(frozen=True, slots=True)
class _Shown:
    """All that matters to the period [start, end): from the first point that is still there, to beyond the end."""

    calendar: Calendar
    start: datetime
    end: datetime


def _site(policy: Policy, calendar: Calendar, shown: _Shown, region: str, vault: str | None) -> Site:
    known = policy.vault(vault) if vault is not None else None
    is_dr = known is not None and policy.region_of(known) != policy.regions.get(region)
    rpo = policy.objectives.rpo
    objective = rpo.backup_hours if vault is None else rpo.dr_hours if is_dr else None
    worst = worst_case(calendar, () if vault is None else (vault,), zone=policy.timezone)
    reaching = [tier for tier in calendar.tiers if vault is None or any(c.vault == vault for c in tier.copies)]
    return Site(
        title=_title(policy, region, vault),
        vault=vault,
        is_dr=is_dr,
        lanes=tuple(_lane(tier, shown, vault) for tier in reaching),
        gaps=tuple(_gaps(shown, vault, _allowed(reaching, objective, calendar))),
        worst=worst,
        objective_hours=objective,
    )


def _title(policy: Policy, region: str, vault: str | None) -> str:
    if vault is None:
        return f"{PRIMARY} ({policy.regions.get(region, region)})"
    known = policy.vault(vault)
    return vault if known is None else f"{vault} ({policy.region_of(known)})"


def _lane(tier: Tier, shown: _Shown, vault: str | None) -> Lane:
    points = (
        point
        for point in shown.calendar.points
        if point.tier == tier and (not point.is_copy if vault is None else point.is_copy and point.vault == vault)
    )
    return Lane(
        tier=tier,
        points=tuple(
            point
            for point in points
            if point.created < shown.end and (point.delete_at is None or point.delete_at > shown.start)
        ),
        outcomes=tuple(
            o for o in shown.calendar.outcomes if o.firing.tier == tier and shown.start <= o.firing.at < shown.end
        ),
    )


def _allowed(tiers: Sequence[Tier], objective_hours: int | None, calendar: Calendar) -> timedelta:
    """The objective; where there is none, the rhythm of the most frequent tier and the longest windows of any."""
    if objective_hours is not None:
        return timedelta(hours=objective_hours)
    rhythms = [gap for tier in tiers if (gap := longest_gap(tier, calendar.start, calendar.end)) is not None]
    windows = [timedelta(minutes=tier.start_window_minutes + tier.completion_window_minutes) for tier in tiers]
    return min(rhythms, default=timedelta(0)) + max(windows, default=timedelta(0))


def _gaps(shown: _Shown, vault: str | None, allowed: timedelta) -> Iterator[Gap]:
    made = shown.calendar.effective if vault is None else shown.calendar.copies_to((vault,))
    for earlier, later in pairwise(made):
        loss = later.deadline - earlier.firing.at
        if loss > allowed and earlier.firing.at < shown.end and later.firing.at > shown.start:
            yield Gap(earlier=earlier.firing, later=later.latest, loss=loss, allowed=allowed)
