"""Which deployed rule is which tier's, and how deployed values are read."""

from __future__ import annotations

import pytest
from botocore.session import get_session

from backcheck.controls import examples
from backcheck.controls.deployment import (
    as_tier,
    copy_lifecycle,
    match,
    partition,
    retention,
    same_zone,
    vault_arn,
    vault_key,
)
from backcheck.inventory.backup import PlanRule

TIERS = (examples.tier(), examples.tier("monthly"))
POLICY = examples.policy()


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (examples.rules(), {"daily": "Daily", "monthly": "Monthly"}),
        (examples.rules(name="EveryNight"), {"daily": "EveryNight", "monthly": "Monthly"}),
        (examples.rules(name="EveryNight", schedule="cron(0 2 * * ? *)"), {"monthly": "Monthly"}),
        ((examples.rule(name="A"), examples.rule(name="B")), {}),
        ((examples.rule("Monthly", name="Daily"),), {"daily": "Daily"}),
        ((examples.rule(name="x", schedule="rate(1 day)"),), {}),
    ],
)
def test_a_rule_is_matched_by_name_else_by_schedule(rules: tuple[PlanRule, ...], expected: dict[str, str]) -> None:
    assert {tier: rule.name for tier, rule in match(TIERS, rules).items()} == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("UTC", "Etc/UTC", True), ("UTC", "Europe/Berlin", False), ("Europe/Berlin", "Europe/Berlin", True)],
)
def test_zones(one: str, other: str, same: bool) -> None:
    assert same_zone(one, other) is same


def test_retention_for_ever() -> None:
    assert (retention(-1), retention(None), retention(30)) == (None, None, 30)


def test_a_copy_without_a_lifecycle_has_the_sources() -> None:
    rule = examples.rule("Monthly")
    action = examples.copy_action(has_lifecycle=False, delete_after_days=None)
    assert copy_lifecycle(action, rule) == (365, 90)
    assert copy_lifecycle(examples.copy_action(), rule) == (30, None)


@pytest.mark.parametrize(
    ("region", "expected"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partitions(region: str, expected: str) -> None:
    assert partition(region) == expected


@pytest.mark.parametrize("of", get_session().get_available_partitions())
def test_partitions_are_those_that_botocore_knows(of: str) -> None:
    regions = get_session().get_available_regions("dynamodb", partition_name=of)
    assert {partition(region) for region in regions} <= {of}


def test_vaults_by_arn() -> None:
    dr = POLICY.vault("dr")
    assert dr is not None
    assert vault_arn(dr, POLICY) == examples.DR_VAULT_ARN
    assert vault_key(examples.DR_VAULT_ARN, POLICY) == "dr"
    other = examples.DR_VAULT_ARN.replace("us-west-2", "us-east-1")
    assert vault_key(other, POLICY) == other


def test_a_deployed_rule_on_the_calendar() -> None:
    rule = examples.rule(schedule=None, start_window_minutes=None, delete_after_days=-1)
    tier = as_tier(rule, TIERS[0], POLICY)
    assert tier.schedule == "cron(0 5 ? * * *)"
    assert tier.start_window_minutes == 60
    assert tier.retention_days is None
    assert [copy.vault for copy in tier.copies] == ["dr"]
