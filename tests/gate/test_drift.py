"""Drift: three columns, field by field."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from tests.gate.building import NOW, judged, only, ours, policy, replaced

from backcheck.controls.control import World
from backcheck.errors import UsageError
from backcheck.finding import Status
from backcheck.gate import drift
from backcheck.gate.judge import Judged
from backcheck.inventory import snapshot
from backcheck.inventory.gap import Gap


@cache
def _gate() -> Judged:
    return judged(*ours())


def _account(**changes: object) -> World:
    """The account that the templates come to, with something changed by hand in the primary region."""
    inventory = _gate().world.inventory
    assert inventory is not None
    [account] = inventory.accounts
    regions = tuple(
        replace(one, **changes) if one.region == "us-east-1" else one  # type: ignore[arg-type]
        for one in account.regions
    )
    kept = replace(account, kind="live", simulated=False, regions=regions)
    return World(policy=policy(), now=NOW, inventory=replace(inventory, accounts=(kept,)))


def test_three_that_say_the_same_pass() -> None:
    table = drift.compare(_gate(), _account())
    assert {row.status for row in table} == {Status.PASS}
    assert {row.what.partition(" ")[0] for row in table} == {"plan", "vault", "table"}
    found = drift.with_findings(_gate(), table).run.findings
    assert [one.status for one in found if one.resource.startswith("drift:")] == [Status.PASS] * 4


def test_what_was_changed_by_hand_is_shown_with_all_three_values() -> None:
    inventory = _account().inventory
    region = inventory.region("123456789012", "us-east-1") if inventory else None
    assert region is not None
    assert not isinstance(region.plans, Gap)
    [plan] = region.plans
    assert not isinstance(plan.rules, Gap)
    rules = (replace(plan.rules[0], delete_after_days=7), *plan.rules[1:])
    table = drift.compare(_gate(), _account(plans=(replace(plan, rules=rules),)))
    odd = [(row.field, row.policy, row.template, row.account) for row in table if row.status is Status.FAIL]
    assert odd == [("DailyBackups retention", "30 days", "30 days", "7 days")]
    found = drift.with_findings(_gate(), table).run.findings
    [one] = [one for one in found if one.resource.startswith("drift:") and one.status is Status.FAIL]
    assert "30 days in the policy, 30 days in the template, 7 days in the account" in one.message
    assert "! " in drift.as_text(table)


def test_what_is_not_there_is_absent_and_what_was_not_read_is_not_known() -> None:
    where = {"region": "us-east-1", "account": "123456789012"}
    gap = Gap(service="backup", operation="ListBackupPlans", **where, code="AccessDenied", detail="")
    gone = drift.compare(_gate(), _account(plans=()))
    assert {row.account for row in gone if row.what.startswith("plan")} == {drift.ABSENT}
    denied = drift.compare(_gate(), _account(plans=gap))
    rows = [row for row in denied if row.what.startswith("plan")]
    assert {(row.account, row.status) for row in rows} == {(drift.NOT_KNOWN, Status.UNKNOWN)}


def test_a_template_that_does_not_tell_is_not_equal() -> None:
    def change(content: str) -> str:
        declared = replaced("Parameters:\n", "Parameters:\n  X: {Type: String}\n")(content)
        return replaced("DeleteAfterDays: !Ref DailyRetentionDays", "DeleteAfterDays: !Ref X")(declared)

    table = drift.compare(judged(*ours("primary", change)), _account())
    assert {row.status for row in table if row.what.startswith("plan")} == {Status.UNKNOWN}


def test_a_snapshot_of_templates_is_no_account(tmp_path: Path) -> None:
    path = tmp_path / "gate.json.gz"
    path.write_bytes(_gate().snapshot)
    with pytest.raises(UsageError, match="no account's"):
        drift.read(path, policy())


def test_an_account_comes_from_its_snapshot(tmp_path: Path) -> None:
    inventory = _account().inventory
    assert inventory is not None
    snapshot.write(inventory, tmp_path / "a.json.gz")
    assert {row.status for row in drift.compare(_gate(), drift.read(tmp_path / "a.json.gz", policy()))} == {Status.PASS}


def test_nothing_to_compare_is_no_pass() -> None:
    found = drift.with_findings(_gate(), ()).run.findings
    resource = policy().resource()
    assert only([one for one in found if one.resource == resource], "DRF-01").status is Status.UNKNOWN
