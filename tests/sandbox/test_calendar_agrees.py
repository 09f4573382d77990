"""The sandbox's recovery points are those that the policy's calendar foretells, one by one.

The two were written apart from AWS's page and share only the cron parser; neither is mended by looking at the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backcheck.policy.calendar import Calendar, calendar_of
from backcheck.policy.model import Copy, Tier
from backcheck.sandbox import Sandbox

START = datetime(2026, 1, 1, tzinfo=UTC)
VAULTS = {"vault": ("us-east-1", "vault-main"), "vault-dr": ("us-west-2", "vault-far")}
TRUST = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
SLACK = timedelta(days=2)
"""Lifecycles count from the job's start, known only to the window: what changes so near to the end is left out."""


@dataclass(frozen=True, order=True)
class Seen:
    """A recovery point: which rule's firing made it, where it is, how it is stored."""

    vault: str
    rule: str
    fired: datetime
    storage: str


def rule_of(tier: Tier) -> dict[str, Any]:
    """A tier as CreateBackupPlan takes it."""
    return {
        "RuleName": tier.rule,
        "TargetBackupVaultName": VAULTS[tier.vault][1],
        "ScheduleExpression": tier.schedule,
        "ScheduleExpressionTimezone": tier.timezone,
        "StartWindowMinutes": tier.start_window_minutes,
        "CompletionWindowMinutes": tier.completion_window_minutes,
        "Lifecycle": lifecycle(tier.retention_days, tier.cold_storage_after_days),
        "CopyActions": [
            {
                "DestinationBackupVaultArn": "arn:aws:backup:{}:123456789012:backup-vault:{}".format(
                    *VAULTS[copy.vault]
                ),
                "Lifecycle": lifecycle(copy.retention_days, copy.cold_storage_after_days),
            }
            for copy in tier.copies
        ],
    }


def lifecycle(retention_days: int | None, cold_after_days: int | None) -> dict[str, int]:
    """A Lifecycle, without what is not set."""
    given = {"DeleteAfterDays": retention_days, "MoveToColdStorageAfterDays": cold_after_days}
    return {name: days for name, days in given.items() if days is not None}


def deploy(sandbox: Sandbox, tiers: tuple[Tier, ...]) -> None:
    """One table, two vaults, one plan that selects the table."""
    backup, iam = sandbox.client("backup"), sandbox.client("iam")
    sandbox.client("dynamodb").create_table(
        TableName="products",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for region, name in VAULTS.values():
        far = sandbox.client("backup", region=region)
        far.create_backup_vault(BackupVaultName=name)
        both = {"DynamoDB": True}
        far.update_region_settings(ResourceTypeOptInPreference=both, ResourceTypeManagementPreference=both)
    role = iam.create_role(
        RoleName="backup", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    )["Role"]["Arn"]
    iam.attach_role_policy(
        RoleName="backup", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    )
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "plan", "Rules": [rule_of(tier) for tier in tiers]})[
        "BackupPlanId"
    ]
    backup.create_backup_selection(
        BackupPlanId=plan,
        BackupSelection={
            "SelectionName": "products",
            "IamRoleArn": role,
            "Resources": ["arn:aws:dynamodb:us-east-1:123456789012:table/products"],
        },
    )


def points_in(sandbox: Sandbox, vault: str) -> Iterator[dict[str, Any]]:
    """Every recovery point of a vault, with what only DescribeRecoveryPoint says."""
    region, name = VAULTS[vault]
    backup = sandbox.client("backup", region=region)
    for page in backup.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=name):
        for point in page["RecoveryPoints"]:
            yield backup.describe_recovery_point(BackupVaultName=name, RecoveryPointArn=point["RecoveryPointArn"])


def firing_of(point: dict[str, Any], calendar: Calendar) -> datetime:
    """The firing whose start window, or for a copy whose windows and a day, the point was made in."""
    rule, made = point["CreatedBy"]["BackupRuleName"], point["CreationDate"].astimezone(UTC)
    times = [o.firing.at for o in calendar.outcomes if o.firing.tier.rule == rule and o.firing.at <= made]
    assert times, f"{rule} made a point at {made}, before it ever fired"
    return max(times)


def unclear(calendar: Calendar, end: datetime) -> set[tuple[str, str, datetime]]:
    """Vault, rule and firing of points about which nothing is claimed: the page is silent, or the end too near."""
    unsure = {(o.firing.tier.rule, o.firing.at) for o in calendar.outcomes if not o.certain}
    return {
        (vault, o.firing.tier.rule, o.firing.at)
        for o in calendar.outcomes
        for vault in VAULTS
        if (o.firing.tier.rule, o.firing.at) in unsure or near(end, o.firing.at)
    } | {
        (point.vault, point.tier.rule, point.created)
        for point in calendar.points
        if near(end, point.cold_at, point.delete_at)
    }


def near(end: datetime, *moments: datetime | None) -> bool:
    """Whether one of the moments is so near to the end that the side on which it falls hangs on the job's start."""
    return any(moment is not None and abs(moment - end) < SLACK for moment in moments)


def foretold(calendar: Calendar, end: datetime) -> set[Seen]:
    """What the calendar says there is."""
    return {
        Seen(point.vault, point.tier.rule, point.created, storage.value)
        for point in calendar.points
        if (storage := point.storage_at(end)) is not None
    }


def found(sandbox: Sandbox, calendar: Calendar) -> set[Seen]:
    """What there is."""
    return {
        Seen(vault, point["CreatedBy"]["BackupRuleName"], firing_of(point, calendar), point["StorageClass"].lower())
        for vault in VAULTS
        for point in points_in(sandbox, vault)
    }


def assert_agrees(tiers: tuple[Tier, ...], days: int) -> set[Seen]:
    """Compare after that many days; returns the points that both have."""
    end = START + timedelta(days=days)
    calendar = calendar_of(tiers, START, end)
    with Sandbox(start=START) as sandbox:
        deploy(sandbox, tiers)
        sandbox.clock.advance(days=days)
        seen = found(sandbox, calendar)
    left_out = unclear(calendar, end)
    ours, theirs = (
        sorted(one for one in side if (one.vault, one.rule, one.fired) not in left_out)
        for side in (foretold(calendar, end), seen)
    )
    assert ours == theirs
    return set(ours)


RETENTIONS = st.integers(1, 500)
DAILY = st.builds("cron({} {} * * ? *)".format, st.sampled_from([0, 30]), st.integers(0, 23))
WEEKLY = st.builds(
    "cron(0 {} ? * {} *)".format, st.integers(0, 23), st.sampled_from(["SUN", "2", "FRI-MON", "L", "TUE#2"])
)
MONTHLY = st.builds("cron(0 {} {} * ? *)".format, st.integers(0, 23), st.sampled_from(["1", "15", "L", "10W", "1/10"]))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu"])


@st.composite
def cold_after(draw: st.DrawFn, retention_days: int) -> int | None:
    """Cold storage that AWS would take: 90 days of it at least."""
    return draw(st.none() | st.integers(1, retention_days - 90)) if retention_days > 91 else None


@st.composite
def tier(draw: st.DrawFn, number: int, retention_days: int) -> Tier:
    """A valid tier; retentions differ, since the page does not say which of two equal ones wins."""
    copied_days = draw(st.none() | RETENTIONS)
    copies = () if copied_days is None else (Copy(vault="vault-dr", retention_days=copied_days),)
    return Tier(
        plan="plan",
        name=f"tier{number}",
        rule=f"rule{number}",
        schedule=draw(DAILY | WEEKLY | MONTHLY),
        timezone=draw(ZONES),
        start_window_minutes=draw(st.sampled_from([60, 120, 300])),
        completion_window_minutes=draw(st.sampled_from([60, 120, 600])),
        vault="vault",
        retention_days=retention_days,
        cold_storage_after_days=draw(cold_after(retention_days)),
        copies=copies,
    )


@st.composite
def plans(draw: st.DrawFn) -> tuple[Tier, ...]:
    """One to three tiers."""
    retentions = draw(st.lists(RETENTIONS, min_size=1, max_size=3, unique=True))
    return tuple(draw(tier(number, days)) for number, days in enumerate(retentions))


DAILY_TIER = Tier(
    plan="plan",
    name="daily",
    rule="DailyBackups",
    schedule="cron(0 1 * * ? *)",
    timezone="UTC",
    start_window_minutes=60,
    completion_window_minutes=120,
    vault="vault",
    retention_days=30,
    copies=(Copy(vault="vault-dr", retention_days=30),),
)
WEEKLY_TIER = replace(
    DAILY_TIER,
    name="weekly",
    rule="WeeklyBackups",
    schedule="cron(0 0 ? * SUN *)",
    start_window_minutes=120,
    completion_window_minutes=240,
    retention_days=90,
    copies=(),
)
MONTHLY_TIER = replace(
    DAILY_TIER,
    name="monthly",
    rule="MonthlyBackups",
    schedule="cron(0 0 1 * ? *)",
    start_window_minutes=180,
    completion_window_minutes=360,
    retention_days=365,
    cold_storage_after_days=90,
    copies=(),
)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes a second: shrinking would take minutes
)
@given(plans(), st.integers(30, 150))
def test_random_plans_make_the_points_that_the_calendar_foretells(tiers: tuple[Tier, ...], days: int) -> None:
    assert_agrees(tiers, days)


def test_the_labs_rules_over_400_days() -> None:
    both = assert_agrees((DAILY_TIER, WEEKLY_TIER, MONTHLY_TIER), 400)
    assert {(one.rule, one.storage) for one in both if one.vault == "vault"} == {
        ("DailyBackups", "warm"),
        ("WeeklyBackups", "warm"),
        ("MonthlyBackups", "warm"),
        ("MonthlyBackups", "cold"),
    }
    assert {one.rule for one in both if one.vault == "vault-dr"} == {"DailyBackups"}
