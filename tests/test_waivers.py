"""Waivers: each state is visible, none counts as a pass, none covers more than it names."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.inventory.building import policy

from backcheck.finding import Finding, Severity, Status, Summary
from backcheck.policy.model import Waiver
from backcheck.waivers import waive

TODAY = date(2026, 11, 22)
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/shop-orders"


def finding(status: Status = Status.FAIL, **changes: Any) -> Finding:
    made = Finding(
        control="PIT-01",
        status=status,
        severity=Severity.CRITICAL,
        resource=TABLE,
        tier=None,
        expected="",
        observed="",
        at="",
        message="",
        notes=(),
        remediation="",
        maps_to=(),
    )
    return replace(made, **changes)


def waiver(**changes: Any) -> Waiver:
    made = Waiver(
        index=0,
        control="PIT-01",
        resource=TABLE,
        owner="ops",
        ticket="OPS-1",
        reason="migration",
        granted=date(2026, 11, 1),
        expires=date(2026, 12, 1),
    )
    return replace(made, **changes)


def waived(found: Finding, *waivers: Waiver) -> tuple[Finding, Finding]:
    """The finding afterwards, and what is told of the waiver."""
    results = waive([found], policy(waivers=waivers), TODAY)
    return next(f for f in results if f.control == "PIT-01"), next(f for f in results if f.control == "WVR-01")


@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN])
def test_a_waiver_in_force_covers_fail_and_unknown(status: Status) -> None:
    found, told = waived(finding(status), waiver())
    assert found.status is Status.WAIVED
    assert found.waiver is not None
    assert (found.waiver.original, found.waiver.days_left, found.waiver.expires) == (status, 9, "2026-12-01")
    assert told.status is Status.PASS
    assert "applies for 9 more days (OPS-1)" in told.message


def test_a_waiver_says_what_it_covers_today() -> None:
    nights = [
        finding(Status.FAIL, tier="daily", instances=("2026-11-20", "2026-11-21")),
        finding(Status.FAIL, tier="weekly", instances=("2026-11-15",)),
        finding(Status.PASS, tier="monthly"),
    ]
    (told,) = (f for f in waive(nights, policy(waivers=(waiver(),)), TODAY) if f.control == "WVR-01")
    assert told.message.endswith("(OPS-1): tiers daily, weekly; 3 instances, and any that come")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expires": date(2026, 11, 21)}, "expired on 2026-11-21, 1 days ago"),
        ({"granted": date(2026, 11, 23)}, "is granted only from 2026-11-23"),
        ({"expires": date(2027, 11, 1)}, "would hold 365 days, more than 180, and is not applied"),
        ({"resource": TABLE + "-other"}, f"matches no finding; that control looked at {TABLE}"),
        ({"control": "PIT-02"}, "matches no finding; that control looked at nothing"),
    ],
)
def test_a_waiver_that_does_not_hold_leaves_the_failure(changes: dict[str, Any], message: str) -> None:
    found, told = waived(finding(), waiver(**changes))
    assert found.status is Status.FAIL
    assert told.status is Status.FAIL
    assert message in told.message


def test_it_holds_on_its_last_day() -> None:
    assert waived(finding(), waiver(expires=TODAY))[0].status is Status.WAIVED


@pytest.mark.parametrize("status", [Status.PASS, Status.NOT_APPLICABLE])
def test_a_needless_waiver_fails(status: Status) -> None:
    found, told = waived(finding(status), waiver())
    assert found.status is status
    assert told.status is Status.FAIL
    assert f"is needless: the finding is {status.value}" in told.message


def test_a_waived_finding_is_no_pass() -> None:
    results = waive([finding()], policy(waivers=(waiver(),)), TODAY)
    counts = Summary.of(one for one in results if one.control != "WVR-01")
    assert (counts.waived, counts.passed, counts.exit_code) == (1, 0, 2)


def test_without_waivers_that_is_said() -> None:
    _, told = waived(finding(), *())
    assert (told.status, told.message) == (Status.NOT_APPLICABLE, "the policy has no waivers")
