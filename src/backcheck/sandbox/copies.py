"""Copy jobs, across Regions and accounts.

https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from backcheck.sandbox import keys, points, roles, tables, vault_access
from backcheck.sandbox.faults import JobFault, job_fault
from backcheck.sandbox.lifecycle import Lifecycle
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import in_period, page_of, shown
from backcheck.sandbox.refusal import invalid, invalid_request, not_found
from backcheck.sandbox.tagging import set_tags
from backcheck.sandbox.vaults import Vault
from backcheck.sandbox.world import Region, World

if TYPE_CHECKING:
    from backcheck.sandbox.jobs import BackupJob
    from backcheck.sandbox.plan_document import CopyAction


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOrder:
    """What a copy job is to do."""

    source: points.RecoveryPoint
    destination_vault_arn: str
    lifecycle: Lifecycle
    role_arn: str
    created_by: Mapping[str, Any] | None = None
    backup_job_id: str | None = None

    @classmethod
    def after_backup(cls, job: BackupJob, point: points.RecoveryPoint, action: CopyAction) -> CopyOrder:
        """The copy that a rule asks for. Without a lifecycle of its own it follows the source's."""
        return cls(
            source=point,
            destination_vault_arn=action.destination_vault_arn,
            lifecycle=action.lifecycle or point.lifecycle,
            role_arn=job.order.role_arn,
            created_by=job.order.created_by,
            backup_job_id=job.id,
        )


@dataclass(slots=True, kw_only=True)
class CopyJob:
    """One copy job; it is listed where it was started."""

    id: str
    order: CopyOrder
    source_vault_arn: str
    created: datetime
    state: str = "CREATED"
    completed: datetime | None = None
    point: points.RecoveryPoint | None = None
    message: str | None = None
    category: str | None = None
    token: str | None = None


def create(world: World, region: Region, order: CopyOrder, *, token: str | None = None) -> CopyJob | None:
    """A copy job that will run soon; None where a fault has lost it."""
    now = world.clock.now()
    rule = (order.created_by or {}).get("BackupRuleName", "")
    fault = job_fault(world.faults.copies, resource=order.source.resource_arn, rule=rule, created=now)
    if fault is not None and fault.outcome == "LOST":
        return None
    job = CopyJob(id=world.new_id(), order=order, source_vault_arn=order.source.vault_arn, created=now, token=token)
    region.copy_jobs[job.id] = job
    world.clock.after(timedelta(minutes=1), lambda: _start(world, region, job, fault))
    return job


def _start(world: World, region: Region, job: CopyJob, fault: JobFault | None) -> None:
    job.state = "RUNNING"
    if fault is not None and fault.outcome == "STUCK":
        return
    minutes = 5 + 25 * world.chance("copy", job.id).random()
    delay = timedelta(minutes=minutes) + world.faults.copy_lag
    world.clock.after(delay, lambda: _finish(world, region, job, fault))


def _finish(world: World, region: Region, job: CopyJob, fault: JobFault | None) -> None:
    problem = _problem(world, region, job.order)
    if problem is None and fault is not None and fault.outcome == "FAILED":
        problem = (fault.message or "The copy job failed", fault.category or "FAILED")
    if problem is not None:
        _end(world, job, "FAILED", *problem)
        return
    partial = fault is not None and fault.outcome == "PARTIAL"
    job.point = _copy(world, job, "PARTIAL" if partial else "COMPLETED")
    if fault is not None and partial:
        _end(world, job, "PARTIAL", fault.message or "The copy is partial", fault.category or "PARTIAL")
    else:
        _end(world, job, "COMPLETED", None, "SUCCESS")


def _problem(world: World, region: Region, order: CopyOrder) -> tuple[str, str] | None:
    """Why the copy fails, and the message's category; None if it does not."""
    account, name, vault_name = _destination(order.destination_vault_arn)
    vault = world.region(account, name).vaults.get(vault_name)
    source = order.source
    if source.arn not in region.points or not source.usable:
        return f"Source recovery point {source.arn} does not exist", "RESOURCE_NOT_FOUND"
    if vault is None:
        # The plan was accepted: only here it shows.
        return f"Destination backup vault {order.destination_vault_arn} does not exist", "RESOURCE_NOT_FOUND"
    elsewhere = (account, name) != (region.account, region.name)
    if elsewhere and source.storage_class == "COLD":
        # 'Copies of cold recovery points across Regions are not supported'; nor across accounts
        return "A recovery point in cold storage cannot be copied to another Region or account", "INVALIDPARAMETERS"
    if not source.managed:
        # Copies are among the advanced features (advanced-ddb-backup.html)
        return "Copies of DynamoDB backups without advanced features are not supported", "INVALIDPARAMETERS"
    if vault.lock is not None and (refused := vault.lock.refuses(order.lifecycle.delete_after_days)):
        return refused, "INVALIDPARAMETERS"
    if account != region.account and (refused_account := _cross_account_problem(world, region, order, vault)):
        return refused_account, "ACCESSDENIED"
    return _key_or_role_problem(region, order, vault, name)


def _key_or_role_problem(region: Region, order: CopyOrder, vault: Vault, name: str) -> tuple[str, str] | None:
    for where, key, place in (
        ("source", order.source.key_arn, region.name),
        ("destination", vault.key_arn, name),
    ):
        if key is not None and (broken := keys.unusable(key, place)):
            return f"The key of the {where} cannot be used: {broken}", "INVALIDPARAMETERS"
    # AWSBackupServiceRolePolicyForBackup has both; the guide's minimum for a copy is CopyIntoBackupVault.
    action = vault_access.COPY_INTO
    if denied := roles.unusable(order.role_arn, region.name, action=action, resource=order.destination_vault_arn):
        return denied, "ACCESSDENIED"
    return None


def _cross_account_problem(world: World, region: Region, order: CopyOrder, vault: Vault) -> str | None:
    account = vault.arn.split(":")[4]
    if not {account, region.account} <= world.organization:
        return f"Accounts {region.account} and {account} do not belong to the same organization"
    settings = world.global_settings.values if world.global_settings else {}
    if settings.get("isCrossAccountBackupEnabled") != "true":
        return "Cross-account backup is not enabled in the organization"
    allowed = vault_access.allows_copy(
        vault.policy, from_account=region.account, role_arn=order.role_arn, vault_arn=vault.arn
    )
    if not allowed:
        return f"The access policy of {vault.arn} does not allow {vault_access.COPY_INTO} from {region.account}"
    for where, key in (("source", order.source.key_arn), ("destination vault", vault.key_arn)):
        if key is not None and not keys.is_customer_managed(key):
            # encryption.html, 'copy-encryption': AWS managed keys cannot be shared with another account
            return f"The {where}'s key is managed by AWS and cannot be used across accounts"
    return None


def _copy(world: World, job: CopyJob, status: str) -> points.RecoveryPoint:
    order, source = job.order, job.order.source
    account, name, vault_name = _destination(order.destination_vault_arn)
    there = world.region(account, name)
    vault = there.vaults[vault_name]
    point = points.RecoveryPoint(
        arn=there.arn("backup", f"recovery-point:{world.new_id().upper()}"),
        vault_name=vault.name,
        vault_arn=vault.arn,
        resource_arn=source.resource_arn,
        role_arn=order.role_arn,
        created=job.created,
        completed=world.clock.now(),
        status=status,
        lifecycle=order.lifecycle,
        size_bytes=source.size_bytes,
        key_arn=vault.key_arn,  # 'AWS Backup re-encrypts your copy using the key of your destination vault'
        created_by=order.created_by,
        source_vault_arn=source.vault_arn,
        content=source.content,
        restore_metadata=source.restore_metadata,
    )
    there.points[point.arn] = point
    source_tags = world.region(source.arn.split(":")[4], source.arn.split(":")[3]).tags.get(source.arn)
    set_tags(there, point.arn, source_tags)
    points.keep(world, there, point)
    return point


def _destination(vault_arn: str) -> tuple[str, str, str]:
    _, _, _, region, account, _, name = vault_arn.split(":")
    return account, region, name


def _end(world: World, job: CopyJob, state: str, message: str | None, category: str) -> None:
    job.state, job.message, job.category = state, message, category
    job.completed = world.clock.now()


@operation("backup", "StartCopyJob")
def start_copy_job(call: Call) -> Reply:
    """A copy on demand. The source must be in the vault that is named."""
    params, region = call.params, call.region
    point = region.points.get(params["RecoveryPointArn"])
    if point is None or point.vault_name != params["SourceBackupVaultName"]:
        not_found(f"Cannot find recovery point {params['RecoveryPointArn']} in vault {params['SourceBackupVaultName']}")
    if not point.usable:
        invalid_request(f"Recovery point {point.arn} is {point.status}")
    if len(params["DestinationBackupVaultArn"].split(":")) != 7:
        invalid(f"Invalid destination backup vault ARN: {params['DestinationBackupVaultArn']}")
    for job in region.copy_jobs.values():
        if params.get("IdempotencyToken") and job.token == params["IdempotencyToken"]:
            return {"CopyJobId": job.id, "CreationDate": job.created, "IsParent": False}
    given = params.get("Lifecycle")
    order = CopyOrder(
        source=point,
        destination_vault_arn=params["DestinationBackupVaultArn"],
        lifecycle=Lifecycle.read(given, where="the copy") if given else point.lifecycle,
        role_arn=params["IamRoleArn"],
    )
    made = create(call.world, region, order, token=params.get("IdempotencyToken"))
    if made is None:
        invalid_request("A fault of the sandbox loses this copy")
    return {"CopyJobId": made.id, "CreationDate": made.created, "IsParent": False}


@operation("backup", "DescribeCopyJob")
def describe_copy_job(call: Call) -> Reply:
    """One copy job."""
    job = call.region.copy_jobs.get(call.params["CopyJobId"])
    if job is None:
        not_found(f"Copy job {call.params['CopyJobId']} not found")
    return {"CopyJob": shown(_row(call, job))}


@operation("backup", "ListCopyJobs")
def list_copy_jobs(call: Call) -> Reply:
    """Copy jobs that were started in this Region; the API names no limit of age."""
    jobs = [job for job in call.region.copy_jobs.values() if _wanted(call, job)]
    return page_of(call, "CopyJobs", jobs, lambda job: _row(call, job))


def _wanted(call: Call, job: CopyJob) -> bool:
    params, order = call.params, job.order
    category = params.get("ByMessageCategory")
    return (
        params.get("ByResourceArn") in (None, order.source.resource_arn)
        and params.get("ByState") in (None, job.state)
        and params.get("ByResourceType") in (None, tables.TYPE)
        and params.get("ByDestinationVaultArn") in (None, order.destination_vault_arn)
        and params.get("BySourceRecoveryPointArn") in (None, order.source.arn)
        and params.get("ByAccountId") in (None, "*", call.region.account)
        and params.get("ByParentJobId") is None
        and (category in (None, "*", "ANY", "AGGREGATE_ALL") or category == job.category)
        and in_period(call, job.created, "ByCreatedBefore", "ByCreatedAfter")
        and in_period(call, job.completed, "ByCompleteBefore", "ByCompleteAfter")
    )


def _row(call: Call, job: CopyJob) -> dict[str, Any]:
    order, point = job.order, job.point
    return {
        "AccountId": call.region.account,
        "CopyJobId": job.id,
        "SourceBackupVaultArn": job.source_vault_arn,
        "SourceRecoveryPointArn": order.source.arn,
        "DestinationBackupVaultArn": order.destination_vault_arn,
        "DestinationVaultType": "BACKUP_VAULT",
        "DestinationRecoveryPointArn": point.arn if point else None,
        "DestinationEncryptionKeyArn": point.key_arn if point else None,
        "DestinationRecoveryPointLifecycle": order.lifecycle.document(),
        "ResourceArn": order.source.resource_arn,
        "CreationDate": job.created,
        "CompletionDate": job.completed,
        "State": job.state,
        "StatusMessage": job.message,
        "BackupSizeInBytes": order.source.size_bytes,
        "IamRoleArn": order.role_arn,
        "CreatedBy": order.created_by,
        "CreatedByBackupJobId": order.backup_job_id,
        "ResourceType": tables.TYPE,
        "IsParent": False,
        "ResourceName": order.source.resource_arn.split("/", 1)[-1],
        "MessageCategory": job.category,
    }
