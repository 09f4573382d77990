"""The shop's table, and the plan that backs it up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from backcheck.controls.examples.shop import ACCOUNT, BORN, DR_VAULT_ARN, HERE, NOW, PLAN_ARN, TABLE_ARN
from backcheck.inventory.backup import (
    BackupPlan,
    CopyAction,
    PlanRule,
    PlanSelection,
    RestoreTestingPlan,
    RestoreTestingPoints,
    RestoreTestingSelection,
    ScheduledRun,
)
from backcheck.inventory.model import PitrStatus, Table
from backcheck.selection import Selection


def pitr(**changes: Any) -> PitrStatus:
    """On for long, five minutes behind."""
    made = PitrStatus(
        enabled=True, window_days=35, earliest=NOW - timedelta(days=35), latest=NOW - timedelta(minutes=5)
    )
    return replace(made, **changes)


def table(**changes: Any) -> Table:
    """The table of orders."""
    made = Table(
        arn=TABLE_ARN,
        name="orders",
        region=HERE,
        account=ACCOUNT,
        table_id="5e5d9a52-0000-4000-8000-000000000001",
        status="ACTIVE",
        created=BORN,
        deletion_protection=True,
        encryption_key_arn=None,
        encryption_type=None,
        item_count=1000,
        size_bytes=1_000_000,
        replica_regions=(),
        restored_from=None,
        pitr=pitr(),
        tags={"team": "shop"},
    )
    return replace(made, **changes)


def copy_action(**changes: Any) -> CopyAction:
    """The daily rule's copy."""
    made = CopyAction(
        destination_vault_arn=DR_VAULT_ARN, has_lifecycle=True, delete_after_days=30, move_to_cold_after_days=None
    )
    return replace(made, **changes)


def rule(which: str = "Daily", /, **changes: Any) -> PlanRule:
    """`Daily` or `Monthly` as deployed."""
    daily = PlanRule(
        id="rule-daily",
        name="Daily",
        target_vault_name="shop-vault",
        schedule="cron(0 1 ? * * *)",
        timezone="UTC",
        start_window_minutes=60,
        completion_window_minutes=120,
        delete_after_days=30,
        move_to_cold_after_days=None,
        copies=(copy_action(),),
        continuous=False,
    )
    if which == "Daily":
        return replace(daily, **changes)
    monthly = replace(
        daily,
        id="rule-monthly",
        name="Monthly",
        schedule="cron(0 0 1 * ? *)",
        start_window_minutes=180,
        completion_window_minutes=360,
        delete_after_days=365,
        move_to_cold_after_days=90,
        copies=(copy_action(delete_after_days=365, move_to_cold_after_days=90),),
    )
    return replace(monthly, **changes)


def rules(**changes: Any) -> tuple[PlanRule, ...]:
    """Both rules, with the daily one changed."""
    return (rule(**changes), rule("Monthly"))


def selection(**changes: Any) -> PlanSelection:
    """It names the table."""
    made = Selection(
        name="shop-selection", iam_role_arn=f"arn:aws:iam::{ACCOUNT}:role/shop-backup", resources=(TABLE_ARN,)
    )
    return PlanSelection(id="selection-1", created=BORN, selection=replace(made, **changes))


def plan(**changes: Any) -> BackupPlan:
    """The shop's plan as deployed."""
    made = BackupPlan(
        arn=PLAN_ARN,
        id="plan-1",
        name="shop-plan",
        region=HERE,
        account=ACCOUNT,
        version_id="v1",
        created=BORN,
        rules=(rule(), rule("Monthly")),
        selections=(selection(),),
        preview=tuple(preview()),
    )
    return replace(made, **changes)


def preview() -> Iterator[ScheduledRun]:
    """The next ten runs after NOW."""
    for day in range(23, 31):
        yield ScheduledRun(rule_id="rule-daily", time=datetime(2026, 11, day, 1, tzinfo=UTC))
    yield ScheduledRun(rule_id="rule-monthly", time=datetime(2026, 12, 1, 0, tzinfo=UTC))
    yield ScheduledRun(rule_id="rule-daily", time=datetime(2026, 12, 1, 1, tzinfo=UTC))


def restore_testing(**changes: Any) -> RestoreTestingPlan:
    """AWS's own restore testing of the table."""
    made = RestoreTestingPlan(
        name="shop_restores",
        arn=f"arn:aws:backup:{HERE}:{ACCOUNT}:restore-testing-plan:shop_restores",
        schedule="cron(0 3 2 * ? *)",
        timezone="UTC",
        takes=tested_points(),
        selections=(tested_tables(),),
    )
    return replace(made, **changes)


def tested_points(**changes: Any) -> RestoreTestingPoints:
    """Snapshots of every vault."""
    made = RestoreTestingPoints(point_types=("SNAPSHOT",), include_vaults=("*",), exclude_vaults=())
    return replace(made, **changes)


def tested_tables(**changes: Any) -> RestoreTestingSelection:
    """The table, restored as the restore role."""
    made = RestoreTestingSelection(
        name="orders",
        resource_type="DynamoDB",
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/shop-restore",
        resource_arns=(TABLE_ARN,),
        validation_window_hours=4,
    )
    return replace(made, **changes)
