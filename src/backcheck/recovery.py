"""What a table can be brought back from right now, for 3 a.m.: read from the inventory alone. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from backcheck.drill.record import DrillRecord
from backcheck.errors import UsageError
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, PitrStatus, Table
from backcheck.policy.model import Policy

POINTS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way back."""

    name: str
    moment: datetime | None
    """The state that comes back; None: it is not known whether this way exists."""
    says: str
    command: str
    """To paste; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A table that the inventory does not have, known from its recovery points alone."""

    arn: str
    name: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Every way back of one table, the quickest first."""

    table: Table | Lost
    ways: tuple[Way, ...]
    measured: tuple[str, ...]
    """The RTO that drills have shown, by method; says so where there was none."""


def recovery(
    name: str, policy: Policy, inventory: Inventory, drills: Sequence[DrillRecord] = (), at: datetime | None = None
) -> Recovery:
    """The ways back of a table by name or ARN, to `at` or the latest state. Raises UsageError where it is unknown."""
    table = _table(name, inventory)
    moment = at or inventory.taken_at
    ways = (_by_pitr(table, moment, wanted=at), *_by_points(table, policy, inventory, moment))
    return Recovery(table=table, ways=ways, measured=tuple(_measured(table, drills)))


def _table(name: str, inventory: Inventory) -> Table | Lost:
    found: list[Table | Lost] = [table for table in inventory.tables() if name in (table.name, table.arn)]
    found = found or [lost for lost in _lost(inventory) if name in (lost.name, lost.arn)]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(table.arn for table in found)
        raise UsageError(f"{name} is the name of {len(found)} tables", hint=f"name one by its ARN: {places}")
    known = ", ".join(sorted(table.name for table in inventory.tables())[:8]) or "none"
    raise UsageError(f"the inventory has no table {name}, and no recovery point of one", hint=f"it has {known}")


def _lost(inventory: Inventory) -> Iterator[Lost]:
    """Each table of which there are recovery points."""
    arns = {
        point.resource_arn
        for region in inventory.regions()
        for vault in (() if isinstance(region.vaults, Gap) else region.vaults)
        for point in (() if isinstance(vault.recovery_points, Gap) else vault.recovery_points)
        if ":table/" in point.resource_arn
    }
    for arn in sorted(arns):
        yield Lost(arn=arn, name=arn.rpartition("/")[2], region=arn.split(":")[3])


def _by_pitr(table: Table | Lost, moment: datetime, *, wanted: datetime | None) -> Way:
    if isinstance(table, Lost):
        return _by_system_backup(table)
    pitr = table.pitr
    if isinstance(pitr, Gap):
        return Way(name="point in time", moment=None, says=f"not known: {pitr}", command="")
    if not pitr.enabled or pitr.earliest is None or pitr.latest is None:
        return Way(name="point in time", moment=None, says="off: this way does not exist", command="")
    if wanted and not pitr.earliest <= wanted <= pitr.latest:
        says = f"{wanted:%Y-%m-%d %H:%M:%S} is outside the window, {_window(pitr)}"
        return Way(name="point in time", moment=None, says=says, command="")
    target = min(moment, pitr.latest)
    which = f"--restore-date-time {wanted.isoformat()}" if wanted else "--use-latest-restorable-time"
    command = (
        f"aws dynamodb restore-table-to-point-in-time --region {table.region} "
        f"--source-table-arn {table.arn} --target-table-name {_restored(table)} {which}"
    )
    return Way(name="point in time", moment=target, says=f"any second of {_window(pitr)}", command=command)


def _by_system_backup(table: Lost) -> Way:
    """DynamoDB keeps one for 35 days of a table that had PITR when it was deleted; an audit does not list it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    says = (
        "the inventory has no such table. If it was deleted with point-in-time recovery on, DynamoDB keeps a system "
        f"backup of its last state for 35 days: aws dynamodb list-backups --region {table.region} "
        f"--table-name {table.name} --backup-type SYSTEM"
    )
    return Way(name="system backup", moment=None, says=says, command="")


def _window(pitr: PitrStatus) -> str:
    return f"{pitr.earliest:%Y-%m-%d %H:%M:%S} to {pitr.latest:%Y-%m-%d %H:%M:%S} UTC"


def _by_points(table: Table | Lost, policy: Policy, inventory: Inventory, moment: datetime) -> Iterator[Way]:
    """The newest usable points up to the moment, region by region, the table's own first."""
    regions = sorted(inventory.regions(), key=lambda r: (r.region != table.region, r.account, r.region))
    for region in regions:
        if isinstance(region.vaults, Gap):
            yield Way(name=f"backups in {region.region}", moment=None, says=f"not known: {region.vaults}", command="")
            continue
        found: list[RecoveryPoint] = []
        for vault in region.vaults:
            if isinstance(vault.recovery_points, Gap):
                says = f"not known: {vault.recovery_points}"
                yield Way(name=f"{vault.name} in {region.region}", moment=None, says=says, command="")
                continue
            found += [p for p in vault.recovery_points if p.resource_arn == table.arn and _before(p, moment)]
        found.sort(key=lambda point: point.created, reverse=True)
        for point in found[:POINTS_SHOWN]:
            yield _point(point, table, policy)


def _before(point: RecoveryPoint, moment: datetime) -> bool:
    return point.usable and point.created <= moment


def _point(point: RecoveryPoint, table: Table | Lost, policy: Policy) -> Way:
    role = f"arn:aws:iam::{point.account}:role/{policy.roles.restore or 'RESTORE-ROLE'}"
    metadata = f'{{"targetTableName":"{_restored(table)}","encryptionType":"Default"}}'
    command = (
        f"aws backup start-restore-job --region {point.region} --recovery-point-arn {point.arn} "
        f"--iam-role-arn {role} --resource-type DynamoDB --metadata {shlex.quote(metadata)}"
    )
    storage = ", in cold storage: slower" if point.storage_class == "COLD" else ""
    earlier = isinstance(table, Table) and point.created < table.created
    storage += ", of an earlier table of this name" if earlier else ""
    return Way(
        name=f"{point.vault_name} in {point.region}",
        moment=point.created,
        says=f"{point.rule_name or 'on demand'}, {point.status}{storage}",
        command=command,
    )


def _restored(table: Table | Lost) -> str:
    """A new name: neither way can write over the table (API_RestoreTableToPointInTime, restoring-dynamodb)."""
    return f"{table.name}-restored"


def _measured(table: Table | Lost, drills: Sequence[DrillRecord]) -> Iterator[str]:
    latest: dict[str, DrillRecord] = {}
    for drill in drills:
        if drill.table_arn == table.arn and drill.active_minutes is not None:
            latest[drill.method] = drill
    for method, drill in sorted(latest.items()):
        mark = ", simulated" if drill.simulated else ""
        yield f"{method}: active after {drill.active_minutes:.0f} min on {drill.finished:%Y-%m-%d}{mark}"
    if not latest:
        yield "never measured: no drill of this table is on record"
