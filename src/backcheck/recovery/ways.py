"""The ways back: point-in-time recovery, and recovery points region by region, each with its command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from backcheck.controls.control import World
from backcheck.controls.roles import role_arn
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, PitrStatus, Table
from backcheck.policy.model import Method, Policy
from backcheck.recovery.keys import standing
from backcheck.recovery.table import Lost, Sought, restored_name

POINTS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way back."""

    name: str
    method: Method
    """The drill that goes this way."""
    moment: datetime | None
    """The state that comes back; None: it is not known whether this way exists, or it does not."""
    says: str
    command: str = ""
    """To paste; empty where there is none."""
    then: str = ""
    """To paste next: how to see that it is done."""
    key_usable: bool | None = True
    """Of the key that holds it; None: the key was not read."""

    @property
    def works(self) -> bool:
        """There is a command, and nothing is known that would make it fail."""
        return bool(self.command) and self.key_usable is not False


def by_pitr(table: Sought, moment: datetime, inventory: Inventory, world: World, *, wanted: datetime | None) -> Way:
    """Point-in-time recovery, to `wanted`, or to the latest second that it has where that is earlier."""
    if isinstance(table, Lost):
        return _by_system_backup(table)
    pitr = table.pitr
    if isinstance(pitr, Gap):
        return _no_pitr(f"not known: {pitr}")
    if not pitr.enabled or pitr.earliest is None or pitr.latest is None:
        return _no_pitr("off: this way does not exist")
    if wanted and wanted < pitr.earliest:
        return _no_pitr(f"{wanted:%Y-%m-%d %H:%M:%S} is outside the window, {_window(pitr)}")
    target = restored_name(table, table.region, inventory)
    # Never "the latest" where a moment was asked for: when the command is run, that may be after it.
    end = min(wanted, pitr.latest.replace(microsecond=0)) if wanted else None
    which = f"--restore-date-time {end.isoformat()}" if end else "--use-latest-restorable-time"
    key = standing(table.encryption_key_arn, world)
    says = f"any second of {_window(pitr)}{_short_of(pitr.latest, wanted, inventory.taken_at)}"
    return Way(
        name="point in time",
        method=Method.PITR,
        moment=min(moment, pitr.latest),
        says="; ".join((*key.says, says)),
        key_usable=key.usable,
        command=(
            f"aws dynamodb restore-table-to-point-in-time --region {table.region} "
            f"--source-table-arn {table.arn} --target-table-name {target} {which}"
        ),
        then=f"aws dynamodb wait table-exists --region {table.region} --table-name {target}",
    )


def _short_of(latest: datetime, wanted: datetime | None, now: datetime) -> str:
    """How much is missing of what was asked for; the window's end follows the clock, some five minutes behind.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    if wanted is None or wanted <= latest:
        return ""
    minutes = ceil((wanted - latest).total_seconds() / 60)
    if wanted > now:
        return f"; its end is {minutes} min before what you asked for, which is in the future of this inventory"
    asked = f"then run it with --restore-date-time {wanted.isoformat()}"
    return f"; {minutes} min before what you asked for: wait {minutes} min for the rest, {asked}"


def _no_pitr(says: str) -> Way:
    return Way(name="point in time", method=Method.PITR, moment=None, says=says)


def _by_system_backup(table: Lost) -> Way:
    """DynamoDB keeps one for 35 days of a table that had PITR when it was deleted; an audit does not list it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    says = (
        "the inventory has no such table. If it was deleted with point-in-time recovery on, DynamoDB keeps a system "
        f"backup of its last state for 35 days: aws dynamodb list-backups --region {table.region} "
        f"--table-name {table.name} --backup-type SYSTEM"
    )
    return Way(name="system backup", method=Method.PITR, moment=None, says=says)


def _window(pitr: PitrStatus) -> str:
    return f"{pitr.earliest:%Y-%m-%d %H:%M:%S} to {pitr.latest:%Y-%m-%d %H:%M:%S} UTC"


def by_points(table: Sought, inventory: Inventory, world: World, moment: datetime) -> Iterator[Way]:
    """The newest usable points up to the moment, as many of each region; what could not be listed is one way, too."""
    contents = _contents(inventory)
    for region in sorted(inventory.regions(), key=lambda r: (r.region != table.region, r.account, r.region)):
        method = Method.BACKUP if region.region == table.region else Method.DR_COPY
        if isinstance(region.vaults, Gap):
            yield Way(
                name=f"backups in {region.region}", method=method, moment=None, says=f"not known: {region.vaults}"
            )
            continue
        found: list[RecoveryPoint] = []
        for vault in region.vaults:
            if isinstance(vault.recovery_points, Gap):
                says = f"not known: {vault.recovery_points}"
                yield Way(name=f"{vault.name} in {region.region}", method=method, moment=None, says=says)
                continue
            found += [p for p in vault.recovery_points if p.resource_arn == table.arn and p.usable]
        held = [(contents.get(point.arn, point.created), point) for point in found]
        held = sorted((one for one in held if one[0] <= moment), key=lambda one: one[0], reverse=True)
        yield from _shown([_point(point, content, table, inventory, world, method) for content, point in held])


def _shown(ways: list[Way]) -> Iterator[Way]:
    """The first ones that work, and the first ones that do not: neither may hide the other."""
    yield from [way for way in ways if way.works][:POINTS_SHOWN]
    yield from [way for way in ways if not way.works][:POINTS_SHOWN]


def _contents(inventory: Inventory) -> Mapping[str, datetime]:
    """Of which moment a copy is, by its ARN: it holds what its source holds, and is made later."""
    sources = {point.arn: point.created for point in inventory.recovery_points()}
    jobs = (job for one in inventory.regions() if not isinstance(one.copy_jobs, Gap) for job in one.copy_jobs)
    return {
        job.destination_recovery_point_arn: sources[job.source_recovery_point_arn]
        for job in jobs
        if job.destination_recovery_point_arn and job.source_recovery_point_arn in sources
    }


def _point(
    point: RecoveryPoint, content: datetime, table: Sought, inventory: Inventory, world: World, method: Method
) -> Way:
    metadata, about_key = _metadata(point, table, inventory, world)
    key = standing(point.key_arn, world)
    says = [*key.says, f"{_made_by(point)}, {point.status}"]
    if content != point.created:
        says.append(f"copied at {point.created:%Y-%m-%d %H:%M:%S}")
    elif method is Method.DR_COPY:
        says.append("a copy: what it holds is older than this")
    if point.storage_class == "COLD":
        says.append("in cold storage: slower")
    if isinstance(table, Table) and content < table.created:
        says.append("of an earlier table of this name")
    says += about_key
    return Way(
        name=f"{point.vault_name} in {point.region}",
        method=method,
        moment=content,
        says=", ".join(says),
        key_usable=key.usable,
        command=(
            f"aws backup start-restore-job --region {point.region} --recovery-point-arn {point.arn} "
            f"--iam-role-arn {_role(point, table, world.policy, inventory)} --resource-type DynamoDB "
            f"--metadata {shlex.quote(json.dumps(metadata, separators=(',', ':')))}"
        ),
        then=f"aws backup describe-restore-job --region {point.region} --restore-job-id THE-ID-THAT-IT-PRINTS",
    )


def _made_by(point: RecoveryPoint) -> str:
    """AWS leaves the rule out of copies within an account."""
    if point.rule_name or point.rule_id:
        return point.rule_name or f"rule {point.rule_id}"
    return "copy" if point.source_vault_arn else "on demand or copied"


def _metadata(
    point: RecoveryPoint, table: Sought, inventory: Inventory, world: World
) -> tuple[dict[str, str], list[str]]:
    """The restore's metadata, with the table's own key where it can be used, and what else is to be said of the key.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-dynamodb.html
    """
    target = {"targetTableName": restored_name(table, point.region, inventory)}
    key = table.encryption_key_arn if isinstance(table, Table) else None
    broken = standing(key, world).usable is False
    if key and key.split(":")[3] == point.region and not broken:
        return {**target, "encryptionType": "KMS", "kmsMasterKeyArn": key}, []
    why = "cannot be used" if broken else f"is in {key.split(':')[3]}" if key else ""
    about = [f"comes back under AWS's own key: the table's {why}"] if key else []
    about += ["which key the table had is not known"] if isinstance(table, Lost) else []
    return {**target, "encryptionType": "Default"}, about


def _role(point: RecoveryPoint, table: Sought, policy: Policy, inventory: Inventory) -> str:
    at_home = table.arn.split(":")[3:5] == [point.region, point.account]
    name = policy.roles.restore if at_home else policy.roles.restore_away
    return role_arn(name or "RESTORE-ROLE", point.account, point.arn.split(":")[1], inventory)
