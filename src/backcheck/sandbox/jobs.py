"""Backup jobs, on demand and by plan: from CREATED to wherever they end.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupJob.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backcheck.sandbox import copies, keys, points, region_settings, roles, tables
from backcheck.sandbox.faults import JobFault, job_fault
from backcheck.sandbox.lifecycle import Lifecycle
from backcheck.sandbox.tagging import set_tags
from backcheck.sandbox.world import Region, World

if TYPE_CHECKING:
    from backcheck.sandbox.plan_document import CopyAction

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
        world.clock.at(job.start_by, lambda: end(world, job, "EXPIRED", fault.message or "Job expired", "EXPIRED"))
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
        end(world, job, "FAILED", *problem)
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
        end(world, job, outcome, message or f"The backup job was {outcome.lower()}", category or outcome)
        return
    point.completed = world.clock.now()
    point.status = "PARTIAL" if outcome == "PARTIAL" else "COMPLETED"
    if outcome == "ISSUES":
        # 'Completed with issues' is COMPLETED with a MessageCategory other than SUCCESS (API_ListBackupJobs)
        message, category = message or "The backup job completed with issues", category or "PARTIALLY_BACKED_UP"
    end(world, job, "PARTIAL" if outcome == "PARTIAL" else "COMPLETED", message or None, category or "SUCCESS")
    region.protected[point.resource_arn] = point
    points.keep(world, region, point)
    if point.usable:
        for action in job.order.copy_actions:
            copies.create(world, region, copies.CopyOrder.after_backup(job, point, action))


def end(world: World, job: BackupJob, state: str, message: str | None, category: str) -> None:
    """Let a job end, unless it has."""
    if job.state not in ENDED:
        job.state, job.message, job.category = state, message, category
        job.completed = world.clock.now()
