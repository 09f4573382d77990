"""The validator on whole accounts: what it reads through the collector, and what it makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backcheck.controls import CONTROLS
from backcheck.finding import Finding
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.policy.load import load
from backcheck.sandbox.sandbox import Sandbox
from functions.validate_backup import NotValidated, conclude, judge, needed, wanted

ROOT = Path(__file__).parents[2]


def validated(scenario: str) -> tuple[Finding, ...]:
    policy = load(ROOT / "policies" / "techmoda.yaml")
    with Sandbox.from_scenario(ROOT / "fixtures" / "scenarios" / f"{scenario}.yaml") as sandbox:
        target = Target(account=policy.accounts[0], session=sandbox.session(), kind=Kind.SANDBOX)
        inventory = collect([target], needed(policy), sandbox.clock.now)
    return judge(policy, inventory, inventory.taken_at, wanted(CONTROLS))


def test_a_compliant_account_is_validated() -> None:
    assert conclude(validated("techmoda"))["pass"] > 0


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ("newest-points-deleted", "FAIL RP-01"),
        ("job-failed-last-night", "FAIL JOB-01"),
        ("copy-jobs-denied", "UNKNOWN DR-04"),
        ("pitr-off", "FAIL PIT-01"),
    ],
)
def test_an_account_with_one_thing_wrong_is_not(scenario: str, says: str) -> None:
    with pytest.raises(NotValidated) as raised:
        conclude(validated(scenario))
    assert says in str(raised.value)
