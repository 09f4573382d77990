"""What cannot be true in an inventory: a snapshot with any of it was damaged or changed, and is no evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from backcheck.inventory.backup import BackupJob, CopyJob, RecoveryPoint, RestoreJob, Vault
from backcheck.inventory.gap import Gap, known
from backcheck.inventory.model import AccountInventory, Inventory, RegionInventory, Table

Timed = BackupJob | CopyJob | RestoreJob | RecoveryPoint

CLOCKS_APART = timedelta(hours=1)
"""AWS refuses a request that is signed 15 minutes off its own clock; reading a large account takes some time, too."""

ANSWERS = {
    "table_names": "dynamodb:ListTables",
    "plans": "backup:ListBackupPlans",
    "vaults": "backup:ListBackupVaults",
    "settings": "backup:DescribeRegionSettings",
    "protected": "backup:ListProtectedResources",
    "backup_jobs": "backup:ListBackupJobs",
    "copy_jobs": "backup:ListCopyJobs",
    "restore_jobs": "backup:ListRestoreJobs",
    "restore_testing": "backup:ListRestoreTestingPlans",
    "rules": "events:ListRules",
    "alarms": "cloudwatch:DescribeAlarms",
    "changes": "cloudtrail:LookupEvents",
}
"""Field of a region to the call that answers it."""


def contradictions(inventory: Inventory) -> Iterator[str]:
    """Each thing that cannot be true, in a few words."""
    yield from _twice("account", (account.id for account in inventory.accounts))
    made = {(one.account, one.region, f"{one.service}:{one.operation}") for one in inventory.calls if one.calls}
    for account in inventory.accounts:
        yield from _twice(f"region of {account.id}", (one.region for one in account.regions))
        # The clock of a simulated account may be ahead of ours.
        taken_at = None if account.simulated else inventory.taken_at
        for region in account.regions:
            where = f"in {region.region} of {account.id}"
            yield from (f"{what} {where}" for what in _of_region(region, account, taken_at, made))


def _of_region(
    region: RegionInventory, account: AccountInventory, taken_at: datetime | None, made: set[tuple[str, str, str]]
) -> Iterator[str]:
    if region.account != account.id:
        yield f"a region of account {region.account}"
    for field, call in ANSWERS.items():
        if not isinstance(getattr(region, field), Gap) and (account.id, region.region, call) not in made:
            yield f"{field} without a call of {call} in the ledger"
    yield from _twice("table", (table.arn for table in region.tables if isinstance(table, Table)))
    yield from _twice("plan", (plan.arn for plan in known(region.plans) or ()))
    vaults = known(region.vaults) or ()
    yield from _twice("vault", (vault.arn for vault in vaults))
    for vault in vaults:
        yield from _of_points(vault, known(vault.recovery_points) or (), taken_at)
    jobs: tuple[tuple[str, tuple[BackupJob | CopyJob | RestoreJob, ...]], ...] = (
        ("backup job", known(region.backup_jobs) or ()),
        ("copy job", known(region.copy_jobs) or ()),
        ("restore job", known(region.restore_jobs) or ()),
    )
    for word, found in jobs:
        yield from _twice(word, (job.id for job in found))
        for job in found:
            yield from _untimely(f"{word} {job.id}", job, taken_at)


def _of_points(vault: Vault, points: tuple[RecoveryPoint, ...], taken_at: datetime | None) -> Iterator[str]:
    yield from _twice(f"recovery point of vault {vault.name}", (point.arn for point in points))
    for point in points:
        name = f"recovery point {point.arn}"
        if (point.account, point.region) != (vault.account, vault.region):
            yield f"{name} of {point.region} of {point.account} in vault {vault.name}"
        if ":dynamodb:" in point.resource_arn and point.resource_type not in ("DynamoDB", ""):
            yield f"{name} of a table, with the resource type {point.resource_type}"
        yield from _untimely(name, point, taken_at)


def _untimely(name: str, one: Timed, taken_at: datetime | None) -> Iterator[str]:
    if one.completed is not None and one.created - one.completed > CLOCKS_APART:
        yield f"{name} completed {one.completed} before it was created, {one.created},"
    if taken_at and max(one.created, one.completed or one.created) - taken_at > CLOCKS_APART:
        yield f"{name} from after the snapshot was taken"


def _twice(word: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"the {word} {name} {count} times"
