"""The operations on backup jobs.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartBackupJob.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from backcheck.sandbox import points, tables
from backcheck.sandbox.jobs import ENDED, BackupJob, Order, create, end
from backcheck.sandbox.lifecycle import Lifecycle
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import in_period, page_of, shown
from backcheck.sandbox.plan_document import (
    DEFAULT_COMPLETION_WINDOW_MINUTES,
    DEFAULT_START_WINDOW_MINUTES,
    start_window,
    window,
)
from backcheck.sandbox.refusal import Unsupported, invalid, invalid_request, not_found
from backcheck.sandbox.vaults import vault_of

LISTED_FOR = timedelta(days=30)
"""'Returns a list of existing backup jobs for an authenticated account for the last 30 days' (API_ListBackupJobs)."""


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
    end(call.world, job, "ABORTED", "Backup job was stopped by user.", "ABORTED")
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
    return page_of(call, "BackupJobs", jobs, lambda job: _row(call, job))


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
