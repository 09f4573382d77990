"""Restore testing plans and selections.

https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backcheck.cron import Cron, CronError, zone_of
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page, shown
from backcheck.sandbox.refusal import already_exists, invalid, invalid_request, limit_exceeded, not_found
from backcheck.sandbox.restore_test_runs import follow
from backcheck.sandbox.tagging import set_tags

MAX_PLANS, MAX_SELECTIONS, LONGEST_NAME = 100, 30, 50
LONGEST_SELECTION_WINDOW_DAYS, LONGEST_START_WINDOW_HOURS, LONGEST_VALIDATION_HOURS = 365, 168, 168
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html, 'Restore testing plan quotas'"""

DEFAULTS: Mapping[str, Any] = {"ScheduleExpressionTimezone": "Etc/UTC", "StartWindowHours": 24}


@dataclass(slots=True, kw_only=True)
class RestoreTestingSelection:
    """What a plan tests, of one resource type."""

    created: datetime
    creator_request_id: str | None
    document: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class RestoreTestingPlan:
    """A schedule of restore tests."""

    name: str
    arn: str
    created: datetime
    updated: datetime | None = None
    last_execution: datetime | None = None
    creator_request_id: str | None
    document: dict[str, Any]
    selections: dict[str, RestoreTestingSelection] = field(default_factory=dict)


@operation("backup", "CreateRestoreTestingPlan")
def create_plan(call: Call) -> Reply:
    """Names are unique in the Region."""
    region, document = call.region, {**DEFAULTS, **call.params["RestoreTestingPlan"]}
    name = _name(document["RestoreTestingPlanName"])
    if name in region.restore_testing:
        already_exists(f"Restore testing plan {name} already exists")
    if len(region.restore_testing) >= MAX_PLANS:
        limit_exceeded(f"The account has {MAX_PLANS} restore testing plans")
    _check_plan(document)
    plan = RestoreTestingPlan(
        name=name,
        arn=region.arn("backup", f"restore-testing-plan:{name}-{call.world.new_id()}"),
        created=call.now,
        creator_request_id=call.params.get("CreatorRequestId"),
        document=document,
    )
    set_tags(region, plan.arn, call.params.get("Tags"))
    region.restore_testing[name] = plan
    follow(call.world, region, plan)
    return {"CreationTime": plan.created, "RestoreTestingPlanArn": plan.arn, "RestoreTestingPlanName": name}


@operation("backup", "UpdateRestoreTestingPlan")
def update_plan(call: Call) -> Reply:
    """What is not named stays."""
    plan = _plan_of(call)
    document = {**plan.document, **call.params["RestoreTestingPlan"]}
    _check_plan(document)
    plan.document, plan.updated = document, call.now
    follow(call.world, call.region, plan)
    reply = {"CreationTime": plan.created, "RestoreTestingPlanArn": plan.arn, "UpdateTime": plan.updated}
    return {**reply, "RestoreTestingPlanName": plan.name}


@operation("backup", "GetRestoreTestingPlan")
def get_plan(call: Call) -> Reply:
    """One plan."""
    plan = _plan_of(call)
    row = {**plan.document, **_row(plan), "CreatorRequestId": plan.creator_request_id}
    return {"RestoreTestingPlan": shown(row)}


@operation("backup", "ListRestoreTestingPlans")
def list_plans(call: Call) -> Reply:
    """The plans, without what they select."""
    return page(call, "RestoreTestingPlans", [_row(plan) for plan in call.region.restore_testing.values()])


@operation("backup", "DeleteRestoreTestingPlan")
def delete_plan(call: Call) -> Reply:
    """'You can only successfully delete a plan after all associated restore testing selections have been deleted.'"""
    plan = _plan_of(call)
    if plan.selections:
        invalid_request("Restore testing selections must be deleted before their plan")
    del call.region.restore_testing[plan.name]
    return {}


@operation("backup", "CreateRestoreTestingSelection")
def create_selection(call: Call) -> Reply:
    """Of one resource type, by ARNs or by conditions."""
    plan, document = _plan_of(call), dict(call.params["RestoreTestingSelection"])
    name = _name(document["RestoreTestingSelectionName"])
    if name in plan.selections:
        already_exists(f"Restore testing selection {name} already exists")
    if len(plan.selections) >= MAX_SELECTIONS:
        limit_exceeded(f"A restore testing plan has at most {MAX_SELECTIONS} selections")
    _check_selection(document)
    chosen = RestoreTestingSelection(
        created=call.now, creator_request_id=call.params.get("CreatorRequestId"), document=document
    )
    plan.selections[name] = chosen
    return {"CreationTime": chosen.created, **_names(plan, name)}


@operation("backup", "UpdateRestoreTestingSelection")
def update_selection(call: Call) -> Reply:
    """What is not named stays."""
    plan, name, chosen = _selection_of(call)
    document = {**chosen.document, **call.params["RestoreTestingSelection"]}
    _check_selection(document)
    chosen.document = document
    return {"CreationTime": chosen.created, "UpdateTime": call.now, **_names(plan, name)}


@operation("backup", "GetRestoreTestingSelection")
def get_selection(call: Call) -> Reply:
    """One selection."""
    plan, _, chosen = _selection_of(call)
    row = {**chosen.document, "CreationTime": chosen.created, "CreatorRequestId": chosen.creator_request_id}
    return {"RestoreTestingSelection": shown({**row, "RestoreTestingPlanName": plan.name})}


@operation("backup", "ListRestoreTestingSelections")
def list_selections(call: Call) -> Reply:
    """A plan's selections, without their conditions."""
    plan = _plan_of(call)
    rows = [
        {
            "CreationTime": chosen.created,
            "IamRoleArn": chosen.document["IamRoleArn"],
            "ProtectedResourceType": chosen.document["ProtectedResourceType"],
            "RestoreTestingPlanName": plan.name,
            "RestoreTestingSelectionName": name,
            "ValidationWindowHours": chosen.document.get("ValidationWindowHours"),
        }
        for name, chosen in plan.selections.items()
    ]
    return page(call, "RestoreTestingSelections", rows)


@operation("backup", "DeleteRestoreTestingSelection")
def delete_selection(call: Call) -> Reply:
    """Remove it from its plan."""
    plan, name, _ = _selection_of(call)
    del plan.selections[name]
    return {}


def _plan_of(call: Call) -> RestoreTestingPlan:
    plan = call.region.restore_testing.get(call.params["RestoreTestingPlanName"])
    if plan is None:
        not_found(f"Restore testing plan {call.params['RestoreTestingPlanName']} not found")
    return plan


def _selection_of(call: Call) -> tuple[RestoreTestingPlan, str, RestoreTestingSelection]:
    plan, name = _plan_of(call), call.params["RestoreTestingSelectionName"]
    if name not in plan.selections:
        not_found(f"Restore testing selection {name} not found")
    return plan, name, plan.selections[name]


def _names(plan: RestoreTestingPlan, name: str) -> dict[str, Any]:
    names = {"RestoreTestingPlanArn": plan.arn, "RestoreTestingPlanName": plan.name}
    return {**names, "RestoreTestingSelectionName": name}


def _row(plan: RestoreTestingPlan) -> dict[str, Any]:
    shared = ("ScheduleExpression", "ScheduleExpressionTimezone", "StartWindowHours")
    return {
        **{name: plan.document[name] for name in shared},
        "CreationTime": plan.created,
        "LastUpdateTime": plan.updated,
        "LastExecutionTime": plan.last_execution,
        "RestoreTestingPlanArn": plan.arn,
        "RestoreTestingPlanName": plan.name,
    }


def _name(name: str) -> str:
    """'Must consist of only alphanumeric characters and underscores.'"""
    if not re.fullmatch(rf"[A-Za-z0-9_]{{1,{LONGEST_NAME}}}", name):
        invalid(f"Invalid name {name!r}: up to {LONGEST_NAME} alphanumeric characters and underscores")
    return name


def _check_plan(document: Mapping[str, Any]) -> None:
    points = document["RecoveryPointSelection"]
    for member in ("Algorithm", "RecoveryPointTypes", "IncludeVaults"):  # the API calls these three required
        if not points.get(member):
            invalid(f"RecoveryPointSelection needs {member}")
    if not 1 <= points.get("SelectionWindowDays", 30) <= LONGEST_SELECTION_WINDOW_DAYS:
        invalid(f"SelectionWindowDays must be from 1 to {LONGEST_SELECTION_WINDOW_DAYS}")
    if not 1 <= document["StartWindowHours"] <= LONGEST_START_WINDOW_HOURS:
        invalid(f"StartWindowHours must be from 1 to {LONGEST_START_WINDOW_HOURS}")
    try:
        Cron.parse(document["ScheduleExpression"])
        zone_of(document["ScheduleExpressionTimezone"])
    except CronError as error:
        invalid(f"Invalid schedule of a restore testing plan: {error.message}")


def _check_selection(document: Mapping[str, Any]) -> None:
    arns, conditions = document.get("ProtectedResourceArns"), document.get("ProtectedResourceConditions")
    if arns and "*" in arns and len(arns) > 1:
        invalid("ProtectedResourceArns takes specific ARNs or the wildcard, but not both")
    if conditions and arns and arns != ["*"]:
        invalid("ProtectedResourceConditions need the wildcard in ProtectedResourceArns")
    if not 0 <= document.get("ValidationWindowHours", 0) <= LONGEST_VALIDATION_HOURS:
        invalid(f"ValidationWindowHours must be from 0 to {LONGEST_VALIDATION_HOURS}")
