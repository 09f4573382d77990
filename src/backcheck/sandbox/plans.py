"""Backup plans: what AWS accepts, their versions, and the diary entries that they make.

https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backcheck.cron import Cron, CronError, zone_of
from backcheck.sandbox import scheduler
from backcheck.sandbox.lifecycle import Lifecycle
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page, shown
from backcheck.sandbox.refusal import (
    Unsupported,
    already_exists,
    invalid,
    invalid_request,
    limit_exceeded,
    not_found,
)
from backcheck.sandbox.schedule import upcoming
from backcheck.sandbox.selections import PlanSelection
from backcheck.sandbox.tagging import set_tags
from backcheck.sandbox.world import Region, World

DEFAULT_SCHEDULE = "cron(0 5 ? * * *)"
"""API_BackupRuleInput."""
DEFAULT_ZONE = "Etc/UTC"
DEFAULT_START_WINDOW_MINUTES = 480
DEFAULT_COMPLETION_WINDOW_MINUTES = 10_080
"""The console's defaults, 8 hours and 7 days."""
SHORTEST_START_WINDOW_MINUTES = 60
LONGEST_WINDOW_MINUTES = 52_560_000
LONGEST_CONTINUOUS_DAYS = 35

MAX_PLANS, MAX_VERSIONS, MAX_RULES, MAX_COPY_ACTIONS, MAX_POINT_TAGS = 300, 2_000, 10, 5, 10
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyAction:
    """Where a rule's recovery points are copied to."""

    destination_vault_arn: str
    lifecycle: Lifecycle | None
    """None: 'the copy will follow the lifecycle settings of the backup from which it is copied'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one version of a plan."""

    id: str
    name: str
    vault_name: str
    cron: Cron
    zone: str
    start_window: timedelta
    completion_window: timedelta
    lifecycle: Lifecycle
    copy_actions: tuple[CopyAction, ...]
    point_tags: Mapping[str, str]
    document: Mapping[str, Any]
    """As GetBackupPlan shows it: what was given, and the defaults."""

    @property
    def retention_days(self) -> float:
        """For comparing rules: for ever is the longest."""
        return math.inf if self.lifecycle.delete_after_days is None else self.lifecycle.delete_after_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a plan."""

    id: str
    created: datetime
    name: str
    rules: tuple[Rule, ...]
    advanced: tuple[Mapping[str, Any], ...]


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
    version = _version(call.world, region, call.params["BackupPlan"])
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
    plan.versions.append(_version(call.world, call.region, call.params["BackupPlan"]))
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


def _version(world: World, region: Region, document: Mapping[str, Any]) -> Version:
    name, rules = document["BackupPlanName"], document["Rules"]
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,50}", name):
        invalid(f"Invalid plan name {name!r}: up to 50 alphanumeric characters, dashes, underscores and periods")
    if not rules:
        invalid("A backup plan needs at least one rule")
    if len(rules) > MAX_RULES:
        limit_exceeded(f"A backup plan has at most {MAX_RULES} rules")
    if document.get("ScanSettings"):
        raise Unsupported("malware scanning")
    return Version(
        id=world.new_id(),
        created=world.clock.now(),
        name=name,
        rules=tuple(_rule(world, region, rule) for rule in rules),
        advanced=tuple(document.get("AdvancedBackupSettings") or ()),
    )


def _rule(world: World, region: Region, given: Mapping[str, Any]) -> Rule:
    where = f"rule {given['RuleName']}"
    _refuse_unsupported(given)
    document = {
        "ScheduleExpression": DEFAULT_SCHEDULE,
        "StartWindowMinutes": DEFAULT_START_WINDOW_MINUTES,
        "CompletionWindowMinutes": DEFAULT_COMPLETION_WINDOW_MINUTES,
        "ScheduleExpressionTimezone": DEFAULT_ZONE,
        **given,
        "RuleId": world.new_id(),
    }
    if given["TargetBackupVaultName"] not in region.vaults:
        invalid(f"Backup vault {given['TargetBackupVaultName']} of {where} does not exist")
    lifecycle = Lifecycle.read(given.get("Lifecycle"), where=where)
    if given.get("EnableContinuousBackup"):
        _check_continuous(lifecycle, where)
    if len(given.get("RecoveryPointTags") or {}) > MAX_POINT_TAGS:
        limit_exceeded(f"A recovery point gets at most {MAX_POINT_TAGS} tags ({where})")
    return Rule(
        id=document["RuleId"],
        name=given["RuleName"],
        vault_name=given["TargetBackupVaultName"],
        cron=_cron(document["ScheduleExpression"], where),
        zone=_zone(document["ScheduleExpressionTimezone"], where),
        start_window=start_window(document["StartWindowMinutes"], where),
        completion_window=window(document["CompletionWindowMinutes"], "CompletionWindowMinutes", where),
        lifecycle=lifecycle,
        copy_actions=tuple(_copy_actions(given.get("CopyActions") or (), where)),
        point_tags=dict(given.get("RecoveryPointTags") or {}),
        document=document,
    )


def _refuse_unsupported(given: Mapping[str, Any]) -> None:
    for member in ("TargetLogicallyAirGappedBackupVaultArn", "IndexActions", "ScanActions"):
        if given.get(member):
            raise Unsupported(f"{member} in a backup rule")


def start_window(minutes: int, where: str) -> timedelta:
    """'If this value is included, it must be at least 60 minutes to avoid errors.'"""
    if minutes < SHORTEST_START_WINDOW_MINUTES:
        invalid(f"StartWindowMinutes of {where} must be at least {SHORTEST_START_WINDOW_MINUTES} minutes")
    return window(minutes, "StartWindowMinutes", where)


def window(minutes: int, member: str, where: str) -> timedelta:
    """A window up to 100 years. No relation between the two windows is documented, so none is asked for."""
    if not 0 < minutes <= LONGEST_WINDOW_MINUTES:
        invalid(f"{member} of {where} must be from 1 to {LONGEST_WINDOW_MINUTES} minutes")
    return timedelta(minutes=minutes)


def _check_continuous(lifecycle: Lifecycle, where: str) -> None:
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html: 35 days, never cold."""
    days = lifecycle.delete_after_days
    if lifecycle.cold_after_days is not None:
        invalid(f"Continuous backups cannot be moved to cold storage ({where})")
    if days is None or days > LONGEST_CONTINUOUS_DAYS:
        invalid(f"Continuous backups are kept from 1 to {LONGEST_CONTINUOUS_DAYS} days ({where})")


def _cron(expression: str, where: str) -> Cron:
    """Six-field cron, at most hourly ('you can schedule snapshot backups as frequently as hourly')."""
    if expression.strip().startswith("rate("):
        raise Unsupported("rate() in a backup rule; AWS documents only cron()")
    try:
        cron = Cron.parse(expression)
    except CronError as error:
        invalid(f"Invalid schedule expression in {where}: {error.message}")
    if len(cron.minutes) > 1:
        invalid(f"Invalid schedule expression in {where}: backups can run hourly at most")
    return cron


def _zone(name: str, where: str) -> str:
    try:
        zone_of(name)
    except CronError as error:
        invalid(f"Invalid time zone in {where}: {error.message}")
    return name


def _copy_actions(given: Any, where: str) -> Iterator[CopyAction]:
    """'Whether CreateBackupPlan refuses a destination vault that does not exist is not documented': it is accepted."""
    if len(given) > MAX_COPY_ACTIONS:
        limit_exceeded(f"A backup rule has at most {MAX_COPY_ACTIONS} copy actions ({where})")
    for action in given:
        arn = action["DestinationBackupVaultArn"]
        if not re.fullmatch(r"arn:[a-z-]+:backup:[a-z0-9-]+:\d{12}:backup-vault:[A-Za-z0-9_-]{2,50}", arn):
            invalid(f"Invalid destination backup vault ARN in {where}: {arn}")
        lifecycle = action.get("Lifecycle")
        read = Lifecycle.read(lifecycle, where=f"the copy action of {where}") if lifecycle else None
        yield CopyAction(destination_vault_arn=arn, lifecycle=read)
