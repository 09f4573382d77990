"""Backup plans: their versions, and the diary entries that they make.

https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backcheck.sandbox import scheduler
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page, shown
from backcheck.sandbox.plan_document import Rule, Version, read_version
from backcheck.sandbox.refusal import (
    already_exists,
    invalid,
    invalid_request,
    limit_exceeded,
    not_found,
)
from backcheck.sandbox.schedule import upcoming
from backcheck.sandbox.selections import PlanSelection
from backcheck.sandbox.tagging import set_tags

MAX_PLANS, MAX_VERSIONS = 300, 2_000
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html"""


@dataclass(slots=True, kw_only=True)
class Plan:
    """A plan with its versions, the current one last, and its selections."""

    id: str
    arn: str
    creator_request_id: str | None
    versions: list[Version]
    selections: dict[str, PlanSelection] = field(default_factory=dict)
    deleted: datetime | None = None
    last_execution: datetime | None = None

    @property
    def current(self) -> Version:
        """The version that fires."""
        return self.versions[-1]


@operation("backup", "CreateBackupPlan")
def create_plan(call: Call) -> Reply:
    """A plan that is already there is AlreadyExists; a matching CreatorRequestId returns the existing plan."""
    region, request_id = call.region, call.params.get("CreatorRequestId")
    alive = [plan for plan in region.plans.values() if plan.deleted is None]
    again = next((plan for plan in alive if request_id and plan.creator_request_id == request_id), None)
    if again is not None:
        return _created(again)
    version = read_version(call.world, region, call.params["BackupPlan"])
    if any(_same(plan.current, version) for plan in alive):
        already_exists("Backup plan with the same plan document already exists")
    if len(alive) >= MAX_PLANS:
        limit_exceeded(f"The account has {MAX_PLANS} backup plans in this Region")
    plan_id = call.world.new_id()
    plan = Plan(
        id=plan_id,
        arn=region.arn("backup", f"backup-plan:{plan_id}"),
        creator_request_id=request_id,
        versions=[version],
    )
    set_tags(region, plan.arn, call.params.get("BackupPlanTags"))
    region.plans[plan_id] = plan
    scheduler.follow(call.world, region, plan)
    return _created(plan)


@operation("backup", "UpdateBackupPlan")
def update_plan(call: Call) -> Reply:
    """A new version fires from now on; whether rule ids survive is not documented, so they do not."""
    plan = plan_of(call)
    if len(plan.versions) >= MAX_VERSIONS:
        limit_exceeded(f"The backup plan has {MAX_VERSIONS} versions")
    plan.versions.append(read_version(call.world, call.region, call.params["BackupPlan"]))
    scheduler.follow(call.world, call.region, plan)
    return _created(plan)


@operation("backup", "GetBackupPlan")
def get_plan(call: Call) -> Reply:
    """One version, the current one by default, with a preview of the next runs on request."""
    plan = plan_of(call, even_deleted=True)
    wanted = call.params.get("VersionId")
    version = next((v for v in reversed(plan.versions) if wanted in (None, v.id)), None)
    if version is None:
        not_found(f"Failed reading Backup plan with provided version {wanted}")
    document = {"BackupPlanName": version.name, "Rules": [dict(rule.document) for rule in version.rules]}
    if version.advanced:
        document["AdvancedBackupSettings"] = list(version.advanced)
    row = _row(plan, version)
    row.pop("BackupPlanName")
    count = call.params.get("MaxScheduledRunsPreview") or 0
    if not 0 <= count <= 10:
        invalid("MaxScheduledRunsPreview must be from 0 to 10")
    preview = [
        {"ExecutionTime": firing.at, "RuleId": version.rules[firing.rule].id, "RuleExecutionType": _kind(rule)}
        for firing in (upcoming(version.rules, call.now, count) if count else ())
        for rule in (version.rules[firing.rule],)
    ]
    return shown({**row, "BackupPlan": document, "ScheduledRunsPreview": preview or None})


@operation("backup", "DeleteBackupPlan")
def delete_plan(call: Call) -> Reply:
    """'Can only be deleted after all associated selections of resources have been deleted.'"""
    plan = plan_of(call)
    if plan.selections:
        invalid_request("Related backup plan selections must be deleted prior to backup plan deletion")
    plan.deleted = call.now
    current = plan.current
    return {"BackupPlanId": plan.id, "BackupPlanArn": plan.arn, "DeletionDate": plan.deleted, "VersionId": current.id}


@operation("backup", "ListBackupPlans")
def list_plans(call: Call) -> Reply:
    """Plans by their current version; deleted ones only on request."""
    with_deleted = call.params.get("IncludeDeleted")
    plans = [plan for plan in call.region.plans.values() if with_deleted or plan.deleted is None]
    return page(call, "BackupPlansList", [_row(plan, plan.current) for plan in plans])


@operation("backup", "ListBackupPlanVersions")
def list_versions(call: Call) -> Reply:
    """Every version; 'previous versions, if any, will still exist' after the plan was deleted."""
    plan = plan_of(call, even_deleted=True)
    return page(call, "BackupPlanVersionsList", [_row(plan, version) for version in plan.versions])


def plan_of(call: Call, *, even_deleted: bool = False) -> Plan:
    """The plan that the call names."""
    plan = call.region.plans.get(call.params["BackupPlanId"])
    if plan is None or (plan.deleted is not None and not even_deleted):
        not_found(f"Backup plan {call.params['BackupPlanId']} not found")
    return plan


def _created(plan: Plan) -> Reply:
    version = plan.current
    reply = {"BackupPlanId": plan.id, "BackupPlanArn": plan.arn, "CreationDate": version.created}
    return shown({**reply, "VersionId": version.id, "AdvancedBackupSettings": list(version.advanced) or None})


def _row(plan: Plan, version: Version) -> dict[str, Any]:
    return {
        "BackupPlanArn": plan.arn,
        "BackupPlanId": plan.id,
        "CreationDate": version.created,
        "DeletionDate": plan.deleted,
        "VersionId": version.id,
        "BackupPlanName": version.name,
        "CreatorRequestId": plan.creator_request_id,
        "LastExecutionDate": plan.last_execution,
        "AdvancedBackupSettings": list(version.advanced) or None,
    }


def _same(a: Version, b: Version) -> bool:
    return a.name == b.name and [_without_id(r) for r in a.rules] == [_without_id(r) for r in b.rules]


def _without_id(rule: Rule) -> dict[str, Any]:
    return {name: value for name, value in rule.document.items() if name != "RuleId"}


def _kind(rule: Rule) -> str:
    return "CONTINUOUS_AND_SNAPSHOTS" if rule.document.get("EnableContinuousBackup") else "SNAPSHOTS"
