"""Vaults and recovery points: a history written out by hand, day by day, and not by the controls' own calendar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from backcheck.controls.examples.access import deny_deletion, document
from backcheck.controls.examples.shop import (
    ACCOUNT,
    BORN,
    DR_KEY_ARN,
    DR_VAULT_ARN,
    HERE,
    KEY_ARN,
    NOW,
    TABLE_ARN,
    THERE,
    VAULT_ARN,
    Changes,
)
from backcheck.inventory.backup import RecoveryPoint, Vault


def point(
    created: datetime = NOW - timedelta(hours=10, minutes=50), name: str = "daily", **changes: Any
) -> RecoveryPoint:
    """A recovery point in the primary vault, by the `daily` or the `monthly` rule."""
    days, cold = (30, None) if name == "daily" else (365, 90)
    made = RecoveryPoint(
        arn=f"arn:aws:backup:{HERE}:{ACCOUNT}:recovery-point:{name}-{created:%Y%m%d}",
        vault_name="shop-vault",
        region=HERE,
        account=ACCOUNT,
        resource_arn=TABLE_ARN,
        resource_type="DynamoDB",
        status="COMPLETED",
        created=created,
        completed=created + timedelta(minutes=20),
        delete_after_days=days,
        move_to_cold_after_days=cold,
        delete_at=created + timedelta(days=days),
        cold_at=created + timedelta(days=cold) if cold else None,
        storage_class="COLD" if cold and created + timedelta(days=cold) <= NOW else "WARM",
        encrypted=True,
        key_arn=KEY_ARN,
        size_bytes=1_000_000,
        plan_id="plan-1",
        plan_version="v1",
        rule_id=f"rule-{name}",
        source_vault_arn=None,
    )
    return replace(made, **changes)


def copied(source: RecoveryPoint, **changes: Any) -> RecoveryPoint:
    """The copy of a point in the DR vault: another ARN, another key."""
    made = replace(
        source,
        arn=source.arn.replace(HERE, THERE).replace("recovery-point:", "recovery-point:copy-"),
        vault_name="shop-vault-dr",
        region=THERE,
        key_arn=DR_KEY_ARN,
        source_vault_arn=VAULT_ARN,
    )
    return replace(made, **changes)


def history() -> Iterator[RecoveryPoint]:
    """What a year of the plan leaves at NOW: 30 days of daily points without the 1st, and the monthly ones."""
    for month in range(2, 12):
        yield point(datetime(2026, month, 1, 0, 12, tzinfo=UTC), "monthly")
    day = datetime(2026, 10, 24, 1, 10, tzinfo=UTC)
    while day < NOW:
        if day.day != 1:
            yield point(day)
        day += timedelta(days=1)


def points(which: Callable[[RecoveryPoint], bool] | None = None, **changes: Any) -> tuple[RecoveryPoint, ...]:
    """The history; with the points that `which` picks changed, or left out where nothing is to be changed."""
    return tuple(_altered(history(), which, changes))


def copies(which: Callable[[RecoveryPoint], bool] | None = None, **changes: Any) -> tuple[RecoveryPoint, ...]:
    """The same in the DR vault."""
    return tuple(_altered(map(copied, history()), which, changes))


def of_last_night(one: RecoveryPoint) -> bool:
    """The newest point of the history."""
    return one.created > NOW - timedelta(days=1)


def vault(**changes: Any) -> Vault:
    """The primary vault."""
    made = Vault(
        arn=VAULT_ARN,
        name="shop-vault",
        region=HERE,
        account=ACCOUNT,
        type="BACKUP_VAULT",
        state="AVAILABLE",
        key_arn=KEY_ARN,
        locked=True,
        min_retention_days=7,
        max_retention_days=400,
        lock_date=None,
        created=BORN,
        policy=document(deny_deletion()),
        notifications=None,
        recovery_points=points() if "recovery_points" not in changes else (),
        tags={"aws:cloudformation:stack-name": "shop"},
    )
    return replace(made, **changes)


def dr_vault(**changes: Any) -> Vault:
    """The DR vault."""
    made = replace(
        vault(recovery_points=()),
        arn=DR_VAULT_ARN,
        name="shop-vault-dr",
        region=THERE,
        key_arn=DR_KEY_ARN,
        recovery_points=copies() if "recovery_points" not in changes else (),
    )
    return replace(made, **changes)


def _altered(
    all_points: Iterator[RecoveryPoint], which: Callable[[RecoveryPoint], bool] | None, changes: Changes
) -> Iterator[RecoveryPoint]:
    for one in all_points:
        if which is None or not which(one):
            yield one
        elif changes:
            yield replace(one, **changes)
