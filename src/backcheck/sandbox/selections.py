"""Backup selections: what a plan backs up, and with which role.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page, shown
from backcheck.sandbox.refusal import already_exists, invalid, limit_exceeded, not_found
from backcheck.selection import Selection, SelectionError, parse_selection

if TYPE_CHECKING:
    from backcheck.sandbox.plans import Plan

MAX_SELECTIONS, MAX_TAG_SELECTIONS, MAX_CONDITIONS, MAX_TAGS = 100, 10, 30, 30
MAX_EXACT_ARNS, MAX_WILDCARD_ARNS = 500, 30
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html, aws-backup-limits.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSelection:
    """A selection of one plan."""

    id: str
    created: datetime
    creator_request_id: str | None
    selection: Selection
    document: Mapping[str, Any]
    """As it was given."""


@operation("backup", "CreateBackupSelection")
def create_selection(call: Call) -> Reply:
    """Checked for the documented limits; the role is not looked at until a job needs it."""
    plan = _plan_of(call)
    document = call.params["BackupSelection"]
    selection = _parse(document)
    again = call.params.get("CreatorRequestId")
    for known in plan.selections.values():
        if known.selection.name == selection.name or (again and known.creator_request_id == again):
            already_exists(f"Backup selection {selection.name} already exists")
    _check_limits(plan, selection)
    chosen = PlanSelection(
        id=call.world.new_id(),
        created=call.now,
        creator_request_id=again,
        selection=selection,
        document=document,
    )
    plan.selections[chosen.id] = chosen
    return {"SelectionId": chosen.id, "BackupPlanId": plan.id, "CreationDate": chosen.created}


@operation("backup", "GetBackupSelection")
def get_selection(call: Call) -> Reply:
    """One selection as it was given."""
    plan, chosen = _selection_of(call)
    reply = {"BackupSelection": dict(chosen.document), "SelectionId": chosen.id, "BackupPlanId": plan.id}
    return shown({**reply, "CreationDate": chosen.created, "CreatorRequestId": chosen.creator_request_id})


@operation("backup", "ListBackupSelections")
def list_selections(call: Call) -> Reply:
    """A plan's selections, without what they select."""
    plan = _plan_of(call)
    rows = [
        {
            "SelectionId": chosen.id,
            "SelectionName": chosen.selection.name,
            "BackupPlanId": plan.id,
            "CreationDate": chosen.created,
            "CreatorRequestId": chosen.creator_request_id,
            "IamRoleArn": chosen.selection.iam_role_arn,
        }
        for chosen in plan.selections.values()
    ]
    return page(call, "BackupSelectionsList", rows)


@operation("backup", "DeleteBackupSelection")
def delete_selection(call: Call) -> Reply:
    """Jobs that were created go on."""
    plan, chosen = _selection_of(call)
    del plan.selections[chosen.id]
    return {}


def _plan_of(call: Call) -> Plan:
    plan = call.region.plans.get(call.params["BackupPlanId"])
    if plan is None or plan.deleted is not None:
        not_found(f"Backup plan {call.params['BackupPlanId']} not found")
    return plan


def _selection_of(call: Call) -> tuple[Plan, PlanSelection]:
    plan = _plan_of(call)
    chosen = plan.selections.get(call.params["SelectionId"])
    if chosen is None:
        not_found(f"Backup selection {call.params['SelectionId']} not found")
    return plan, chosen


def _parse(document: Mapping[str, Any]) -> Selection:
    try:
        return parse_selection(document)
    except SelectionError as error:
        invalid(error.message)


def _check_limits(plan: Plan, selection: Selection) -> None:
    for arns in (selection.resources, selection.not_resources):
        wild = sum("*" in arn for arn in arns)
        if wild > MAX_WILDCARD_ARNS or len(arns) - wild > MAX_EXACT_ARNS:
            invalid(f"At most {MAX_EXACT_ARNS} ARNs without wildcards and {MAX_WILDCARD_ARNS} with wildcards")
    if len(selection.conditions) > MAX_CONDITIONS or len(selection.list_of_tags) > MAX_TAGS:
        invalid(f"At most {MAX_CONDITIONS} conditions and {MAX_TAGS} tags in a selection")
    if len(plan.selections) >= MAX_SELECTIONS:
        limit_exceeded(f"A backup plan has at most {MAX_SELECTIONS} selections")
    with_tags = sum(bool(known.selection.list_of_tags) for known in plan.selections.values())
    if selection.list_of_tags and with_tags >= MAX_TAG_SELECTIONS:
        limit_exceeded(f"A backup plan has at most {MAX_TAG_SELECTIONS} selections that use tags")
