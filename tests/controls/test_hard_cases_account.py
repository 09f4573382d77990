"""Hard cases 23 to 28 and 34: what was not answered, other accounts and Regions, keys and vaults."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.controls.hard_cases import (
    FAIL,
    NOW,
    PASS,
    UNKNOWN,
    holding,
    judged,
    ruled,
    verdict,
    worst,
)

from backcheck.controls import CONTROLS, examples
from backcheck.evaluate import evaluate
from backcheck.finding import Summary
from backcheck.inventory.backup import RegionSettings


def test_23_one_denied_call_leaves_the_others_and_is_not_green() -> None:
    world = examples.world(primary={"copy_jobs": examples.gap("ListCopyJobs")})
    findings = evaluate(world, CONTROLS)
    assert {f.control for f in findings if f.status is UNKNOWN} == {"DR-04"}
    assert not [f for f in findings if f.status is FAIL]
    assert Summary.of(findings).exit_code == 2


def test_24_a_region_that_was_not_looked_at() -> None:
    world = examples.world()
    assert world.inventory is not None
    account = world.inventory.accounts[0]
    alone = replace(
        world, inventory=replace(world.inventory, accounts=(replace(account, regions=account.regions[:1]),))
    )
    assert verdict(alone, "VLT-01", resource="/vaults/dr").status is UNKNOWN
    assert worst(alone, "DR-03") is UNKNOWN
    assert worst(alone, "DR-05") is UNKNOWN


def test_24_another_partition() -> None:
    china = "cn-north-1"
    policy = examples.policy(regions={"primary": china, "dr": "cn-northwest-1"})
    here = examples.world(policy=policy)
    assert worst(here, "PIT-01") is UNKNOWN, "nothing of China was looked at"
    assert {f.status for f in judged(here, "PLN-01", "RP-01", "VLT-01")} == {UNKNOWN}


def test_25_a_copy_across_accounts() -> None:
    theirs = "arn:aws:backup:us-west-2:999988887777:backup-vault:theirs"
    rules = examples.rules(copies=(examples.copy_action(destination_vault_arn=theirs),))
    plans = {"plans": (examples.plan(rules=rules),)}
    assert verdict(examples.world(primary=plans), "FEA-01", "main/daily").status is UNKNOWN
    under_awss_key = examples.world(primary={**plans, "keys": (examples.key(manager="AWS"),)})
    finding = verdict(under_awss_key, "FEA-01", "main/daily")
    assert finding.status is FAIL
    assert "AWS managed key" in finding.message


@pytest.mark.parametrize("state", [{"state": "Disabled"}, {"deletion_date": NOW + timedelta(days=7)}])
def test_26_points_are_available_and_their_key_is_not(state: dict[str, object]) -> None:
    world = examples.world(primary={"keys": (examples.key(**state),)})
    assert worst(world, "RP-01") is PASS
    assert worst(world, "VLT-02") is FAIL
    assert worst(world, "FEA-01") is FAIL


def test_27_advanced_features_are_off_in_one_region() -> None:
    native = RegionSettings(opt_in={"DynamoDB": True}, management={"DynamoDB": False})
    world = examples.world(primary={"settings": native})
    assert verdict(world, "FEA-02", "main/monthly").status is FAIL
    assert verdict(world, "FEA-01", "main/daily").status is FAIL, "nothing is copied"
    assert worst(world, "DR-05") is FAIL


def test_27_a_native_point_does_not_tell_its_key() -> None:
    """Without advanced features the ARN is DynamoDB's and the key the table's: a backup, if not the one asked for."""
    native = tuple(
        replace(point, arn=f"{examples.TABLE_ARN}/backup/{number:014}-0", key_arn=None)
        for number, point in enumerate(examples.points())
    )
    assert worst(holding(native), "RP-01") is PASS
    assert worst(holding(native), "RP-04") is UNKNOWN


def test_28_the_vault_that_every_account_has() -> None:
    """AWS's own `Default`, under AWS's own key, is judged like any other, and is not what the policy asks for."""
    wanted = (examples.policy_vault(name="Default"), examples.policy_vault("dr"))
    default = examples.vault(
        name="Default", arn=examples.VAULT_ARN.replace("shop-vault", "Default"), locked=False, policy=None
    )
    world = examples.world(
        policy=examples.policy(vaults=wanted),
        primary={"vaults": (default,), "keys": (examples.key(manager="AWS"),)},
    )
    for control in ("VLT-02", "VLT-03", "VLT-04"):
        assert verdict(world, control, resource=":Default").status is FAIL, control
    assert worst(world, "VLT-01") is PASS


def test_28_vaults_of_one_name_in_two_regions_and_an_air_gapped_one() -> None:
    vaults = (examples.policy_vault(), examples.policy_vault("dr", name="shop-vault"))
    twin = examples.dr_vault(name="shop-vault", arn=examples.VAULT_ARN.replace(examples.HERE, examples.THERE))
    world = examples.world(policy=examples.policy(vaults=vaults), dr={"vaults": ()})
    assert verdict(world, "VLT-01", resource="/vaults/dr").status is FAIL
    both = examples.world(policy=examples.policy(vaults=vaults), dr={"vaults": (twin,)})
    assert worst(both, "VLT-01") is PASS
    gapped = examples.world(
        policy=examples.policy(vaults=(examples.policy_vault(), examples.policy_vault("dr", air_gapped=True))),
        dr={"vaults": (examples.dr_vault(type="LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),)},
    )
    assert worst(gapped, "VLT-01") is PASS


def test_28_a_rule_that_writes_straight_into_an_air_gapped_vault() -> None:
    gapped = examples.VAULT_ARN.replace("shop-vault", "shop-gapped")
    finding = verdict(ruled(air_gapped_vault_arn=gapped), "PLN-02", "main/daily")
    assert finding.status is FAIL
    assert "into shop-gapped" in finding.message


def test_34_an_account_that_a_mock_accepted_is_refused_here() -> None:
    """Mocks take a plan that AWS refuses, and lose the fields that matter: neither is green."""
    impossible = ruled(delete_after_days=90, move_to_cold_after_days=30)
    assert verdict(impossible, "FEA-01", "main/daily").status is FAIL
    assert verdict(impossible, "PLN-05", "main/daily").status is FAIL
    lost = examples.world(primary={"tables": (examples.table(pitr=examples.pitr(window_days=None, latest=None)),)})
    assert verdict(lost, "PIT-02").status is UNKNOWN
    assert verdict(lost, "PIT-03").status is UNKNOWN
