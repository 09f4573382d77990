"""Restore jobs: a table from a recovery point, with the items of the backup.

https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-dynamodb.html
Whether a name that is taken is refused at once or fails the job is not documented: here the job fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from backcheck.sandbox import keys, restore_metadata, restored, roles, tables
from backcheck.sandbox.faults import JobFault, job_fault
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import in_period, page, shown
from backcheck.sandbox.points import RecoveryPoint
from backcheck.sandbox.refusal import Refusal, invalid, invalid_request, not_found
from backcheck.sandbox.restored import Restored, Settings
from backcheck.sandbox.vault_access import check
from backcheck.sandbox.world import Region, World

ITEM_ACTIONS = ("BatchWriteItem", "PutItem", "UpdateItem", "DeleteItem", "GetItem", "Query", "Scan")
"""RestoreTableFromBackup needs these on the new table: amazondynamodb, backuprestore_IAM."""

ENDED = frozenset({"COMPLETED", "ABORTED", "FAILED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """What a job is to do."""

    point: RecoveryPoint
    table_name: str
    encryption: Mapping[str, Any] | None
    """moto's SSE specification; None: with a key that AWS owns."""
    role_arn: str
    metadata: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    testing_plan_arn: str | None = None


@dataclass(slots=True, kw_only=True)
class RestoreJob:
    """One job."""

    id: str
    order: RestoreOrder
    created: datetime
    state: str = "PENDING"
    completed: datetime | None = None
    table_arn: str | None = None
    message: str | None = None
    token: str | None = None
    validation: str | None = None
    validation_message: str | None = None
    deletion: str | None = None
    deletion_message: str | None = None


def create(
    world: World,
    region: Region,
    order: RestoreOrder,
    *,
    token: str | None = None,
    then: Callable[[RestoreJob], None] = lambda _: None,
) -> RestoreJob:
    """A job that starts within a minute; `then` is called when it has ended."""
    now = world.clock.now()
    fault = job_fault(world.faults.restores, resource=order.point.resource_arn, rule="", created=now)
    job = RestoreJob(id=world.new_id(), order=order, created=now, token=token)
    region.restore_jobs[job.id] = job
    delay = timedelta(minutes=1) * world.chance("restore job", job.id).random()
    world.clock.after(delay, lambda: _start(world, region, job, fault, then))
    return job


def _start(
    world: World, region: Region, job: RestoreJob, fault: JobFault | None, then: Callable[[RestoreJob], None]
) -> None:
    order, now = job.order, world.clock.now()
    problem = _problem(region, order, now)
    if problem is None and fault is not None and fault.outcome in ("FAILED", "ABORTED"):
        problem = fault.message or f"The restore job was {fault.outcome.lower()}"
    if problem is not None:
        _end(world, job, fault.outcome if fault and fault.outcome == "ABORTED" else "FAILED", problem)
        then(job)
        return
    job.state = "RUNNING"
    if fault is not None and fault.outcome == "STUCK":
        return
    active = now + restored.duration(world, order.table_name)
    table = _create_table(region, order, active)

    def finish() -> None:
        job.table_arn = table.table_arn
        _end(world, job, "COMPLETED", None)
        then(job)

    world.clock.at(active, finish)


def _create_table(region: Region, order: RestoreOrder, active: datetime) -> Any:
    point = order.point
    settings = replace(
        Settings.of(point.content.table), encryption=dict(order.encryption) if order.encryption else None
    )
    origin = Restored(
        source_table_arn=point.resource_arn,
        source_backup_arn=point.arn,
        as_of=point.created,
        active=active,
    )
    table = restored.create(region, order.table_name, settings, point.content.items, origin)
    table.tags = [{"Key": key, "Value": value} for key, value in order.tags.items()]
    return table


def _problem(region: Region, order: RestoreOrder, now: datetime) -> str | None:
    """Why the job fails; None if it does not."""
    point = order.point
    if point.arn not in region.points or not point.usable:
        return f"Recovery point {point.arn} does not exist"
    target = region.arn("dynamodb", f"table/{order.table_name}")
    for action, resource in _actions(point, target):
        if denied := roles.unusable(order.role_arn, region.name, action=action, resource=resource):
            return denied
    own = point.key_arn if point.managed else None
    wanted = (order.encryption or {}).get("KMSMasterKeyId")
    for what, key in (("recovery point", own), ("restored table", wanted)):
        if key is not None and (broken := keys.unusable(key, region.name)):
            return f"The key of the {what} cannot be used: {broken}"
    try:
        restored.refuse_target(region, order.table_name, now)
    except Refusal as refused:
        return str(refused.message)
    return None


def _actions(point: RecoveryPoint, target: str) -> list[tuple[str, str]]:
    """What the role must be allowed, on what: for advanced backups RestoreTableFromAwsBackup, for the others
    RestoreTableFromBackup on the backup and the item actions on the new table.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html asks for read and write
    permissions on the target with RestoreTableFromBackup and RestoreTableToPointInTime. Its example 8, a complete
    policy for advanced backups, has RestoreTableFromAwsBackup as the only action of a restore; so has
    UsageNotesAWS.html. AWSBackupServiceRolePolicyForRestores has the item actions, too: it serves both kinds. The
    caller's own rights are never asked here: whoever restores by PITR in the sandbox may.
    """
    items = [(f"dynamodb:{action}", target) for action in ITEM_ACTIONS]
    if point.managed:
        return [("dynamodb:RestoreTableFromAwsBackup", target)]
    return [("dynamodb:RestoreTableFromBackup", point.arn), *items]


def _end(world: World, job: RestoreJob, state: str, message: str | None) -> None:
    job.state, job.message, job.completed = state, message, world.clock.now()


@operation("backup", "StartRestoreJob")
def start_restore_job(call: Call) -> Reply:
    """A job on demand. What is wrong with the request is refused; what is wrong with the account fails the job."""
    params, region = call.params, call.region
    point = region.points.get(params["RecoveryPointArn"])
    if point is None:
        not_found(f"Cannot find recovery point {params['RecoveryPointArn']}")
    check(
        region.vaults[point.vault_name].policy, caller=call.caller, action="backup:StartRestoreJob", resource=point.arn
    )
    if not point.usable:
        invalid_request(f"Recovery point {point.arn} is {point.status}")
    if params.get("ResourceType") not in (None, tables.TYPE):
        invalid(f"The resource type of {point.arn} is {tables.TYPE}, not {params['ResourceType']}")
    for job in region.restore_jobs.values():
        if params.get("IdempotencyToken") and job.token == params["IdempotencyToken"]:
            return {"RestoreJobId": job.id}
    metadata = restore_metadata.read(params["Metadata"])
    order = RestoreOrder(
        point=point,
        table_name=metadata["targetTableName"],
        encryption=restore_metadata.encryption(metadata),
        role_arn=_role(params),
        metadata=params["Metadata"],
        tags=_tags(call, point),
    )
    return {"RestoreJobId": create(call.world, region, order, token=params.get("IdempotencyToken")).id}


def _role(params: Mapping[str, Any]) -> str:
    arn: str | None = params.get("IamRoleArn")
    if arn is None:
        raise Refusal("MissingParameterValueException", "Restores of DynamoDB tables need IamRoleArn")
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        invalid(f"Invalid IAM role ARN: {arn}")
    return arn


def _tags(call: Call, point: RecoveryPoint) -> Mapping[str, str]:
    """'This can only be applied to backups created through AWS Backup.'"""
    if not call.params.get("CopySourceTagsToRestoredResource"):
        return {}
    if not point.managed:
        invalid_request("CopySourceTagsToRestoredResource needs a backup with advanced features")
    return call.region.tags.get(point.arn, {})


@operation("backup", "DescribeRestoreJob")
def describe_restore_job(call: Call) -> Reply:
    """One job. While it has not ended, each look waits."""
    job = job_of(call)
    if job.state not in ENDED:
        call.world.clock.advance(seconds=restored.POLL.total_seconds())
    return shown(_row(call, job))


@operation("backup", "GetRestoreJobMetadata")
def get_restore_job_metadata(call: Call) -> Reply:
    """What the job was started with; for a restore test, what was inferred."""
    job = job_of(call)
    return {"RestoreJobId": job.id, "Metadata": dict(job.order.metadata)}


@operation("backup", "ListRestoreJobs")
def list_restore_jobs(call: Call) -> Reply:
    """Restore jobs of this Region; the API names no limit of age."""
    return page(
        call, "RestoreJobs", [_row(call, job) for job in call.region.restore_jobs.values() if _wanted(call, job)]
    )


@operation("backup", "ListRestoreJobsByProtectedResource")
def list_by_resource(call: Call) -> Reply:
    """The restore jobs of one resource's recovery points."""
    before, after = "ByRecoveryPointCreationDateBefore", "ByRecoveryPointCreationDateAfter"
    rows = [
        _row(call, job)
        for job in call.region.restore_jobs.values()
        if job.order.point.resource_arn == call.params["ResourceArn"]
        and call.params.get("ByStatus") in (None, job.state)
        and in_period(call, job.order.point.created, before, after)
    ]
    return page(call, "RestoreJobs", rows)


@operation("backup", "PutRestoreValidationResult")
def put_validation_result(call: Call) -> Reply:
    """'Once a validation status is set, it cannot be changed' (restore-testing-validation.html)."""
    from backcheck.sandbox import restore_test_runs

    job, status = job_of(call), call.params["ValidationStatus"]
    if job.order.testing_plan_arn is None:
        invalid_request(f"Restore job {job.id} is not a restore testing job")
    if job.state != "COMPLETED":
        invalid_request(f"Restore job {job.id} is {job.state}")
    if job.validation not in (None, "VALIDATING"):
        invalid_request(f"The validation status of restore job {job.id} is {job.validation} and cannot be changed")
    job.validation, job.validation_message = status, call.params.get("ValidationStatusMessage")
    if status != "VALIDATING":
        # 'The data will be deleted upon the completion of the validation script' (RestoreTestingSelectionForGet)
        call.world.clock.after(timedelta(minutes=1), lambda: restore_test_runs.clean_up(call.world, call.region, job))
    return {}


def job_of(call: Call) -> RestoreJob:
    """The job that a call names, or ResourceNotFoundException."""
    job = call.region.restore_jobs.get(call.params["RestoreJobId"])
    if job is None:
        not_found(f"Restore job {call.params['RestoreJobId']} not found")
    return job


def _wanted(call: Call, job: RestoreJob) -> bool:
    params = call.params
    return (
        params.get("ByAccountId") in (None, "*", call.region.account)
        and params.get("ByResourceType") in (None, tables.TYPE)
        and params.get("ByStatus") in (None, job.state)
        and params.get("ByRestoreTestingPlanArn") in (None, job.order.testing_plan_arn)
        and params.get("ByParentJobId") is None
        and in_period(call, job.created, "ByCreatedBefore", "ByCreatedAfter")
        and in_period(call, job.completed, "ByCompleteBefore", "ByCompleteAfter")
    )


def _row(call: Call, job: RestoreJob) -> dict[str, Any]:
    order, point = job.order, job.order.point
    testing = order.testing_plan_arn
    return {
        "AccountId": call.region.account,
        "RestoreJobId": job.id,
        "RecoveryPointArn": point.arn,
        "SourceResourceArn": point.resource_arn,
        "BackupVaultArn": point.vault_arn,
        "CreationDate": job.created,
        "CompletionDate": job.completed,
        "Status": job.state,
        "StatusMessage": job.message,
        "PercentDone": "100.00%" if job.state == "COMPLETED" else "0.00%",
        "BackupSizeInBytes": point.size_bytes,
        "IamRoleArn": order.role_arn,
        "CreatedResourceArn": job.table_arn,
        "ResourceType": tables.TYPE,
        "RecoveryPointCreationDate": point.created,
        "CreatedBy": {"RestoreTestingPlanArn": testing} if testing else None,
        "ValidationStatus": job.validation,
        "ValidationStatusMessage": job.validation_message,
        "DeletionStatus": job.deletion,
        "DeletionStatusMessage": job.deletion_message,
        "IsParent": False,
    }
