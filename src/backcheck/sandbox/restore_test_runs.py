"""Restore testing plans run: on their schedule they restore a recovery point of each resource, and delete the table.

https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from backcheck.cron import Cron
from backcheck.sandbox import restore_jobs, restore_metadata, tables
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.points import RecoveryPoint, point_in_vault
from backcheck.sandbox.world import Region, World
from backcheck.selection import matches

if TYPE_CHECKING:
    from backcheck.sandbox.restore_testing import RestoreTestingPlan

TAG = "awsbackup-restore-test"
"""'Resources that are part of a restore testing plan contain a tag called awsbackup-restore-test.' Its value is not
documented: here it is the plan's name."""

DEFAULT_WINDOW_DAYS = 30
LOOK_AHEAD = tuple(timedelta(days=days) for days in (0, 40, 400, 4000))
"""How far a schedule's next run is looked for, step by step."""


def follow(world: World, region: Region, plan: RestoreTestingPlan) -> None:
    """Enter the plan's next run into the diary, until the plan is changed or gone."""
    document = plan.document
    cron, zone = Cron.parse(document["ScheduleExpression"]), document["ScheduleExpressionTimezone"]

    def enter_next(since: datetime) -> None:
        at = next_run(cron, zone, since)
        if at is not None:
            world.clock.at(at, lambda: fire(at))

    def fire(at: datetime) -> None:
        if region.restore_testing.get(plan.name) is plan and plan.document is document:
            plan.last_execution = at
            _run(world, region, plan)
            enter_next(at + timedelta(seconds=1))

    enter_next(world.clock.now())


def next_run(cron: Cron, zone: str, since: datetime) -> datetime | None:
    """The first run from `since` on; None for a schedule that has none within ten years."""
    for near, far in pairwise(LOOK_AHEAD):
        found = next(cron.between(since + near, since + far, zone), None)
        if found is not None:
            return found
    return None


def _run(world: World, region: Region, plan: RestoreTestingPlan) -> None:
    """'AWS Backup [...] randomizes start times within this period.'"""
    now = world.clock.now()
    for name, chosen in list(plan.selections.items()):
        for arn in list(region.protected):
            window = timedelta(hours=plan.document["StartWindowHours"])
            delay = window * world.chance("restore test", plan.name, name, arn, now.isoformat()).random()
            world.clock.after(delay, partial(_test, world, region, plan, chosen.document, arn))


def _test(world: World, region: Region, plan: RestoreTestingPlan, chosen: Mapping[str, Any], arn: str) -> None:
    """'The selection window is calculated from the actual job execution time.'"""
    eligible = _eligible(world, region, plan.document["RecoveryPointSelection"], arn)
    if not eligible or not _selected(region, chosen, arn):
        return
    latest = plan.document["RecoveryPointSelection"]["Algorithm"] == "LATEST_WITHIN_WINDOW"
    point = eligible[-1] if latest else world.chance("point", arn, world.clock.now().isoformat()).choice(eligible)
    metadata = {**inferred(world), **(chosen.get("RestoreMetadataOverrides") or {})}
    readable = {name: value for name, value in metadata.items() if name != "deletionProtection"}
    order = restore_jobs.RestoreOrder(
        point=point,
        table_name=metadata["targetTableName"],
        encryption=restore_metadata.encryption(restore_metadata.read(readable)),
        role_arn=chosen["IamRoleArn"],
        metadata=metadata,
        tags={TAG: plan.name},
        testing_plan_arn=plan.arn,
    )
    hours = chosen.get("ValidationWindowHours") or 0

    def then(job: restore_jobs.RestoreJob) -> None:
        if job.state == "COMPLETED":
            world.clock.after(timedelta(hours=hours), lambda: clean_up(world, region, job))

    restore_jobs.create(world, region, order, then=then)


def inferred(world: World) -> dict[str, str]:
    """The metadata that AWS Backup makes up for a DynamoDB table."""
    name = f"{TAG}-{world.new_id()}"
    return {"deletionProtection": "false", "encryptionType": "Default", "targetTableName": name}


def clean_up(world: World, region: Region, job: restore_jobs.RestoreJob) -> None:
    """The window is over, or the result is in: the table goes. Without its tag AWS Backup cannot delete it."""
    if job.deletion is not None or job.table_arn is None:
        return
    if job.validation == "VALIDATING":
        job.validation = "TIMED_OUT"
    job.deletion = "DELETING"
    world.clock.after(timedelta(minutes=5), lambda: _delete(region, job, str(job.table_arn)))


def _delete(region: Region, job: restore_jobs.RestoreJob, arn: str) -> None:
    table = tables.table_of(region, arn)
    if table is not None and TAG not in tables.tags_of(table):
        job.deletion, job.deletion_message = "FAILED", f"{arn} does not have the tag {TAG}"
    elif table is not None and table.deletion_protection_enabled:
        job.deletion, job.deletion_message = "FAILED", f"{arn} is protected against deletion"
    else:
        job.deletion = "SUCCESSFUL"
        tables.delete(region, arn)


def _eligible(world: World, region: Region, wanted: Mapping[str, Any], arn: str) -> list[RecoveryPoint]:
    """Oldest first. A DynamoDB table has snapshots only."""
    since = world.clock.now() - timedelta(days=wanted.get("SelectionWindowDays", DEFAULT_WINDOW_DAYS))
    if "SNAPSHOT" not in wanted["RecoveryPointTypes"]:
        return []
    found = [
        point
        for point in region.points.values()
        if point.resource_arn == arn
        and point.usable
        and point.created >= since
        and _any_matches(wanted["IncludeVaults"], point.vault_arn)
        and not _any_matches(wanted.get("ExcludeVaults") or [], point.vault_arn)
    ]
    return sorted(found, key=lambda point: point.created)


def _any_matches(patterns: list[str], text: str) -> bool:
    return any(matches(pattern, text) for pattern in patterns)


def _selected(region: Region, chosen: Mapping[str, Any], arn: str) -> bool:
    """By ARN, or by 'the tags on the latest recovery point'."""
    arns = chosen.get("ProtectedResourceArns") or ["*"]
    if chosen["ProtectedResourceType"] != tables.TYPE or not ("*" in arns or arn in arns):
        return False
    conditions = chosen.get("ProtectedResourceConditions") or {}
    points = [point for point in region.points.values() if point.resource_arn == arn]
    tags = region.tags.get(max(points, key=lambda point: point.created).arn, {}) if points else {}
    equal, unequal = conditions.get("StringEquals") or [], conditions.get("StringNotEquals") or []
    return all(tags.get(_key(one)) == one["Value"] for one in equal) and all(
        tags.get(_key(one)) != one["Value"] for one in unequal
    )


def _key(condition: Mapping[str, str]) -> str:
    return condition["Key"].removeprefix("aws:ResourceTag/")


@operation("backup", "GetRestoreTestingInferredMetadata")
def get_inferred_metadata(call: Call) -> Reply:
    """What a restore test of this recovery point would be started with."""
    point_in_vault(call, "GetRestoreTestingInferredMetadata")
    return {"InferredMetadata": inferred(call.world)}
