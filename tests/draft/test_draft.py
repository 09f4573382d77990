"""What is written down of accounts that are not simple: nothing is lost, and each guess is marked."""

from __future__ import annotations

from typing import Any

import pytest

from backcheck.commands.policy_init import written_down
from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import World
from backcheck.draft import Draft
from backcheck.draft.text import text
from backcheck.errors import Error
from backcheck.evaluate import evaluate
from backcheck.finding import Status
from backcheck.inventory.gap import Gap
from backcheck.policy.load import parse
from backcheck.policy.model import Policy, Vault

VAULT = examples.VAULT_ARN
LONG = "orders-" + "x" * 80


def written(**primary: Any) -> tuple[Draft, Policy, str]:
    """The draft of the example account with these changes, the policy of its file, and the file."""
    inventory = examples.world(primary=primary).inventory
    assert inventory is not None
    drafted, world = written_down(inventory, examples.NOW, name="draft", owner="owner@example.com")
    file = text(drafted, evaluate(world, CONTROLS), inventory.gaps, "an account\nof two lines")
    return drafted, parse(file, file="draft.yaml", sha256="0" * 64), file


def vault(policy: Policy, key: str) -> Vault:
    found = policy.vault(key)
    assert found is not None
    return found


def test_two_rules_that_would_be_one_tier_stay_two() -> None:
    rules = (examples.rule(), examples.rule(id="rule-2", name="DailyBackups", schedule="cron(0 13 * * ? *)"))
    _, policy, _ = written(plans=(examples.plan(rules=rules),))
    assert [(tier.name, tier.rule) for tier in policy.tiers] == [("daily", "Daily"), ("daily-2", "DailyBackups")]


def test_a_table_has_the_tiers_of_the_plans_that_take_it() -> None:
    other = examples.table(name="events", arn=examples.TABLE_ARN.replace("orders", "events"))
    theirs = examples.plan(
        arn="arn:aws:backup:us-east-1:111122223333:backup-plan:two",
        id="two",
        name="events.plan",
        selections=(examples.selection(resources=(other.arn,)),),
    )
    _, policy, _ = written(
        tables=(examples.table(), other), table_names=("orders", "events"), plans=(examples.plan(), theirs)
    )
    assert {one.name: {tier.split("/")[0] for tier in one.tiers} for one in policy.tables} == {
        "orders": {"shop-plan"},
        "events": {"events.plan"},
    }


def test_a_plan_of_other_resources_is_left_out_and_named() -> None:
    disks = examples.plan(
        arn="arn:aws:backup:us-east-1:111122223333:backup-plan:disks",
        id="disks",
        name="disks",
        selections=(examples.selection(resources=("arn:aws:ec2:us-east-1:111122223333:volume/*",)),),
    )
    drafted, policy, file = written(plans=(examples.plan(), disks))
    assert [plan.name for plan in policy.plans] == ["shop-plan"]
    assert "plan disks in us-east-1: no selection of it takes a table that was read" in drafted.left_out
    assert "#   plan disks in us-east-1" in file


def test_a_table_that_nothing_takes_stays_in_and_is_marked() -> None:
    stray = examples.table(name=LONG, arn=examples.TABLE_ARN.replace("orders", LONG))
    drafted, policy, _ = written(tables=(examples.table(), stray), table_names=("orders", LONG))
    key = policy.tables[1].key
    assert (policy.tables[1].name, len(key)) == (LONG, 50)
    assert drafted.marks[f"/tables/{key}"].startswith("decide: nothing backs it up")
    assert len(policy.tables[1].tiers) == len(policy.tiers)


def test_recovery_that_differs_from_table_to_table() -> None:
    tables = tuple(
        examples.table(name=name, arn=examples.TABLE_ARN.replace("orders", name), pitr=pitr)
        for name, pitr in (
            ("deep", examples.pitr()),
            ("short", examples.pitr(window_days=7)),
            ("none", examples.pitr(enabled=False)),
        )
    )
    drafted, policy, _ = written(tables=tables, table_names=("deep", "short", "none"))
    assert [(policy.pitr_of(one).enabled, policy.pitr_of(one).window_days) for one in policy.tables] == [
        (True, 35),
        (True, 7),
        (False, 35),
    ]
    assert drafted.marks["/tables/none/pitr"] == "decide: off: only whole backups come back"


def test_a_copy_into_an_account_that_was_not_read() -> None:
    theirs = "arn:aws:backup:us-west-2:999988887777:backup-vault:theirs"
    rules = examples.rules(copies=(examples.copy_action(destination_vault_arn=theirs),))
    drafted, policy, _ = written(plans=(examples.plan(rules=rules),))
    assert {one.key: one.id for one in policy.accounts} == {
        "primary": examples.ACCOUNT,
        "account-999988887777": "999988887777",
    }
    assert vault(policy, "theirs").account == "account-999988887777"
    assert "name the role_arn" in drafted.marks["/accounts/account-999988887777"]
    assert "could not be read" in drafted.marks["/vaults/theirs"]


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ({"roles": ()}, "not looked for: of the account's roles only those that a selection uses or a policy named"),
        ({"roles": (), "kind": "sandbox"}, "not looked for: "),
        ({"roles": (), "kind": "template"}, "no role of the templates is one that AWS Backup may restore tables with"),
        (
            {"roles": (examples.gap("GetAccountAuthorizationDetails", service="iam"),)},
            "not known, the roles could not be read: iam:GetAccountAuthorizationDetails",
        ),
    ],
)
def test_a_restore_role_is_missing_only_where_every_role_was_read(account: dict[str, object], says: str) -> None:
    inventory = examples.world(account=account).inventory
    assert inventory is not None
    drafted, _ = written_down(inventory, examples.NOW, name="draft", owner="owner@example.com")
    (about,) = (one for one in drafted.left_out if one.startswith("roles.restore: "))
    assert about.startswith(f"roles.restore: {says}")


@pytest.mark.parametrize(
    ("changes", "pointer", "remark"),
    [
        ({"schedule": None}, "schedule", "decide: the rule says nothing, so AWS's default applies"),
        ({"delete_after_days": None}, "retention_days", "decide: the account keeps it for ever"),
        ({"continuous": True}, "continuous", "decide: it means nothing for DynamoDB"),
    ],
)
def test_what_a_rule_leaves_open_is_marked(changes: dict[str, object], pointer: str, remark: str) -> None:
    drafted, _, file = written(plans=(examples.plan(rules=(examples.rule(copies=(), **changes),)),))
    assert drafted.marks[f"/plans/shop-plan/tiers/daily/{pointer}"].startswith(remark)
    assert f"  # {remark}" in file


@pytest.mark.parametrize(
    ("changes", "pointer", "remark"),
    [
        ({"locked": False}, "lock", "decide: whoever has the permission"),
        ({"min_retention_days": None}, "lock", "decide: the lock has no minimum or no maximum"),
        ({"lock_date": examples.NOW}, "lock/changeable_for_days", "decide: AWS tells only its end, 2026-11-22"),
        ({"policy": None}, "deny_deletion", "decide: the access policy does not deny backup:DeleteRecoveryPoint"),
        (
            {"policy": examples.gap("GetBackupVaultAccessPolicy")},
            "deny_deletion",
            "decide: the access policy could not",
        ),
        ({"key_arn": "arn:aws:kms:us-east-1:1:key/unread"}, "key", "decide: arn:aws:kms:us-east-1:1:key/unread could"),
    ],
)
def test_what_a_vault_leaves_open_is_marked(changes: dict[str, object], pointer: str, remark: str) -> None:
    drafted, _, _ = written(vaults=(examples.vault(**changes),))
    assert drafted.marks[f"/vaults/shop-vault/{pointer}"].startswith(remark)


def test_an_air_gapped_vault_that_a_rule_writes_straight_into() -> None:
    gapped = VAULT.replace("shop-vault", "shop-gapped")
    _, policy, _ = written(
        plans=(examples.plan(rules=(examples.rule(copies=(), air_gapped_vault_arn=gapped),)),),
        vaults=(examples.vault(arn=gapped, name="shop-gapped", type="LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),),
    )
    assert policy.tiers[0].vault == "shop-gapped"
    assert vault(policy, "shop-gapped").air_gapped


def test_a_vault_without_a_key_of_its_own_and_one_under_awss() -> None:
    _, policy, _ = written(vaults=(examples.vault(key_arn=None),))
    assert str(vault(policy, "shop-vault").encryption) == "aws-owned"
    _, policy, _ = written(keys=(examples.key(manager="AWS"),))
    assert str(vault(policy, "shop-vault").encryption) == "aws-managed"


def test_plans_that_could_not_be_read() -> None:
    drafted, policy, _ = written(plans=(examples.plan(rules=examples.gap("GetBackupPlan")),))
    assert "plan shop-plan: its rules could not be read" in drafted.left_out
    assert drafted.marks["/tiers"] == "decide: proposed, since there is no backup plan that could be read"
    assert len(policy.tiers) == 1


def test_tables_that_restore_tests_made_are_left_out() -> None:
    made = examples.table(name="awsbackup-restore-test-1", arn=examples.TABLE_ARN.replace("orders", "awsbackup"))
    drafted, policy, _ = written(tables=(examples.table(), made), table_names=("orders", made.name))
    assert [table.name for table in policy.tables] == ["orders"]
    assert drafted.left_out[0].startswith("table awsbackup-restore-test-1: a restore test made it")


def test_tables_that_were_not_listed_are_an_error_with_the_call() -> None:
    denied: Gap = examples.gap("ListTables", service="dynamodb")
    with pytest.raises(Error, match="no table could be read: dynamodb:ListTables") as caught:
        written(table_names=denied, tables=())
    assert caught.value.exit_code == 2


def test_the_example_account_fails_nothing_that_was_written_of_it() -> None:
    inventory = examples.world().inventory
    assert inventory is not None
    _, world = written_down(inventory, examples.NOW, name="draft", owner="owner@example.com")
    assert isinstance(world, World)
    assert {f.control for f in evaluate(world, CONTROLS) if f.status is Status.FAIL} == set()
