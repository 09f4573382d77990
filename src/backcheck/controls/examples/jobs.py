"""The jobs of the last month."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from backcheck.controls.examples.points import copied, point
from backcheck.controls.examples.shop import DR_VAULT_ARN, NOW, TABLE_ARN, VAULT_ARN
from backcheck.inventory.backup import BackupJob, CopyJob


def backup_job(created: datetime = NOW - timedelta(hours=11), **changes: Any) -> BackupJob:
    """Last night's job."""
    made = BackupJob(
        id=f"job-{created:%Y%m%d}",
        state="COMPLETED",
        resource_arn=TABLE_ARN,
        vault_name="shop-vault",
        created=created,
        completed=created + timedelta(minutes=30),
        start_by=created + timedelta(minutes=60),
        expected_completion=None,
        plan_id="plan-1",
        rule_id="rule-daily",
        recovery_point_arn=point(created + timedelta(minutes=10)).arn,
        message_category="SUCCESS",
        status_message=None,
    )
    return replace(made, **changes)


def backup_jobs(**changes: Any) -> tuple[BackupJob, ...]:
    """Thirty days of jobs, with last night's changed."""
    return (backup_job(**changes), *(backup_job(NOW - timedelta(days=day, hours=11)) for day in range(1, 30)))


def copy_job(created: datetime = NOW - timedelta(hours=10), **changes: Any) -> CopyJob:
    """Last night's copy."""
    source = point(created - timedelta(minutes=50))
    made = CopyJob(
        id=f"copy-{created:%Y%m%d}",
        state="COMPLETED",
        resource_arn=TABLE_ARN,
        source_vault_arn=VAULT_ARN,
        source_recovery_point_arn=source.arn,
        destination_vault_arn=DR_VAULT_ARN,
        destination_recovery_point_arn=copied(source).arn,
        created=created,
        completed=created + timedelta(minutes=30),
        plan_id="plan-1",
        rule_id="rule-daily",
        message_category="SUCCESS",
        status_message=None,
    )
    return replace(made, **changes)


def copy_jobs(**changes: Any) -> tuple[CopyJob, ...]:
    """Thirty days of copies, with last night's changed."""
    return (copy_job(**changes), *(copy_job(NOW - timedelta(days=day, hours=10)) for day in range(1, 30)))
