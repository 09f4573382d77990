"""Which keys a role needs: its own account's vaults, by advanced features; and a restore role wherever backups are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backcheck.controls import examples
from backcheck.controls.control import World
from backcheck.controls.iam_02_restore_role import restore_role_works
from backcheck.controls.key_access import Need
from backcheck.controls.key_needs import accounts_of, used_vaults, vault_needs, vaults_at_home, vaults_away
from backcheck.finding import Status, Verdict
from backcheck.inventory.backup import RegionSettings
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Statement
from backcheck.policy.model import Account

THEIRS = "444455556666"
NATIVE = RegionSettings(opt_in={"DynamoDB": True}, management={"DynamoDB": False})


def elsewhere(*roles: str) -> World:
    """The shop with its DR vault in an account of its own, which has these of its roles."""
    ours = examples.world()
    assert ours.inventory is not None
    [account] = ours.inventory.accounts
    here, there = account.regions
    assert not isinstance(there.vaults, Gap)
    theirs = replace(
        there,
        account=THEIRS,
        vaults=tuple(replace(one, account=THEIRS) for one in there.vaults),
        keys=(examples.key(examples.DR_KEY_ARN, account=THEIRS, policy=examples.document(_root(THEIRS))),),
    )
    made = tuple(
        replace(examples.role(name), account=THEIRS, arn=f"arn:aws:iam::{THEIRS}:role/shop-{name}") for name in roles
    )
    accounts = (replace(account, regions=(here,)), replace(account, id=THEIRS, regions=(theirs,), roles=made))
    policy = examples.policy(
        accounts=(Account(key="primary", id=examples.ACCOUNT), Account(key="vaults", id=THEIRS)),
        vaults=(examples.policy_vault(), examples.policy_vault("dr", account="vaults")),
    )
    return World(policy=policy, now=ours.now, inventory=replace(ours.inventory, accounts=accounts))


def _root(account: str) -> Statement:
    return examples.allow("kms:*", principals=(("AWS", f"arn:aws:iam::{account}:root"),))


def needs_of(account: str, world: World) -> list[Need | Gap]:
    return list(vault_needs(used_vaults(world.policy), account, world))


def judged(world: World) -> dict[str, Verdict]:
    return {one.resource.split(":")[4]: one for one in restore_role_works.judge(world)}


def test_a_restore_role_is_judged_in_each_account_that_holds_backups() -> None:
    world = elsewhere("restore")
    assert list(accounts_of(used_vaults(world.policy), world.policy)) == [examples.ACCOUNT, THEIRS]
    found = judged(world)
    assert {account: one.status for account, one in found.items()} == {
        examples.ACCOUNT: Status.PASS,
        THEIRS: Status.PASS,
    }


def test_without_it_the_copies_do_not_come_back_there() -> None:
    found = judged(elsewhere())
    assert found[examples.ACCOUNT].status is Status.PASS
    assert (found[THEIRS].status, found[THEIRS].message) == (
        Status.FAIL,
        "role shop-restore: it does not exist: the account has no such role",
    )


def test_with_a_role_for_the_dr_region_each_is_judged_where_it_restores() -> None:
    world = elsewhere("restore")
    named = replace(
        world, policy=replace(world.policy, roles=examples.role_names(restore_dr="shop-restore-dr", drill=None))
    )
    found = judged(named)
    assert (found[examples.ACCOUNT].status, found[examples.ACCOUNT].resource) == (
        Status.PASS,
        f"arn:aws:iam::{examples.ACCOUNT}:role/shop-restore",
    )
    assert (found[THEIRS].status, found[THEIRS].message) == (
        Status.FAIL,
        "role shop-restore-dr: it does not exist: the account has no such role",
    )


def test_a_vault_that_is_one_tiers_own_and_anothers_copy_is_both_roles_business() -> None:
    """Two Regions that hold each other's copies."""
    policy = examples.policy()
    [tier, *_] = policy.tiers
    [copy, *_] = tier.copies
    back = replace(tier, vault=copy.vault, copies=(replace(copy, vault=tier.vault),))
    plan = replace(policy.plans[0], tiers=(tier, back))
    both = replace(policy, plans=(plan,))
    assert vaults_at_home(both) == vaults_away(both) == used_vaults(both)
    assert [one.key for one in vaults_at_home(policy)] == [tier.vault]
    assert [one.key for one in vaults_away(policy)] == [copy.vault]


@pytest.mark.parametrize(("account", "vault"), [(examples.ACCOUNT, "shop-vault"), (THEIRS, "shop-vault-dr")])
def test_a_role_needs_the_keys_of_its_own_accounts_vaults(account: str, vault: str) -> None:
    [need] = needs_of(account, elsewhere("restore"))
    assert not isinstance(need, Gap)
    assert need.of == f"vault {vault}"


def test_without_advanced_features_nothing_is_under_a_vaults_key() -> None:
    world = examples.world(primary={"settings": NATIVE})
    assert [need.of for need in needs_of(examples.ACCOUNT, world) if not isinstance(need, Gap)] == [
        "vault shop-vault-dr"
    ]
    unread = examples.gap("DescribeRegionSettings")
    assert len(list(needs_of(examples.ACCOUNT, examples.world(primary={"settings": unread})))) == 2


def test_a_vault_that_was_not_looked_at_is_told() -> None:
    world = examples.world(dr={"vaults": examples.gap("ListBackupVaults")})
    assert [need.operation for need in needs_of(examples.ACCOUNT, world) if isinstance(need, Gap)] == [
        "ListBackupVaults"
    ]
