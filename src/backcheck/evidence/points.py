"""The calendar of the last weeks with the recovery points that are really there, and the RPO they amount to. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from backcheck.controls.control import World
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.policy.calendar import Calendar, calendar_of
from backcheck.policy.model import Policy, Tier, Vault
from backcheck.policy.rpo import worst_case

SHOWN = timedelta(days=42)

AHEAD = timedelta(days=4)

MEASURED = timedelta(days=30)
"""AWS keeps jobs so long; CONTROLS' RPO-02 measures over the same time."""

HORIZON = timedelta(days=400)
"""Over so many days the worst pair of successive firings is looked for, as POL-09 does."""

COPY_ALLOWANCE = timedelta(hours=12)
"""How long after a backup's deadline its copy is still drawn as that firing's. No verdict hangs on it."""

Created = Mapping[tuple[str, str, str, str], Sequence[datetime]]
"""(account, region, vault, resource) to when its usable points were created, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One firing on the calendar."""

    at: datetime
    effective: bool
    due: bool
    """Its deadline has passed."""
    gone: bool
    """Its retention has passed as well, or could have: that no point is there is as it should be."""
    have: int
    """Tables that have a usable point from it."""
    want: int
    """Tables that existed when it fired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One tier in one vault."""

    tier: str
    vault: str
    region: str
    marks: tuple[Mark, ...]
    unread: str
    """Why the vault's points are not known; empty where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The calendar of tables that share their tiers."""

    tables: int
    start: datetime
    end: datetime
    now: datetime
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpo:
    """How much can be lost, where: by the policy's arithmetic, and as measured."""

    place: str
    tiers: str
    computed: timedelta | None
    lines: tuple[str, ...]
    objective_hours: int | None
    measured: timedelta | None
    """The longest time without a new usable point in the last 30 days, over all tables; None: not known."""
    measured_on: str
    """The table that it was measured on, or why it is not known."""


def charts(world: World, created: Created) -> tuple[Chart, ...]:
    """One chart for each set of tables with the same tiers."""
    start, end = world.now - SHOWN, world.now + AHEAD
    found = []
    for tiers, tables in _by_tiers(world).items():
        calendar = calendar_of(tiers, start, end)
        lanes = tuple(_lanes(world, calendar, tiers, tables, created))
        found.append(Chart(tables=len(tables), start=start, end=end, now=world.now, lanes=lanes))
    return tuple(found)


def objectives(world: World, created: Created) -> tuple[Rpo, ...]:
    """The worst case in the primary vaults and in the DR ones, for each set of tables with the same tiers."""
    found: list[Rpo] = []
    for tiers, tables in _by_tiers(world).items():
        calendar = calendar_of(tiers, world.now, world.now + HORIZON)
        copies = sorted({copy.vault for tier in tiers for copy in tier.copies})
        rpo = world.policy.objectives.rpo
        found.append(_rpo(world, calendar, tables, created, (), rpo.backup_hours))
        if copies:
            found.append(_rpo(world, calendar, tables, created, tuple(copies), rpo.dr_hours))
    return tuple(found)


def _rpo(
    world: World,
    calendar: Calendar,
    tables: Sequence[ScopedTable],
    created: Created,
    copies: tuple[str, ...],
    hours: int | None,
) -> Rpo:
    worst = worst_case(calendar, copies, zone=world.policy.timezone)
    keys = copies or tuple(sorted({tier.vault for tier in tables[0].tiers}))
    measured, on = _measured(world, keys, tables, created)
    return Rpo(
        place=", ".join(copies) or "primary",
        tiers=", ".join(tier.id for tier in tables[0].tiers),
        computed=worst.total,
        lines=worst.lines,
        objective_hours=hours,
        measured=measured,
        measured_on=on,
    )


def _measured(
    world: World, keys: Sequence[str], tables: Sequence[ScopedTable], created: Created
) -> tuple[timedelta | None, str]:
    """The longest gap between points in these vaults, and from the newest to now, since the table exists."""
    vaults = [vault for key in keys if (vault := world.policy.vault(key))]
    for vault in vaults:
        if why := _unread(world, vault):
            return None, why
    longest, on = None, "no table"
    for scoped in tables:
        since = max(world.now - MEASURED, scoped.table.created)
        times = sorted(
            moment for vault in vaults for moment in created.get(_key(world.policy, vault, scoped.table.arn), ())
        )
        first = bisect_left(times, since)
        stops = [since, *times[first:], world.now]  # a point from before may be deleted by now, and rightly so
        gap = max(later - earlier for earlier, later in pairwise(stops))
        if longest is None or gap > longest:
            longest, on = gap, scoped.table.name
    return longest, on


def _lanes(
    world: World, calendar: Calendar, tiers: Sequence[Tier], tables: Sequence[ScopedTable], created: Created
) -> Iterator[Lane]:
    for tier in tiers:
        for key in (tier.vault, *(copy.vault for copy in tier.copies)):
            vault = world.policy.vault(key)
            if vault is None:
                continue
            unread = _unread(world, vault)
            marks = () if unread else tuple(_marks(world, calendar, tier, vault, tables, created))
            yield Lane(tier=tier.id, vault=vault.name, region=world.policy.region_of(vault), marks=marks, unread=unread)


def _marks(
    world: World, calendar: Calendar, tier: Tier, vault: Vault, tables: Sequence[ScopedTable], created: Created
) -> Iterator[Mark]:
    copies = {copy.vault: copy.retention_days for copy in tier.copies}
    kept = tier.retention_days if vault.key == tier.vault else copies.get(vault.key)
    times = [(s.table.created, created.get(_key(world.policy, vault, s.table.arn), ())) for s in tables]
    for outcome in calendar.outcomes:
        if outcome.firing.tier.id != tier.id:
            continue
        late = COPY_ALLOWANCE if vault.key != tier.vault else timedelta(0)
        begin, end = outcome.firing.at, outcome.deadline + late
        existed = [points for since, points in times if since <= begin]
        have = sum(1 for points in existed if _any_between(points, begin, end))
        yield Mark(
            at=begin,
            effective=outcome.effective,
            due=outcome.deadline <= world.now,
            gone=kept is not None and begin + timedelta(days=kept) <= world.now,
            have=have,
            want=len(existed),
        )


def _any_between(points: Sequence[datetime], begin: datetime, end: datetime) -> bool:
    place = bisect_left(points, begin)
    return place < len(points) and points[place] <= end


def _by_tiers(world: World) -> dict[tuple[Tier, ...], list[ScopedTable]]:
    groups: dict[tuple[str, ...], list[ScopedTable]] = {}
    for subject in tables_in_scope(world):
        if isinstance(subject, ScopedTable) and subject.tiers:
            groups.setdefault(tuple(tier.id for tier in subject.tiers), []).append(subject)
    return {group[0].tiers: group for group in groups.values()}


def created_in(world: World) -> Created:
    """When the usable points of each table in each vault were created."""
    found: dict[tuple[str, str, str, str], list[datetime]] = {}
    for point in world.inventory.recovery_points() if world.inventory else ():
        if point.usable:
            found.setdefault(_key_of(point), []).append(point.created)
    for times in found.values():
        times.sort()
    return found


def _key_of(point: RecoveryPoint) -> tuple[str, str, str, str]:
    return (point.account, point.region, point.vault_name, point.resource_arn)


def _key(policy: Policy, vault: Vault, resource: str) -> tuple[str, str, str, str]:
    account = policy.account(vault.account)
    return (account.id if account else "", policy.region_of(vault), vault.name, resource)


def _unread(world: World, vault: Vault) -> str:
    """Why the points of a vault of the policy are not known; empty where they are."""
    account, _, name, _ = _key(world.policy, vault, "")
    region = world.inventory.region(account, world.policy.region_of(vault)) if world.inventory else None
    if region is None:
        return "the snapshot has nothing of this account and region"
    if isinstance(region.vaults, Gap):
        return str(region.vaults)
    found = next((one for one in region.vaults if one.name == name), None)
    if found is None:
        return "there is no such vault"
    return str(found.recovery_points) if isinstance(found.recovery_points, Gap) else ""
