"""Backup jobs, on demand and by plan: from CREATED to wherever they end.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupJob.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from backcheck.sandbox import copies, keys, points, region_settings, roles, tables
from backcheck.sandbox.faults import JobFault, job_fault
from backcheck.sandbox.lifecycle import Lifecycle
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import in_period, page, shown
from backcheck.sandbox.refusal import Unsupported, invalid, invalid_request, not_found
from backcheck.sandbox.tagging import set_tags
from backcheck.sandbox.vaults import vault_of
from backcheck.sandbox.world import Region, World

if TYPE_CHECKING:
    from backcheck.sandbox.plans import CopyAction

LISTED_FOR = timedelta(days=30)
"""'Returns a list of existing backup jobs for an authenticated account for the last 30 days' (API_ListBackupJobs)."""

ENDED = frozenset({"ABORTED", "COMPLETED", "FAILED", "EXPIRED", "PARTIAL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a job is to do."""

    resource_arn: str
    vault_name: str
    role_arn: str
    start_window: timedelta
    completion_window: timedelta
    lifecycle: Lifecycle
    point_tags: Mapping[str, str] = field(default_factory=dict)
    copy_actions: tuple[CopyAction, ...] = ()
    created_by: Mapping[str, str] | None = None
    """The plan, version and rule; None on demand."""

    @property
    def rule_name(self) -> str:
        """The rule's name; empty on demand."""
        return (self.created_by or {}).get("BackupRuleName", "")


@dataclass(slots=True, kw_only=True)
class BackupJob:
    """One job."""

    id: str
    order: Order
    created: datetime
    state: str = "CREATED"
    started: datetime | None = None
    completed: datetime | None = None
    expected_completion: datetime | None = None
    point: points.RecoveryPoint | None = None
    message: str | None = None
    category: str | None = None
    token: str | None = None
    """The idempotency token of StartBackupJob."""

    @property
    def start_by(self) -> datetime:
        """'Calculated by adding the start window to the scheduled time.'"""
        return self.created + self.order.start_window


def create(world: World, region: Region, order: Order, *, token: str | None = None) -> BackupJob | None:
    """A job that will start within its window; None where a fault has lost it."""
    now = world.clock.now()
    fault = job_fault(world.faults.backups, resource=order.resource_arn, rule=order.rule_name, created=now)
    if fault is not None and fault.outcome == "LOST":
        return None
    job = BackupJob(id=world.new_id(), order=order, created=now, token=token)
    region.backup_jobs[job.id] = job
    if fault is not None and fault.outcome == "EXPIRED":
        world.clock.at(job.start_by, lambda: _end(world, job, "EXPIRED", fault.message or "Job expired", "EXPIRED"))
        return job
    # A job starts anywhere in its window; one on demand does not wait for it.
    longest = order.start_window if order.created_by else timedelta(minutes=2)
    delay = longest * world.chance("start", region.name, order.resource_arn, order.rule_name, now.isoformat()).random()
    world.clock.after(delay, lambda: _start(world, region, job, fault))
    return job


def _start(world: World, region: Region, job: BackupJob, fault: JobFault | None) -> None:
    if job.state != "CREATED":
        return
    now = world.clock.now()
    if problem := _problem(region, job.order):
        _end(world, job, "FAILED", *problem)
        return
    minutes = 3 + 12 * world.chance("backup", job.id).random()
    finish = min(now + timedelta(minutes=minutes), now + job.order.completion_window)
    job.state, job.started, job.expected_completion = "RUNNING", now, finish
    job.point = _point(world, region, job)
    region.points[job.point.arn] = job.point
    if fault is None or fault.outcome != "STUCK":
        world.clock.at(finish, lambda: _finish(world, region, job, fault))


def _problem(region: Region, order: Order) -> tuple[str, str] | None:
    """Why the job fails, and the message's category; None if it does not."""
    vault = region.vaults.get(order.vault_name)
    if vault is None:
        return f"Backup vault {order.vault_name} does not exist", "RESOURCE_NOT_FOUND"
    if tables.table_of(region, order.resource_arn) is None:
        return f"Table not found: {order.resource_arn}", "RESOURCE_NOT_FOUND"
    if vault.lock is not None and (refused := vault.lock.refuses(order.lifecycle.delete_after_days)):
        # 'backup and copy jobs to this vault with lifecycle retention periods [...] will fail' (vault-lock.html)
        return refused, "INVALIDPARAMETERS"
    # A custom role needs dynamodb:StartAwsBackupJob for advanced backups (amazondynamodb, UsageNotesAWS), and
    # dynamodb:CreateBackup for the others (AWSBackupServiceRolePolicyForBackup).
    advanced = region_settings.has_advanced_dynamodb(region)
    action = "dynamodb:StartAwsBackupJob" if advanced else "dynamodb:CreateBackup"
    if denied := roles.unusable(order.role_arn, region.name, action=action, resource=order.resource_arn):
        return denied, "ACCESSDENIED"
    if advanced and (broken := keys.unusable(vault.key_arn, region.name)):
        return f"The key of backup vault {vault.name} cannot be used: {broken}", "INVALIDPARAMETERS"
    return None


def _point(world: World, region: Region, job: BackupJob) -> points.RecoveryPoint:
    """CREATING: 'the backup process has started and is actively processing a backup for a recovery point'."""
    order, table = job.order, tables.table_of(region, job.order.resource_arn)
    vault = region.vaults[order.vault_name]
    advanced = region_settings.has_advanced_dynamodb(region)
    content = tables.content_of(region, table)
    # https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html, 'Encryption' and 'ARN'
    arn = (
        region.arn("backup", f"recovery-point:{world.new_id().upper()}")
        if advanced
        else f"{order.resource_arn}/backup/{int(world.clock.now().timestamp() * 1000):017d}-{world.new_id()[:8]}"
    )
    sse = table.sse_specification or {}
    point = points.RecoveryPoint(
        arn=arn,
        vault_name=vault.name,
        vault_arn=vault.arn,
        resource_arn=order.resource_arn,
        role_arn=order.role_arn,
        created=world.clock.now(),
        lifecycle=order.lifecycle,
        key_arn=vault.key_arn if advanced else sse.get("KMSMasterKeyId"),
        created_by=order.created_by,
        content=content,
        size_bytes=content.size_bytes,
        restore_metadata={
            "originalTableName": table.name,
            "encryptionType": "KMS" if sse.get("Enabled") else "Default",
        },
    )
    if advanced:  # 'Backups inherit tags from their source DynamoDB tables'
        inherited = {k: v for k, v in tables.tags_of(table).items() if not k.startswith("aws:")}
        set_tags(region, arn, {**inherited, **order.point_tags})
    return point


def _finish(world: World, region: Region, job: BackupJob, fault: JobFault | None) -> None:
    point = job.point
    if job.state != "RUNNING" or point is None:
        return
    outcome = fault.outcome if fault else "COMPLETED"
    message, category = (fault.message, fault.category) if fault else ("", "")
    if outcome in ("FAILED", "ABORTED"):
        points.discard(region, point)
        job.point = None
        _end(world, job, outcome, message or f"The backup job was {outcome.lower()}", category or outcome)
        return
    point.completed = world.clock.now()
    point.status = "PARTIAL" if outcome == "PARTIAL" else "COMPLETED"
    if outcome == "ISSUES":
        # 'Completed with issues' is COMPLETED with a MessageCategory other than SUCCESS (API_ListBackupJobs)
        message, category = message or "The backup job completed with issues", category or "PARTIALLY_BACKED_UP"
    _end(world, job, "PARTIAL" if outcome == "PARTIAL" else "COMPLETED", message or None, category or "SUCCESS")
    region.protected[point.resource_arn] = point
    points.keep(world, region, point)
    if point.usable:
        for action in job.order.copy_actions:
            copies.create(world, region, copies.CopyOrder.after_backup(job, point, action))


def _end(world: World, job: BackupJob, state: str, message: str | None, category: str) -> None:
    if job.state not in ENDED:
        job.state, job.message, job.category = state, message, category
        job.completed = world.clock.now()


@operation("backup", "StartBackupJob")
def start_backup_job(call: Call) -> Reply:
    """A job on demand, of a DynamoDB table."""
    params, region = call.params, call.region
    if params.get("LogicallyAirGappedBackupVaultArn") or params.get("BackupOptions") or params.get("Index"):
        raise Unsupported("air-gapped vaults, backup options and indexes")
    vault = vault_of(call, action="StartBackupJob")
    arn = params["ResourceArn"]
    if ":dynamodb:" not in arn:
        raise Unsupported(f"backups of {arn}; only DynamoDB tables exist here")
    if tables.table_of(region, arn) is None:
        invalid(f"Table not found: {arn}")
    _check_role(params["IamRoleArn"])
    for job in region.backup_jobs.values():
        if params.get("IdempotencyToken") and job.token == params["IdempotencyToken"]:
            return _started(job)
    made = create(
        world=call.world, region=region, order=_on_demand(params, vault.name), token=params.get("IdempotencyToken")
    )
    if made is None:
        raise Unsupported("a job on demand that a fault loses; give it another outcome")
    return _started(made)


def _on_demand(params: Mapping[str, Any], vault_name: str) -> Order:
    from backcheck.sandbox.plans import (
        DEFAULT_COMPLETION_WINDOW_MINUTES,
        DEFAULT_START_WINDOW_MINUTES,
        start_window,
        window,
    )

    start = params.get("StartWindowMinutes") or DEFAULT_START_WINDOW_MINUTES
    complete = params.get("CompleteWindowMinutes") or DEFAULT_COMPLETION_WINDOW_MINUTES
    return Order(
        resource_arn=params["ResourceArn"],
        vault_name=vault_name,
        role_arn=params["IamRoleArn"],
        start_window=start_window(start, "the job"),
        completion_window=window(complete, "CompleteWindowMinutes", "the job"),
        lifecycle=Lifecycle.read(params.get("Lifecycle"), where="the job"),
        point_tags=params.get("RecoveryPointTags") or {},
    )


def _check_role(arn: str) -> None:
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        invalid(f"Invalid IAM role ARN: {arn}")


def _started(job: BackupJob) -> Reply:
    arn = job.point.arn if job.point else None
    return shown({"BackupJobId": job.id, "CreationDate": job.created, "IsParent": False, "RecoveryPointArn": arn})


@operation("backup", "StopBackupJob")
def stop_backup_job(call: Call) -> Reply:
    """A job that has not ended is aborted, and leaves nothing."""
    job = _job_of(call)
    if job.state in ENDED:
        invalid_request(f"Backup job {job.id} is {job.state} and cannot be stopped")
    if job.point is not None:
        points.discard(call.region, job.point)
        job.point = None
    _end(call.world, job, "ABORTED", "Backup job was stopped by user.", "ABORTED")
    return {}


@operation("backup", "DescribeBackupJob")
def describe_backup_job(call: Call) -> Reply:
    """One job, however old."""
    return shown(_row(call, _job_of(call)))


@operation("backup", "ListBackupJobs")
def list_backup_jobs(call: Call) -> Reply:
    """The jobs of the last 30 days."""
    since = call.now - LISTED_FOR
    jobs = [job for job in call.region.backup_jobs.values() if job.created >= since and _wanted(call, job)]
    return page(call, "BackupJobs", [_row(call, job) for job in jobs])


def _wanted(call: Call, job: BackupJob) -> bool:
    params = call.params
    category = params.get("ByMessageCategory")
    return (
        params.get("ByResourceArn") in (None, job.order.resource_arn)
        and params.get("ByState") in (None, job.state)
        and params.get("ByBackupVaultName") in (None, job.order.vault_name)
        and params.get("ByResourceType") in (None, tables.TYPE)
        and params.get("ByAccountId") in (None, "*", call.region.account)
        and params.get("ByParentJobId") is None
        and (category in (None, "*", "ANY", "AGGREGATE_ALL") or category == job.category)
        and in_period(call, job.created, "ByCreatedBefore", "ByCreatedAfter")
        and in_period(call, job.completed, "ByCompleteBefore", "ByCompleteAfter")
    )


def _job_of(call: Call) -> BackupJob:
    job = call.region.backup_jobs.get(call.params["BackupJobId"])
    if job is None:
        not_found(f"Backup job {call.params['BackupJobId']} not found")
    return job


def _row(call: Call, job: BackupJob) -> dict[str, Any]:
    order, point, region = job.order, job.point, call.region
    return {
        "AccountId": region.account,
        "BackupJobId": job.id,
        "BackupVaultName": order.vault_name,
        "BackupVaultArn": region.arn("backup", f"backup-vault:{order.vault_name}"),
        "VaultType": "BACKUP_VAULT",
        "RecoveryPointArn": point.arn if point else None,
        "RecoveryPointLifecycle": order.lifecycle.document(),
        "EncryptionKeyArn": point.key_arn if point else None,
        "IsEncrypted": True if point else None,
        "ResourceArn": order.resource_arn,
        "CreationDate": job.created,
        "CompletionDate": job.completed,
        "State": job.state,
        "StatusMessage": job.message,
        "PercentDone": "100.0" if job.state == "COMPLETED" else "0.0",
        "BackupSizeInBytes": point.size_bytes if point and point.completed else 0,
        "IamRoleArn": order.role_arn,
        "CreatedBy": order.created_by,
        "ExpectedCompletionDate": job.expected_completion,
        "StartBy": job.start_by,
        "ResourceType": tables.TYPE,
        "BytesTransferred": point.size_bytes if point and point.completed else 0,
        "IsParent": False,
        "ResourceName": order.resource_arn.split("/", 1)[-1],
        "InitiationDate": job.started or job.created,
        "MessageCategory": job.category,
    }
