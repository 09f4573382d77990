"""FEA-01: every job can succeed."""

from collections.abc import Iterator
from typing import Any

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, sorted_out, unread, verdict
from backcheck.controls.coverage import coverage
from backcheck.controls.deployment import DeployedRule, copy_lifecycle, deployed_rules, kept_for, partition, retention
from backcheck.controls.dr_05_dr_restores import advanced
from backcheck.controls.keys import NOT_THERE, find_key, why_unusable
from backcheck.controls.lifecycle import CONTINUOUS_MAXIMUM_DAYS, long_enough_in_cold
from backcheck.controls.moments import few
from backcheck.controls.roles import role_name
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.controls.table_policy import BACKING_UP, BESIDES, denied, open_question
from backcheck.controls.vaults import find_vault_by_arn
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import PolicyDocument
from backcheck.inventory.model import Table
from backcheck.policy.model import Tier

GUIDE = "https://docs.aws.amazon.com/aws-backup/latest/devguide"
LEAST_START_WINDOW = 60
"""Where a start window is given it is at least this long (botocore, BackupRuleInput.StartWindowMinutes)."""


def _with_table_policy(action: str = BACKING_UP, **changes: Any) -> World:
    denying = {"principals": (("AWS", "*"),), **changes}
    policy = examples.document(examples.allow(action, effect="Deny", **denying))
    return examples.world(primary={"tables": (examples.table(policy=policy),)})


@control(
    id="FEA-01",
    title="Every job can succeed",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=deployed_rules,
    in_template={
        cfn.PLAN: (cfn.BACKUP_RULE,),
        cfn.VAULT: ("/LockConfiguration",),
        cfn.AIR_GAPPED: ("",),
        cfn.KEY: ("",),
        cfn.TABLE: ("/ResourcePolicy",),
        cfn.GLOBAL_TABLE: ("/Replicas",),
    },
    why=(
        "AWS accepts rules whose every job then fails: against a vault's lock, a key, a table's policy, a vault that "
        "is not there."
    ),
    remedy=(
        "Change the rule's retention or the vault's lock; create the vault; enable key or features; spare the role in "
        "the table's policy."
    ),
    sources=(
        f"{GUIDE}/vault-lock.html",
        f"{GUIDE}/advanced-ddb-backup.html",
        f"{GUIDE}/point-in-time-recovery.html",
        f"{GUIDE}/create-cross-account-backup.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "nothing stands in the way": examples.world,
        "the table's policy spares the role": lambda: _with_table_policy(
            conditions=(("ArnNotEquals", "aws:PrincipalArn", (examples.role("backup").arn,)),)
        ),
        "the table's policy denies deleting": lambda: _with_table_policy("dynamodb:DeleteTable"),
        "the table's policy denies another role": lambda: _with_table_policy(
            principals=(("AWS", f"arn:aws:iam::{examples.ACCOUNT}:role/shop-api"),)
        ),
    },
    fails={
        "kept longer than the lock allows": lambda: examples.world(
            primary={"vaults": (examples.vault(max_retention_days=90),)}
        ),
        "the copy is kept for less than the DR lock asks": lambda: examples.world(
            dr={"vaults": (examples.dr_vault(min_retention_days=60),)}
        ),
        "no DR vault": lambda: examples.world(dr={"vaults": ()}),
        "the table's policy denies it to all but a person": lambda: _with_table_policy(
            conditions=(("ArnNotEquals", "aws:PrincipalArn", (f"arn:aws:iam::{examples.ACCOUNT}:role/admin",)),)
        ),
        "the table's policy denies the role everything": lambda: _with_table_policy(
            "dynamodb:*", principals=(("AWS", examples.role("backup").arn),)
        ),
        "the key is disabled": lambda: examples.world(primary={"keys": (examples.key(state="Disabled"),)}),
        "continuous and cold": lambda: examples.world(
            primary={"plans": (examples.plan(rules=(examples.rule(), examples.rule("Monthly", continuous=True))),)}
        ),
        "a copy across accounts under AWS's key": lambda: examples.world(
            primary={
                "keys": (examples.key(manager="AWS"),),
                "plans": (
                    examples.plan(
                        rules=examples.rules(
                            copies=(
                                examples.copy_action(
                                    destination_vault_arn="arn:aws:backup:us-west-2:999988887777:backup-vault:theirs"
                                ),
                            )
                        )
                    ),
                ),
            }
        ),
    },
    unknown={
        "DR vaults not listed": lambda: examples.world(dr={"vaults": examples.gap("ListBackupVaults")}),
        "table's policy not read": lambda: examples.world(
            primary={"tables": (examples.table(policy=examples.gap("GetResourcePolicy", service="dynamodb")),)}
        ),
        "the table's policy asks for what is not known": lambda: _with_table_policy(
            conditions=(("StringNotEquals", "aws:SourceVpce", ("vpce-1",)),)
        ),
        "the table's policy denies what AWS's own policy allows besides": lambda: _with_table_policy(
            "dynamodb:DescribeTable"
        ),
        "the table's policy spares by NotPrincipal": lambda: _with_table_policy(
            principals=(), not_principals=(("AWS", examples.role("backup").arn),)
        ),
        "key not read": lambda: examples.world(
            primary={"keys": (examples.gap("DescribeKey", service="kms", resource=examples.KEY_ARN),)}
        ),
    },
)
def job_can_succeed(deployed: DeployedRule, world: World) -> Verdict:
    """Vaults, locks, keys and features of the rule and of its copies admit what the rule asks for."""
    problems, gap = sorted_out(
        [
            *_the_rule(deployed),
            *_backup(deployed, world),
            *_copies(deployed, world),
            *_tables(deployed, world),
        ]
    )
    if gap:
        return unread(gap, resource=deployed.resource, tier=deployed.tier)
    return verdict(
        not problems,
        expected="nothing that makes every job fail",
        observed="; ".join(problems) or "nothing",
        at=f"GetBackupPlan.Rules[{deployed.rule.name}], DescribeBackupVault, DescribeKey, GetResourcePolicy",
        message=f"rule {deployed.rule.name}: {few(problems) or 'its jobs can succeed'}",
        instances=problems,
    )


def _the_rule(deployed: DeployedRule) -> Iterator[str]:
    rule = deployed.rule
    if not long_enough_in_cold(retention(rule.delete_after_days), rule.move_to_cold_after_days):
        yield "it would be less than 90 days in cold storage, which AWS refuses"
    if rule.continuous and rule.move_to_cold_after_days is not None:
        yield "continuous backups cannot go to cold storage"
    if rule.continuous and (retention(rule.delete_after_days) or CONTINUOUS_MAXIMUM_DAYS + 1) > CONTINUOUS_MAXIMUM_DAYS:
        yield f"continuous backups are kept for at most {CONTINUOUS_MAXIMUM_DAYS} days"
    if rule.start_window_minutes is not None and rule.start_window_minutes < LEAST_START_WINDOW:
        yield f"a start window of {rule.start_window_minutes} min is less than AWS accepts"


def _backup(deployed: DeployedRule, world: World) -> Iterator[str | Gap]:
    plan, name = deployed.plan, deployed.rule.target_vault_name
    arn = f"arn:{partition(plan.region)}:backup:{plan.region}:{plan.account}:backup-vault:{name}"
    yield from _into(arn, retention(deployed.rule.delete_after_days), "backups", world)


def _copies(deployed: DeployedRule, world: World) -> Iterator[str | Gap]:
    source = world.index.regions.get((deployed.plan.account, deployed.plan.region))
    for action in deployed.rule.copies:
        yield from _into(action.destination_vault_arn, copy_lifecycle(action, deployed.rule)[0], "copies", world)
        if action.destination_vault_arn.split(":")[4:5] != [deployed.plan.account]:
            yield from _across_accounts(deployed, world)
    if deployed.rule.copies and source is not None and Reads.TEMPLATE not in world.reads:
        if isinstance(source.settings, Gap):
            yield source.settings
        elif not advanced(source.settings):
            yield f"without DynamoDB's advanced features in {source.region} nothing is copied"


def _tables(deployed: DeployedRule, world: World) -> Iterator[str | Gap]:
    """The policies of the tables that the rule backs up, against the roles of the selections that take them."""
    for subject in tables_in_scope(world):
        if not isinstance(subject, ScopedTable) or deployed.wanted not in subject.tiers:
            continue
        policy, selections = subject.table.policy, deployed.plan.selections
        if isinstance(policy, Gap):
            yield policy
        elif policy is not None and isinstance(selections, Gap):
            yield selections
        elif policy is not None:
            for role in _roles(subject, deployed.wanted, world):
                yield from _denial(subject.table, policy, role)


def _roles(subject: ScopedTable, tier: Tier, world: World) -> list[str]:
    """Those of the selections that take a table into the tier's plan, or may."""
    choices = (choice for one in coverage(subject, world) if one.wanted.key == tier.plan for choice in one.choices)
    return sorted({one.selection.iam_role_arn for one in choices if one.membership.selected is not False})


def _denial(table: Table, policy: PolicyDocument, role: str) -> Iterator[str | Gap]:
    if denied(policy, table, role, (BACKING_UP,)):
        yield f"the policy of {table.name} denies {role_name(role)} {BACKING_UP}"
    elif denied(policy, table, role, (BACKING_UP, *BESIDES)) is not False:
        needed = ", ".join((BACKING_UP, *BESIDES))
        yield open_question(table, f"it may deny {role_name(role)} what a backup takes: {needed}")


def _into(arn: str, days: int | None, what: str, world: World) -> Iterator[str | Gap]:
    vault = find_vault_by_arn(arn, world)
    if vault is None:
        yield f"{what} go to {arn}, which does not exist"
    elif isinstance(vault, Gap):
        yield vault
    else:
        yield from _lock(vault, days, what)
        yield from _key(vault, what, world)


def _lock(vault: Vault, days: int | None, what: str) -> Iterator[str]:
    if not vault.locked:
        return
    low, high = vault.min_retention_days, vault.max_retention_days
    if high is not None and (days is None or days > high):
        yield f"{what} are kept {kept_for(days)}, and the lock of {vault.name} allows {high} days at most"
    if low is not None and days is not None and days < low:
        yield f"{what} are kept {kept_for(days)}, and the lock of {vault.name} asks for {low} days at least"


def _key(vault: Vault, what: str, world: World) -> Iterator[str | Gap]:
    if vault.key_arn is None:
        return
    key = find_key(vault.key_arn, world)
    if isinstance(key, Gap):
        yield f"the key of {vault.name} does not exist" if key.code in NOT_THERE else key
    else:
        yield from (f"{what}: the key of {vault.name} {why}" for why in why_unusable(key))


def _across_accounts(deployed: DeployedRule, world: World) -> Iterator[str]:
    """An AWS managed key cannot be shared with another account."""
    vault_name = deployed.rule.target_vault_name
    vault = world.index.vaults.get((deployed.plan.account, deployed.plan.region, vault_name))
    key = find_key(vault.key_arn, world) if vault and vault.key_arn else None
    if key is not None and not isinstance(key, Gap) and key.manager == "AWS":
        yield f"copies to another account cannot be made from {vault_name}, which is under an AWS managed key"
