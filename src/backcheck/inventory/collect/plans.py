"""AWS Backup's plans: three calls each, where a plan has one selection."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from backcheck.inventory.backup import BackupPlan, CopyAction, PlanRule, PlanSelection, ScheduledRun
from backcheck.inventory.collect.calls import Calls, all_or_gap
from backcheck.inventory.collect.reply import Malformed, Reply
from backcheck.inventory.gap import Gap
from backcheck.selection import SelectionError, parse_selection

PREVIEWED_RUNS = 10
"""GetBackupPlan's maximum for MaxScheduledRunsPreview."""


async def plans(calls: Calls, region: str) -> tuple[BackupPlan, ...] | Gap:
    """Every plan of the region, with its rules and selections."""
    listed = await calls.pages(
        "backup",
        "ListBackupPlans",
        region,
        lambda page: tuple(_listed(part, region, calls.account) for part in page.parts("BackupPlansList")),
    )
    if isinstance(listed, Gap):
        return listed
    return tuple(await asyncio.gather(*(_plan(calls, region, entry) for entry in listed)))


async def _plan(calls: Calls, region: str, listed: BackupPlan) -> BackupPlan:
    got, selections = await asyncio.gather(
        calls.one(
            "backup",
            "GetBackupPlan",
            region,
            _rules_and_preview,
            about=listed.id,
            BackupPlanId=listed.id,
            MaxScheduledRunsPreview=PREVIEWED_RUNS,
        ),
        _selections(calls, region, listed.id),
    )
    rules, preview = (got, got) if isinstance(got, Gap) else got
    return replace(listed, rules=rules, preview=preview, selections=selections)


def _listed(reply: Reply, region: str, account: str) -> BackupPlan:
    """What the list says; `_plan` fills in the rest."""
    return BackupPlan(
        arn=reply.text("BackupPlanArn"),
        id=reply.text("BackupPlanId"),
        name=reply.text("BackupPlanName"),
        region=region,
        account=account,
        version_id=reply.maybe_text("VersionId") or "",
        created=reply.maybe_time("CreationDate"),
        rules=(),
        selections=(),
        preview=(),
    )


async def _selections(calls: Calls, region: str, plan_id: str) -> tuple[PlanSelection, ...] | Gap:
    """All or a Gap: one selection that cannot be read may be the one that excludes."""
    listed = await calls.pages(
        "backup",
        "ListBackupSelections",
        region,
        lambda page: tuple(part.text("SelectionId") for part in page.parts("BackupSelectionsList")),
        about=plan_id,
        BackupPlanId=plan_id,
    )
    if isinstance(listed, Gap):
        return listed
    return await all_or_gap(_selection(calls, region, plan_id, key) for key in listed)


async def _selection(calls: Calls, region: str, plan_id: str, selection_id: str) -> PlanSelection | Gap:
    return await calls.one(
        "backup",
        "GetBackupSelection",
        region,
        _parsed_selection,
        about=f"{plan_id}/{selection_id}",
        BackupPlanId=plan_id,
        SelectionId=selection_id,
    )


def _parsed_selection(reply: Reply) -> PlanSelection:
    try:
        selection = parse_selection(reply.raw("BackupSelection"))
    except SelectionError as error:
        raise Malformed(error.message) from error
    return PlanSelection(id=reply.text("SelectionId"), created=reply.maybe_time("CreationDate"), selection=selection)


def _rules_and_preview(reply: Reply) -> tuple[tuple[PlanRule, ...], tuple[ScheduledRun, ...]]:
    preview = (
        ScheduledRun(rule_id=run.text("RuleId"), time=run.time("ExecutionTime"))
        for run in reply.optional_parts("ScheduledRunsPreview")
    )
    return tuple(_rule(rule) for rule in reply.part("BackupPlan").parts("Rules")), tuple(preview)


def _rule(reply: Reply) -> PlanRule:
    delete, cold = lifecycle(reply.maybe_part("Lifecycle"))
    return PlanRule(
        id=reply.maybe_text("RuleId") or "",
        name=reply.text("RuleName"),
        target_vault_name=reply.text("TargetBackupVaultName"),
        schedule=reply.maybe_text("ScheduleExpression"),
        timezone=reply.maybe_text("ScheduleExpressionTimezone") or "UTC",
        start_window_minutes=reply.maybe_number("StartWindowMinutes"),
        completion_window_minutes=reply.maybe_number("CompletionWindowMinutes"),
        delete_after_days=delete,
        move_to_cold_after_days=cold,
        copies=tuple(_copy(part) for part in reply.optional_parts("CopyActions")),
        continuous=reply.maybe_flag("EnableContinuousBackup") or False,
        air_gapped_vault_arn=reply.maybe_text("TargetLogicallyAirGappedBackupVaultArn"),
    )


def _copy(reply: Reply) -> CopyAction:
    found = reply.maybe_part("Lifecycle")
    delete, cold = lifecycle(found)
    return CopyAction(
        destination_vault_arn=reply.text("DestinationBackupVaultArn"),
        has_lifecycle=found is not None,
        delete_after_days=delete,
        move_to_cold_after_days=cold,
    )


def lifecycle(reply: Reply | None) -> tuple[int | None, int | None]:
    """Days until deletion and until cold storage; -1 means never, as in API_Lifecycle, and is None here."""
    if reply is None:
        return None, None
    return _days(reply.maybe_number("DeleteAfterDays")), _days(reply.maybe_number("MoveToColdStorageAfterDays"))


def _days(number: int | None) -> int | None:
    return None if number is None or number < 0 else number
