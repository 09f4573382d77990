"""Backup plan documents: what AWS accepts in one, and what it refuses.

https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backcheck.cron import Cron, CronError, zone_of
from backcheck.sandbox.lifecycle import Lifecycle
from backcheck.sandbox.refusal import Unsupported, invalid, limit_exceeded
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

MAX_RULES, MAX_COPY_ACTIONS, MAX_POINT_TAGS = 10, 5, 10
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


def read_version(world: World, region: Region, document: Mapping[str, Any]) -> Version:
    """A plan document as a version of a plan. Raises the refusal that AWS documents."""
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
