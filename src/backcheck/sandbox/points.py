"""Recovery points: what a job leaves behind, how it ages, and how it goes.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRecoveryPoint.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backcheck.sandbox import holds, roles, tables
from backcheck.sandbox.lifecycle import Lifecycle
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import in_period, page, page_of, shown
from backcheck.sandbox.refusal import Refusal, invalid_request, not_found
from backcheck.sandbox.tables import Content
from backcheck.sandbox.vault_access import check
from backcheck.sandbox.vaults import Vault, vault_of
from backcheck.sandbox.world import Region, World

DELETION_SPREAD = timedelta(hours=8)
"""'... at a randomly chosen point over the following 8 hours' (create-cross-account-backup.html)."""


@dataclass(slots=True, kw_only=True)
class RecoveryPoint:
    """One recovery point, in one vault."""

    arn: str
    vault_name: str
    vault_arn: str
    resource_arn: str
    resource_type: str = tables.TYPE
    role_arn: str
    created: datetime
    """When its job started: retention counts from here (plan-options-and-configuration)."""
    completed: datetime | None = None
    status: str = "CREATING"
    status_message: str | None = None
    lifecycle: Lifecycle
    storage_class: str = "WARM"
    size_bytes: int = 0
    key_arn: str | None
    created_by: Mapping[str, Any] | None = None
    source_vault_arn: str | None = None
    content: Content
    """What a restore would bring back."""
    restore_metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def managed(self) -> bool:
        """Fully managed by AWS Backup (`arn:aws:backup`): cold storage, tags and copies need it."""
        return self.arn.split(":")[2] == "backup"

    @property
    def usable(self) -> bool:
        """Whether it can be restored and copied."""
        return self.status in ("COMPLETED", "AVAILABLE")


def keep(world: World, region: Region, point: RecoveryPoint) -> None:
    """Put a completed point into its vault's diary: cold at its time, gone at its time."""
    cold = point.lifecycle.cold_at(point.created)
    if cold is not None and point.managed:  # 'Backup ignores this expression for other resource types' (API_Lifecycle)
        world.clock.at(cold, lambda: _go_cold(world, point))
    gone = point.lifecycle.delete_at(point.created)
    if gone is not None:
        spread = DELETION_SPREAD * world.chance("deletion", point.arn).random()
        world.clock.at(gone + spread, lambda: _expire(world, region, point))


def discard(region: Region, point: RecoveryPoint) -> None:
    """Take it out of the world, whatever protects it. `protected` still remembers it."""
    region.points.pop(point.arn, None)
    region.tags.pop(point.arn, None)


def _go_cold(world: World, point: RecoveryPoint) -> None:
    cold = point.lifecycle.cold_at(point.created)
    if cold is not None and cold <= world.clock.now() and point.usable:
        point.storage_class = "COLD"


def _expire(world: World, region: Region, point: RecoveryPoint) -> None:
    """EXPIRED: 'exceeded its retention period, but AWS Backup lacks permission or is otherwise unable to delete it'."""
    gone = point.lifecycle.delete_at(point.created)
    if point.arn not in region.points or gone is None or gone > world.clock.now():
        return
    if holds.holding(region, point):
        return
    if roles.find(point.role_arn, region.name) is None:
        point.status, point.status_message = "EXPIRED", f"IAM role {point.role_arn} does not exist"
        return
    discard(region, point)


@operation("backup", "DescribeRecoveryPoint")
def describe_point(call: Call) -> Reply:
    """One recovery point, with its storage class."""
    point = point_in_vault(call, "DescribeRecoveryPoint")
    return shown({**_details(point), "StorageClass": point.storage_class})


@operation("backup", "ListRecoveryPointsByBackupVault")
def list_by_vault(call: Call) -> Reply:
    """A vault's recovery points, in whatever state; the storage class is only in DescribeRecoveryPoint."""
    vault = vault_of(call, action="ListRecoveryPointsByBackupVault")
    params = call.params
    wanted = [
        point
        for point in call.region.points.values()
        if point.vault_arn == vault.arn
        and params.get("ByResourceArn") in (None, point.resource_arn)
        and params.get("ByResourceType") in (None, point.resource_type)
        and params.get("ByBackupPlanId") in (None, (point.created_by or {}).get("BackupPlanId"))
        and params.get("ByParentRecoveryPointArn") is None
        and in_period(call, point.created, "ByCreatedBefore", "ByCreatedAfter")
    ]
    return page_of(call, "RecoveryPoints", wanted, _details)


@operation("backup", "ListRecoveryPointsByResource")
def list_by_resource(call: Call) -> Reply:
    """A resource's recovery points of this Region, copies included."""
    rows = [
        {
            "RecoveryPointArn": point.arn,
            "CreationDate": point.created,
            "Status": point.status,
            "StatusMessage": point.status_message,
            "EncryptionKeyArn": point.key_arn,
            "BackupSizeBytes": point.size_bytes,
            "BackupVaultName": point.vault_name,
            "IsParent": False,
            "ResourceName": _name(point.resource_arn),
            "VaultType": "BACKUP_VAULT",
        }
        for point in call.region.points.values()
        if point.resource_arn == call.params["ResourceArn"]
    ]
    return page(call, "RecoveryPoints", rows)


@operation("backup", "DeleteRecoveryPoint")
def delete_point(call: Call) -> Reply:
    """Refused by the vault's policy, by its lock (for everybody) and by legal holds."""
    point = point_in_vault(call, "DeleteRecoveryPoint")
    vault = call.region.vaults[point.vault_name]
    _refuse_if_locked(vault, "deleted")
    if held := holds.holding(call.region, point):
        invalid_request(f"Recovery point {point.arn} is under legal hold {held}")
    if point.status in ("CREATING", "DELETING"):
        raise Refusal("InvalidResourceStateException", f"Recovery point {point.arn} is {point.status}")
    if roles.find(point.role_arn, call.region.name) is None:
        # 'an HTTP 200 response [...] but the recovery point is not deleted. Instead, it enters an EXPIRED state.'
        point.status, point.status_message = "EXPIRED", f"IAM role {point.role_arn} does not exist"
        return {}
    discard(call.region, point)
    return {}


@operation("backup", "UpdateRecoveryPointLifecycle")
def update_lifecycle(call: Call) -> Reply:
    """Refused in a locked vault. 'Not including them may result in your plan updating with null values.'"""
    point = point_in_vault(call, "UpdateRecoveryPointLifecycle")
    _refuse_if_locked(call.region.vaults[point.vault_name], "changed")
    if not point.managed:
        raise Refusal("InvalidRequestException", "The lifecycle of this recovery point is not managed by AWS Backup")
    lifecycle = Lifecycle.read(call.params.get("Lifecycle"), where="UpdateRecoveryPointLifecycle")
    if point.storage_class == "COLD" and lifecycle.cold_after_days != point.lifecycle.cold_after_days:
        invalid_request("MoveToColdStorageAfterDays cannot be changed after a backup has been transitioned to cold")
    point.lifecycle = lifecycle
    keep(call.world, call.region, point)
    reply = {"BackupVaultArn": point.vault_arn, "RecoveryPointArn": point.arn}
    return shown({**reply, "Lifecycle": lifecycle.document(), "CalculatedLifecycle": _calculated(point)})


@operation("backup", "GetRecoveryPointRestoreMetadata")
def restore_metadata(call: Call) -> Reply:
    """The metadata 'used to create the backup'."""
    point = point_in_vault(call, "GetRecoveryPointRestoreMetadata")
    return {
        "BackupVaultArn": point.vault_arn,
        "RecoveryPointArn": point.arn,
        "RestoreMetadata": dict(point.restore_metadata),
        "ResourceType": point.resource_type,
    }


@operation("backup", "ListProtectedResources")
def list_protected(call: Call) -> Reply:
    """Whatever was ever backed up, in any state of its recovery points: no proof of coverage."""
    return page(call, "Results", [_protected(point) for point in call.region.protected.values()])


@operation("backup", "DescribeProtectedResource")
def describe_protected(call: Call) -> Reply:
    """One resource that was ever backed up."""
    point = call.region.protected.get(call.params["ResourceArn"])
    if point is None:
        not_found(f"Resource {call.params['ResourceArn']} is not protected")
    return _protected(point)


def _protected(point: RecoveryPoint) -> dict[str, Any]:
    return {
        "ResourceArn": point.resource_arn,
        "ResourceType": point.resource_type,
        "LastBackupTime": point.completed or point.created,
        "ResourceName": _name(point.resource_arn),
        "LastBackupVaultArn": point.vault_arn,
        "LastRecoveryPointArn": point.arn,
    }


def point_in_vault(call: Call, action: str) -> RecoveryPoint:
    """The point that a call names, if the vault's policy does not deny `action`."""
    vault = vault_of(call, action=action)
    point = call.region.points.get(call.params["RecoveryPointArn"])
    if point is None or point.vault_arn != vault.arn:
        not_found(f"Cannot find recovery point {call.params['RecoveryPointArn']} in vault {vault.name}")
    check(vault.policy, caller=call.caller, action=f"backup:{action}", resource=point.arn)
    return point


def _refuse_if_locked(vault: Vault, done: str) -> None:
    """'If any user (including the root user) attempts to delete a backup or change the lifecycle properties in a
    locked vault, AWS Backup will deny the operation' (vault-lock.html).
    """
    if vault.lock is not None:
        message = f"Recovery points of backup vault {vault.name} cannot be {done}: the vault is locked"
        raise Refusal("InvalidRequestException", message)


def _details(point: RecoveryPoint) -> dict[str, Any]:
    return {
        "RecoveryPointArn": point.arn,
        "BackupVaultName": point.vault_name,
        "BackupVaultArn": point.vault_arn,
        "SourceBackupVaultArn": point.source_vault_arn,
        "ResourceArn": point.resource_arn,
        "ResourceType": point.resource_type,
        "CreatedBy": point.created_by,
        "IamRoleArn": point.role_arn,
        "Status": point.status,
        "StatusMessage": point.status_message,
        "CreationDate": point.created,
        "InitiationDate": point.created,
        "CompletionDate": point.completed,
        "BackupSizeInBytes": point.size_bytes,
        "CalculatedLifecycle": _calculated(point),
        "Lifecycle": point.lifecycle.document(),
        "EncryptionKeyArn": point.key_arn,
        "IsEncrypted": True,
        "IsParent": False,
        "ResourceName": _name(point.resource_arn),
        "VaultType": "BACKUP_VAULT",
    }


def _calculated(point: RecoveryPoint) -> dict[str, Any] | None:
    cold = point.lifecycle.cold_at(point.created) if point.managed else None
    moments = {"MoveToColdStorageAt": cold, "DeleteAt": point.lifecycle.delete_at(point.created)}
    return {name: moment for name, moment in moments.items() if moment is not None} or None


def _name(resource_arn: str) -> str:
    return resource_arn.split("/", 1)[-1]
