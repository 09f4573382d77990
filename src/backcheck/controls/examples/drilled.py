"""This month's drills."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backcheck.controls.examples.shop import ACCOUNT, TABLE_ARN
from backcheck.drill.record import DrillRecord
from backcheck.policy.model import Method


def drill(method: str = "pitr", /, **changes: Any) -> DrillRecord:
    """This month's drill of one method."""
    made = DrillRecord(
        run_id=f"2026-11-02-{method}",
        account=ACCOUNT,
        table_arn=TABLE_ARN,
        method=method,
        started=datetime(2026, 11, 2, 3, tzinfo=UTC),
        finished=datetime(2026, 11, 2, 5, tzinfo=UTC),
        active_minutes=40.0,
        verified_minutes=60.0,
        passed=True,
        integrity="equal",
        witness="export",
        independent=method != "pitr",
        settings="equal",
        cleaned_up=True,
        simulated=False,
        detail="",
    )
    return replace(made, **changes)


def shop_drills() -> tuple[DrillRecord, ...]:
    """This month's drills, one of each method."""
    return tuple(drill(method) for method in Method)


def drills(changed: str = "pitr", **changes: Any) -> tuple[DrillRecord, ...]:
    """This month's drills, with one changed."""
    return tuple(drill(method, **(changes if method == changed else {})) for method in Method)
