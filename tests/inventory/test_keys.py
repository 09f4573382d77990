"""Keys as an audit reads them, and who may end them: from a sandbox's own KMS and IAM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.inventory.building import policy

from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.evaluate import evaluate
from backcheck.finding import Status
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.inventory.iam import Key
from backcheck.inventory.model import Inventory
from backcheck.policy.model import Policy, Roles, Vault
from backcheck.sandbox import Sandbox

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY: Policy = policy(
    vaults=(Vault(key="main", name="orders-vault", region="primary"),), roles=Roles(break_glass=("break-glass",))
)
ACCOUNT = POLICY.accounts[0].id


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(account=ACCOUNT, start=NOW) as opened:
        yield opened


def document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def with_a_key(sandbox: Sandbox, *statements: dict[str, object]) -> str:
    """A vault under a key with two aliases, and a role that may end any key."""
    kms = sandbox.client("kms")
    root: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    arn: str = kms.create_key(Policy=document(root, *statements))["KeyMetadata"]["Arn"]
    for alias in ("alias/orders", "alias/backups"):
        kms.create_alias(AliasName=alias, TargetKeyId=arn)
    sandbox.client("backup").create_backup_vault(BackupVaultName="orders-vault", EncryptionKeyArn=arn)
    iam = sandbox.client("iam")
    trust: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    may: dict[str, object] = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    for name in ("operator", "break-glass"):
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        iam.put_role_policy(
            RoleName=name, PolicyName="keys", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]})
        )
    return arn


def read(sandbox: Sandbox, asked: Policy = POLICY) -> Inventory:
    target = Target(account=asked.accounts[0], session=sandbox.session(), kind=Kind.SANDBOX)
    return collect([target], asked, lambda: NOW)


def few_may_destroy(inventory: Inventory, asked: Policy = POLICY) -> tuple[Status, str]:
    control = next(one for one in CONTROLS if one.id == "IAM-04")
    [found] = evaluate(World(policy=asked, now=NOW, inventory=inventory), (control,))
    return found.status, found.message


def test_a_keys_aliases_are_read(sandbox: Sandbox) -> None:
    arn = with_a_key(sandbox)
    [key] = [one for region in read(sandbox).regions() for one in region.keys]
    assert isinstance(key, Key)
    assert (key.arn, key.aliases) == (arn, ("alias/backups", "alias/orders"))


def test_who_may_end_a_vaults_key_is_told(sandbox: Sandbox) -> None:
    arn = with_a_key(sandbox)
    status, message = few_may_destroy(read(sandbox))
    assert status is Status.FAIL
    assert message == f"operator may kms:DisableKey on {arn}, operator may kms:ScheduleKeyDeletion on {arn}"


def test_a_keys_policy_may_keep_them_from_it(sandbox: Sandbox) -> None:
    spared = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/break-glass"}}
    actions = ["kms:ScheduleKeyDeletion", "kms:DisableKey"]
    with_a_key(sandbox, {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": "*", "Condition": spared})
    assert few_may_destroy(read(sandbox))[0] is Status.PASS


def test_a_keys_policy_may_let_somebody_end_it_without_iam(sandbox: Sandbox) -> None:
    operator, keeper = f"arn:aws:iam::{ACCOUNT}:role/operator", f"arn:aws:iam::{ACCOUNT}:user/keeper"
    ends = ["kms:DisableKey", "kms:ScheduleKeyDeletion"]
    arn = with_a_key(
        sandbox,
        {"Effect": "Deny", "Principal": {"AWS": operator}, "Action": "kms:Disable*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": keeper}, "Action": ends, "Resource": "*"},
    )
    assert few_may_destroy(read(sandbox)) == (Status.FAIL, f"keeper may kms:DisableKey on {arn}")


def test_who_may_destroy_one_of_two_vaults_is_told_though_the_decision_on_both_is_no(sandbox: Sandbox) -> None:
    names = ("orders-vault", "archive-vault")
    asked = policy(
        vaults=tuple(Vault(key=name, name=name, region="primary") for name in names),
        roles=Roles(break_glass=("break-glass",)),
    )
    with_a_key(sandbox)
    arn = sandbox.client("backup").create_backup_vault(BackupVaultName="archive-vault")["BackupVaultArn"]
    iam = sandbox.client("iam")
    for role in ("operator", "break-glass"):
        iam.delete_role_policy(RoleName=role, PolicyName="keys")
    may: dict[str, object] = {"Effect": "Allow", "Action": "backup:DeleteBackupVault", "Resource": arn}
    iam.put_role_policy(RoleName="operator", PolicyName="one", PolicyDocument=document(may))
    both = sandbox.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/operator",
        ActionNames=["backup:DeleteBackupVault"],
        ResourceArns=[arn, arn.replace("archive", "orders")],
    )
    assert [one["EvalDecision"] for one in both["EvaluationResults"]] == ["implicitDeny"]
    found = few_may_destroy(read(sandbox, asked), asked)
    assert found == (Status.FAIL, f"operator may backup:DeleteBackupVault on {arn}")
