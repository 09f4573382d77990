"""AWS Backup's jobs, settings and protected resources: one list each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from backcheck.inventory.backup import (
    BackupJob,
    CopyJob,
    ProtectedResource,
    RegionSettings,
    RestoreJob,
    RestoreTestingPlan,
    RestoreTestingPoints,
    RestoreTestingSelection,
)
from backcheck.inventory.collect.calls import Calls, all_or_gap
from backcheck.inventory.collect.reply import Reply
from backcheck.inventory.gap import Gap

DYNAMODB = "DynamoDB"

J = TypeVar("J", BackupJob, CopyJob, RestoreJob)


async def settings(calls: Calls, region: str) -> RegionSettings | Gap:
    """Which resource types are opted in, and which AWS Backup manages fully."""
    return await calls.one("backup", "DescribeRegionSettings", region, _settings)


async def protected(calls: Calls, region: str) -> tuple[ProtectedResource, ...] | Gap:
    """DynamoDB tables that have a recovery point in any state."""
    return await calls.pages("backup", "ListProtectedResources", region, _protected)


async def backup_jobs(calls: Calls, region: str) -> tuple[BackupJob, ...] | Gap:
    """Backup jobs of the last 30 days."""
    return await _jobs(calls, region, "ListBackupJobs", "BackupJobs", _backup_job)


async def copy_jobs(calls: Calls, region: str) -> tuple[CopyJob, ...] | Gap:
    """Copy jobs of the last 30 days; AWS lists them in the source's region."""
    return await _jobs(calls, region, "ListCopyJobs", "CopyJobs", _copy_job)


async def restore_jobs(calls: Calls, region: str) -> tuple[RestoreJob, ...] | Gap:
    """Restore jobs of the last 30 days."""
    return await _jobs(calls, region, "ListRestoreJobs", "RestoreJobs", _restore_job)


async def _jobs(
    calls: Calls, region: str, operation: str, key: str, parse: Callable[[Reply], J]
) -> tuple[J, ...] | Gap:
    """A list that changes while it is paged may say one job twice: the later page's word is the newer one."""
    found = await calls.pages(
        "backup", operation, region, lambda page: tuple(map(parse, page.parts(key))), ByResourceType=DYNAMODB
    )
    return found if isinstance(found, Gap) else tuple({job.id: job for job in found}.values())


async def restore_testing(calls: Calls, region: str) -> tuple[RestoreTestingPlan, ...] | Gap:
    """AWS's own restore testing plans, with what they restore."""
    listed = await calls.pages(
        "backup",
        "ListRestoreTestingPlans",
        region,
        lambda page: tuple(_testing_listed(part) for part in page.parts("RestoreTestingPlans")),
    )
    if isinstance(listed, Gap):
        return listed
    return tuple(await asyncio.gather(*(_testing_plan(calls, region, entry) for entry in listed)))


async def _testing_plan(calls: Calls, region: str, listed: RestoreTestingPlan) -> RestoreTestingPlan:
    takes, selections = await asyncio.gather(
        _testing_points(calls, region, listed.name), _testing_selections(calls, region, listed.name)
    )
    return replace(listed, takes=takes, selections=selections)


async def _testing_points(calls: Calls, region: str, plan: str) -> RestoreTestingPoints | Gap:
    return await calls.one(
        "backup",
        "GetRestoreTestingPlan",
        region,
        lambda reply: _parsed_points(reply.part("RestoreTestingPlan").part("RecoveryPointSelection")),
        about=plan,
        RestoreTestingPlanName=plan,
    )


def _testing_listed(reply: Reply) -> RestoreTestingPlan:
    """What the list says; `_testing_plan` fills in the rest."""
    return RestoreTestingPlan(
        name=reply.text("RestoreTestingPlanName"),
        arn=reply.text("RestoreTestingPlanArn"),
        schedule=reply.text("ScheduleExpression"),
        timezone=reply.maybe_text("ScheduleExpressionTimezone") or "UTC",
        takes=RestoreTestingPoints(point_types=(), include_vaults=(), exclude_vaults=()),
        selections=(),
    )


def _parsed_points(reply: Reply) -> RestoreTestingPoints:
    return RestoreTestingPoints(
        point_types=reply.optional_texts("RecoveryPointTypes"),
        include_vaults=reply.optional_texts("IncludeVaults"),
        exclude_vaults=reply.optional_texts("ExcludeVaults"),
    )


async def _testing_selections(calls: Calls, region: str, plan: str) -> tuple[RestoreTestingSelection, ...] | Gap:
    listed = await calls.pages(
        "backup",
        "ListRestoreTestingSelections",
        region,
        lambda page: tuple(p.text("RestoreTestingSelectionName") for p in page.parts("RestoreTestingSelections")),
        about=plan,
        RestoreTestingPlanName=plan,
    )
    if isinstance(listed, Gap):
        return listed
    return await all_or_gap(_testing_selection(calls, region, plan, name) for name in listed)


async def _testing_selection(calls: Calls, region: str, plan: str, name: str) -> RestoreTestingSelection | Gap:
    return await calls.one(
        "backup",
        "GetRestoreTestingSelection",
        region,
        lambda reply: _parsed_testing(reply.part("RestoreTestingSelection")),
        about=f"{plan}/{name}",
        RestoreTestingPlanName=plan,
        RestoreTestingSelectionName=name,
    )


def _parsed_testing(reply: Reply) -> RestoreTestingSelection:
    return RestoreTestingSelection(
        name=reply.text("RestoreTestingSelectionName"),
        resource_type=reply.text("ProtectedResourceType"),
        role_arn=reply.text("IamRoleArn"),
        resource_arns=reply.optional_texts("ProtectedResourceArns"),
        validation_window_hours=reply.maybe_number("ValidationWindowHours") or 0,
        conditional=reply.maybe_part("ProtectedResourceConditions") is not None,
    )


def _settings(reply: Reply) -> RegionSettings:
    return RegionSettings(
        opt_in=reply.flags("ResourceTypeOptInPreference"), management=reply.flags("ResourceTypeManagementPreference")
    )


def _protected(page: Reply) -> tuple[ProtectedResource, ...]:
    found = (
        ProtectedResource(
            resource_arn=part.text("ResourceArn"),
            resource_type=part.text("ResourceType"),
            last_backup=part.maybe_time("LastBackupTime"),
        )
        for part in page.parts("Results")
    )
    return tuple(one for one in found if one.resource_type == DYNAMODB)


def _backup_job(reply: Reply) -> BackupJob:
    creator = reply.maybe_part("CreatedBy")
    return BackupJob(
        id=reply.text("BackupJobId"),
        state=reply.text("State"),
        resource_arn=reply.text("ResourceArn"),
        vault_name=reply.maybe_text("BackupVaultName") or "",
        created=reply.time("CreationDate"),
        completed=reply.time_after("CompletionDate", "CreationDate"),
        start_by=reply.maybe_time("StartBy"),
        expected_completion=reply.maybe_time("ExpectedCompletionDate"),
        plan_id=creator.maybe_text("BackupPlanId") if creator else None,
        rule_id=creator.maybe_text("BackupRuleId") if creator else None,
        recovery_point_arn=reply.maybe_text("RecoveryPointArn"),
        message_category=reply.maybe_text("MessageCategory"),
        status_message=reply.maybe_text("StatusMessage"),
    )


def _copy_job(reply: Reply) -> CopyJob:
    creator = reply.maybe_part("CreatedBy")
    return CopyJob(
        id=reply.text("CopyJobId"),
        state=reply.text("State"),
        resource_arn=reply.text("ResourceArn"),
        source_vault_arn=reply.text("SourceBackupVaultArn"),
        source_recovery_point_arn=reply.text("SourceRecoveryPointArn"),
        destination_vault_arn=reply.text("DestinationBackupVaultArn"),
        destination_recovery_point_arn=reply.maybe_text("DestinationRecoveryPointArn"),
        created=reply.time("CreationDate"),
        completed=reply.time_after("CompletionDate", "CreationDate"),
        plan_id=creator.maybe_text("BackupPlanId") if creator else None,
        rule_id=creator.maybe_text("BackupRuleId") if creator else None,
        message_category=reply.maybe_text("MessageCategory"),
        status_message=reply.maybe_text("StatusMessage"),
    )


def _restore_job(reply: Reply) -> RestoreJob:
    return RestoreJob(
        id=reply.text("RestoreJobId"),
        state=reply.text("Status"),
        recovery_point_arn=reply.text("RecoveryPointArn"),
        source_resource_arn=reply.maybe_text("SourceResourceArn"),
        created_resource_arn=reply.maybe_text("CreatedResourceArn"),
        created=reply.time("CreationDate"),
        completed=reply.time_after("CompletionDate", "CreationDate"),
        testing_plan_arn=_testing_arn(reply.maybe_part("CreatedBy")),
        validation_status=reply.maybe_text("ValidationStatus"),
        status_message=reply.maybe_text("StatusMessage"),
    )


def _testing_arn(creator: Reply | None) -> str | None:
    return creator.maybe_text("RestoreTestingPlanArn") if creator else None
