"""AWS Backup's vaults: at most five calls each, and pages of recovery points."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from backcheck.inventory.backup import Notifications, RecoveryPoint, Vault
from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.collect.plans import lifecycle
from backcheck.inventory.collect.reply import Reply
from backcheck.inventory.gap import Gap

NONE_THERE = ("ResourceNotFoundException",)
"""How the API says that a vault has no access policy, or no notifications."""

COLD_GRACE = timedelta(days=2)
"""AWS moves points to cold storage some time after they are due; one that is due since less decides nothing."""


async def vaults(calls: Calls, region: str, ours: frozenset[str], now: datetime) -> tuple[Vault, ...] | Gap:
    """Every vault of the region. Tags are asked of the vaults in `ours`, the policy's names."""
    listed = await calls.pages(
        "backup",
        "ListBackupVaults",
        region,
        lambda page: tuple(_listed(part, region, calls.account) for part in page.parts("BackupVaultList")),
    )
    if isinstance(listed, Gap):
        return listed
    return tuple(await asyncio.gather(*(_vault(calls, region, entry, ours, now) for entry in listed)))


async def _vault(calls: Calls, region: str, listed: Vault, ours: frozenset[str], now: datetime) -> Vault:
    name = listed.name
    policy, notifications, points, tags = await asyncio.gather(
        calls.maybe(
            "backup",
            "GetBackupVaultAccessPolicy",
            region,
            lambda reply: parse_document(reply.text("Policy")),
            about=name,
            BackupVaultName=name,
            absent=NONE_THERE,
        ),
        calls.maybe(
            "backup",
            "GetBackupVaultNotifications",
            region,
            _notifications,
            about=name,
            BackupVaultName=name,
            absent=NONE_THERE,
        ),
        _points(calls, region, name, now),
        _tags(calls, region, listed.arn, asked=name in ours),
    )
    return replace(listed, policy=policy, notifications=notifications, recovery_points=points, tags=tags)


def _listed(reply: Reply, region: str, account: str) -> Vault:
    """What the list says; `_vault` fills in the rest."""
    return Vault(
        arn=reply.text("BackupVaultArn"),
        name=reply.text("BackupVaultName"),
        region=region,
        account=account,
        type=reply.maybe_text("VaultType"),
        state=reply.maybe_text("VaultState"),
        key_arn=reply.maybe_text("EncryptionKeyArn"),
        locked=reply.maybe_flag("Locked") or False,
        min_retention_days=reply.maybe_number("MinRetentionDays"),
        max_retention_days=reply.maybe_number("MaxRetentionDays"),
        lock_date=reply.maybe_time("LockDate"),
        created=reply.maybe_time("CreationDate"),
        policy=None,
        notifications=None,
        recovery_points=(),
        tags={},
    )


def _notifications(reply: Reply) -> Notifications:
    return Notifications(topic_arn=reply.text("SNSTopicArn"), events=reply.texts("BackupVaultEvents"))


async def _tags(calls: Calls, region: str, arn: str, *, asked: bool) -> Mapping[str, str] | Gap:
    if not asked:
        return calls.not_asked("backup", "ListTags", region, arn)
    pages = await calls.pages(
        "backup", "ListTags", region, lambda page: tuple(page.strings("Tags").items()), about=arn, ResourceArn=arn
    )
    return pages if isinstance(pages, Gap) else dict(pages)


async def _points(calls: Calls, region: str, vault: str, now: datetime) -> tuple[RecoveryPoint, ...] | Gap:
    """The DynamoDB points of a vault, oldest first."""
    found = await calls.pages(
        "backup",
        "ListRecoveryPointsByBackupVault",
        region,
        lambda page: tuple(_point(part, region, calls.account, vault) for part in page.parts("RecoveryPoints")),
        about=vault,
        BackupVaultName=vault,
        ByResourceType="DynamoDB",
    )
    if isinstance(found, Gap):
        return found
    once = {point.arn: point for point in found}  # a list that changes while it is paged may say one point twice
    ordered = sorted(once.values(), key=lambda point: (point.created, point.arn))
    due = [point for point in ordered if point.usable and point.cold_at and point.cold_at + COLD_GRACE < now]
    if not due:
        return tuple(ordered)
    asked = max(due, key=lambda point: point.cold_at or point.created)
    storage = await _storage_class(calls, region, vault, asked.arn)
    return tuple(replace(point, storage_class=storage) if point is asked else point for point in ordered)


async def _storage_class(calls: Calls, region: str, vault: str, arn: str) -> str | None:
    """None where it could not be read: the Gap is in the ledger, and the point stays one that was not asked about."""
    found = await calls.one(
        "backup",
        "DescribeRecoveryPoint",
        region,
        lambda reply: reply.text("StorageClass"),
        about=arn,
        BackupVaultName=vault,
        RecoveryPointArn=arn,
    )
    return None if isinstance(found, Gap) else found


def _point(reply: Reply, region: str, account: str, vault: str) -> RecoveryPoint:
    delete, cold = lifecycle(reply.maybe_part("Lifecycle"))
    planned, creator = reply.maybe_part("CalculatedLifecycle"), reply.maybe_part("CreatedBy")
    return RecoveryPoint(
        arn=reply.text("RecoveryPointArn"),
        vault_name=reply.maybe_text("BackupVaultName") or vault,
        region=region,
        account=account,
        resource_arn=reply.text("ResourceArn"),
        resource_type=reply.maybe_text("ResourceType") or "",
        status=reply.text("Status"),
        created=reply.time("CreationDate"),
        completed=reply.time_after("CompletionDate", "CreationDate"),
        delete_after_days=delete,
        move_to_cold_after_days=cold,
        delete_at=planned.maybe_time("DeleteAt") if planned else None,
        cold_at=planned.maybe_time("MoveToColdStorageAt") if planned else None,
        storage_class=None,
        encrypted=reply.maybe_flag("IsEncrypted") or False,
        key_arn=reply.maybe_text("EncryptionKeyArn"),
        size_bytes=reply.maybe_number("BackupSizeInBytes"),
        plan_id=creator.maybe_text("BackupPlanId") if creator else None,
        plan_version=creator.maybe_text("BackupPlanVersion") if creator else None,
        rule_id=creator.maybe_text("BackupRuleId") if creator else None,
        rule_name=creator.maybe_text("BackupRuleName") if creator else None,
        source_vault_arn=reply.maybe_text("SourceBackupVaultArn"),
    )
