"""Backup vaults: their access policy, notifications and lock.

https://docs.aws.amazon.com/aws-backup/latest/devguide/vaults.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backcheck.sandbox import keys, vault_access
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page, shown
from backcheck.sandbox.refusal import (
    Unsupported,
    already_exists,
    invalid,
    invalid_request,
    limit_exceeded,
    not_found,
)
from backcheck.sandbox.tagging import set_tags
from backcheck.sandbox.vault_lock import Lock
from backcheck.sandbox.world import Region

MAX_VAULTS = 300
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html"""


@dataclass(slots=True, kw_only=True)
class Vault:
    """One vault."""

    name: str
    arn: str
    created: datetime
    key_arn: str
    """What its recovery points are encrypted with."""
    creator_request_id: str | None = None
    policy: str | None = None
    topic_arn: str | None = None
    events: list[str] = field(default_factory=list)
    lock: Lock | None = None


def vault_of(call: Call, *, action: str) -> Vault:
    """The vault that the call names. Its access policy may deny `action` to the caller."""
    account = call.params.get("BackupVaultAccountId")
    if account not in (None, call.region.account):
        raise Unsupported("vaults of another account")
    name = call.params["BackupVaultName"]
    vault = call.region.vaults.get(name)
    if vault is None:
        not_found(f"Backup vault {name} not found")
    vault_access.check(vault.policy, caller=call.caller, action=f"backup:{action}", resource=vault.arn)
    return vault


def number_of_points(region: Region, vault: Vault) -> int:
    """How many recovery points a vault holds."""
    return sum(point.vault_arn == vault.arn for point in region.points.values())


@operation("backup", "CreateBackupVault")
def create_vault(call: Call) -> Reply:
    """A vault with its key, which cannot be changed later. Without one AWS's managed key is used."""
    name = call.params["BackupVaultName"]
    region = call.region
    if name in region.vaults:
        already_exists(f"Backup vault with the same name already exists: {name}")
    if len(region.vaults) >= MAX_VAULTS:
        limit_exceeded(f"The account has {MAX_VAULTS} backup vaults in this Region")
    key = call.params.get("EncryptionKeyArn")
    vault = Vault(
        name=name,
        arn=region.arn("backup", f"backup-vault:{name}"),
        created=call.now,
        key_arn=keys.existing(region, key) if key else keys.managed(region),
        creator_request_id=call.params.get("CreatorRequestId"),
    )
    set_tags(region, vault.arn, call.params.get("BackupVaultTags"))
    region.vaults[name] = vault
    return {"BackupVaultName": name, "BackupVaultArn": vault.arn, "CreationDate": vault.created}


@operation("backup", "DescribeBackupVault")
def describe_vault(call: Call) -> Reply:
    """One vault, lock included."""
    return shown(_row(call.region, vault_of(call, action="DescribeBackupVault")))


@operation("backup", "ListBackupVaults")
def list_vaults(call: Call) -> Reply:
    """The Region's vaults; only vaults of type BACKUP_VAULT exist here, and none is shared."""
    rows = [_row(call.region, vault) for vault in call.region.vaults.values()]
    if call.params.get("ByVaultType") not in (None, "BACKUP_VAULT") or call.params.get("ByShared"):
        rows = []
    return page(call, "BackupVaultList", rows)


@operation("backup", "DeleteBackupVault")
def delete_vault(call: Call) -> Reply:
    """Only an empty vault can be deleted (API_DeleteBackupVault)."""
    vault = vault_of(call, action="DeleteBackupVault")
    if number_of_points(call.region, vault):
        invalid_request(f"Backup vault {vault.name} cannot be deleted: it contains recovery points")
    del call.region.vaults[vault.name]
    call.region.tags.pop(vault.arn, None)
    return {}


@operation("backup", "PutBackupVaultAccessPolicy")
def put_policy(call: Call) -> Reply:
    """Attach a resource policy."""
    vault = vault_of(call, action="PutBackupVaultAccessPolicy")
    policy = call.params.get("Policy")
    if not policy:
        invalid("Policy is missing")
    vault_access.validate(policy)
    vault.policy = policy
    return {}


@operation("backup", "GetBackupVaultAccessPolicy")
def get_policy(call: Call) -> Reply:
    """The resource policy, or ResourceNotFoundException where there is none."""
    vault = vault_of(call, action="GetBackupVaultAccessPolicy")
    if vault.policy is None:
        not_found(f"Backup vault {vault.name} has no access policy")
    return {"BackupVaultName": vault.name, "BackupVaultArn": vault.arn, "Policy": vault.policy}


@operation("backup", "DeleteBackupVaultAccessPolicy")
def delete_policy(call: Call) -> Reply:
    """Detach the resource policy."""
    vault_of(call, action="DeleteBackupVaultAccessPolicy").policy = None
    return {}


@operation("backup", "PutBackupVaultNotifications")
def put_notifications(call: Call) -> Reply:
    """Any event of the API's enumeration is taken; that some never fire is for an audit to know."""
    vault = vault_of(call, action="PutBackupVaultNotifications")
    vault.topic_arn, vault.events = call.params["SNSTopicArn"], list(call.params["BackupVaultEvents"])
    return {}


@operation("backup", "GetBackupVaultNotifications")
def get_notifications(call: Call) -> Reply:
    """The notifications, or ResourceNotFoundException where there are none."""
    vault = vault_of(call, action="GetBackupVaultNotifications")
    if vault.topic_arn is None:
        not_found(f"Failed reading notifications from database for Backup vault {vault.name}")
    reply = {"BackupVaultName": vault.name, "BackupVaultArn": vault.arn}
    return {**reply, "SNSTopicArn": vault.topic_arn, "BackupVaultEvents": vault.events}


@operation("backup", "DeleteBackupVaultNotifications")
def delete_notifications(call: Call) -> Reply:
    """Turn notifications off."""
    vault = vault_of(call, action="DeleteBackupVaultNotifications")
    vault.topic_arn, vault.events = None, []
    return {}


@operation("backup", "PutBackupVaultLockConfiguration")
def put_lock(call: Call) -> Reply:
    """Lock, or change a lock that is not yet immutable."""
    vault = vault_of(call, action="PutBackupVaultLockConfiguration")
    _refuse_if_immutable(vault, call.now)
    vault.lock = Lock.configured(
        min_days=call.params.get("MinRetentionDays"),
        max_days=call.params.get("MaxRetentionDays"),
        changeable_for_days=call.params.get("ChangeableForDays"),
        now=call.now,
    )
    return {}


@operation("backup", "DeleteBackupVaultLockConfiguration")
def delete_lock(call: Call) -> Reply:
    """Unlock: in governance mode always, in compliance mode until the lock date."""
    vault = vault_of(call, action="DeleteBackupVaultLockConfiguration")
    _refuse_if_immutable(vault, call.now)
    vault.lock = None
    return {}


def _refuse_if_immutable(vault: Vault, now: datetime) -> None:
    if vault.lock is not None and vault.lock.immutable(now):
        invalid_request(f"Vault Lock configuration of {vault.name} is immutable")


def _row(region: Region, vault: Vault) -> Mapping[str, Any]:
    lock = vault.lock
    return {
        "BackupVaultName": vault.name,
        "BackupVaultArn": vault.arn,
        "VaultType": "BACKUP_VAULT",
        "VaultState": "AVAILABLE",
        "EncryptionKeyArn": vault.key_arn,
        "CreationDate": vault.created,
        "CreatorRequestId": vault.creator_request_id,
        "NumberOfRecoveryPoints": number_of_points(region, vault),
        "Locked": lock is not None,
        "MinRetentionDays": lock.min_days if lock else None,
        "MaxRetentionDays": lock.max_days if lock else None,
        "LockDate": lock.lock_date if lock else None,
        "EncryptionKeyType": "CUSTOMER_MANAGED_KMS_KEY" if keys.is_customer_managed(vault.key_arn) else None,
    }
