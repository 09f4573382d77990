"""IAM-02: the role that restores can, and only it is passed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, unread, verdict
from backcheck.controls.iam_policy import action_matches, allows
from backcheck.controls.key_needs import restored_needs, vault_accounts, vault_needs
from backcheck.controls.keys import NOT_THERE
from backcheck.controls.roles import role_name
from backcheck.controls.service_roles import AWS_POLICIES, BACKUP, FOR_RESTORES, NamedRole, as_named, judge_role
from backcheck.finding import Severity, Status, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import NamedPolicy, Role, Statement
from backcheck.policy.model import PRIMARY, KeyKind, Policy

AT = "GetRole, ListAttachedRolePolicies, GetRolePolicy"
SOME_TABLE_ACTION = "dynamodb:RestoreTableFromAwsBackup"


def restore_roles(world: World) -> Iterator[NamedRole]:
    """The role that the policy names for restores, in each account that has vaults of its tiers.

    A backup is restored in the account that holds it (create-cross-account-backup). IAM is global: in one account one
    role serves every Region.
    """
    if world.policy.roles.restore is None:
        return
    home = world.policy.account(PRIMARY) or world.policy.accounts[0]
    accounts = dict.fromkeys((home.id, *vault_accounts(world.policy)))
    found = (as_named(world.policy.roles.restore, account, world) for account in accounts)
    yield from {named.resource: named for named in found}.values()


def _own(*statements: Statement, **changes: Any) -> World:
    """The role with a policy of its own instead of AWS's."""
    policies = (examples.inline(examples.allow(SOME_TABLE_ACTION), *statements),)
    return examples.world(account={"roles": examples.roles("restore", policies=policies)}, **changes)


def _table_under_a_key(*statements: Statement, policy: Policy | None = None) -> World:
    """With AWS's policy for the role, or one of its own."""
    arn = f"{examples.KEY_ARN}-orders"
    primary = {
        "tables": (examples.table(encryption_type="KMS", encryption_key_arn=arn),),
        "keys": (examples.key(), examples.key(arn, aliases=("alias/orders",))),
    }
    return _own(*statements, primary=primary, policy=policy) if statements else examples.world(primary=primary)


def _drill_policies(*statements: Statement) -> World:
    return examples.world(account={"roles": examples.roles("drill", policies=(examples.inline(*statements),))})


@control(
    id="IAM-02",
    title="The role that restores can, and only it is passed",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=restore_roles,
    in_template={cfn.ROLE: ("/AssumeRolePolicyDocument", "/ManagedPolicyArns", "/Policies"), **cfn.ROLES, **cfn.KEYS},
    why="On the worst day the restore is refused: no role, no right, no use of the key, or nobody who may pass it.",
    remedy=(
        f"aws iam attach-role-policy --role-name ROLE --policy-arn {AWS_POLICIES}/{FOR_RESTORES}; "
        "give the caller iam:PassRole on that role's ARN with iam:PassedToService backup.amazonaws.com"
    ),
    sources=(
        f"https://docs.aws.amazon.com/aws-managed-policy/latest/reference/{FOR_RESTORES}.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-dynamodb.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "a role of its own": examples.world,
        "a table under a key that it may use": lambda: _table_under_a_key(),
    },
    fails={
        "it may not restore": lambda: examples.world(account={"roles": examples.roles("restore", policies=())}),
        "it may use no key": lambda: _own(),
        "it is denied the DR vault's key": lambda: _own(
            examples.use_keys(), examples.use_keys(effect="Deny", resources=(examples.DR_KEY_ARN,))
        ),
        "it may not use the key that restored tables must have": lambda: _table_under_a_key(
            examples.use_keys(), policy=examples.policy(scope=examples.encrypted_by(KeyKind.CUSTOMER))
        ),
        "it is the backup role": lambda: examples.world(
            policy=examples.policy(roles=examples.role_names(restore="shop-backup"))
        ),
        "nobody may pass it": lambda: _drill_policies(examples.allow("backup:StartRestoreJob")),
        "passing it is denied": lambda: _drill_policies(
            examples.allow(
                "iam:PassRole",
                resources=(f"arn:aws:iam::{examples.ACCOUNT}:role/shop-restore",),
                conditions=(("StringEquals", "iam:PassedToService", (BACKUP,)),),
            ),
            replace(examples.allow("*"), effect="Deny"),
        ),
        "any role may be passed": lambda: _drill_policies(examples.allow("iam:PassRole")),
        "to any service but AWS Backup": lambda: _drill_policies(
            examples.allow(
                "iam:PassRole",
                resources=(f"arn:aws:iam::{examples.ACCOUNT}:role/shop-restore",),
                conditions=(("StringNotEquals", "iam:PassedToService", (BACKUP,)),),
            )
        ),
        "to any service": lambda: _drill_policies(
            examples.allow("iam:PassRole", resources=(f"arn:aws:iam::{examples.ACCOUNT}:role/shop-restore",))
        ),
    },
    unknown={
        "it may not use the table's key, which a restored table may get": lambda: _table_under_a_key(
            examples.use_keys()
        ),
        "drill role not read": lambda: examples.world(
            account={
                "roles": (
                    *examples.roles()[:2],
                    examples.gap("GetRole", service="iam", resource="shop-drill"),
                    examples.role("auditor"),
                )
            }
        ),
        "its policies not read": lambda: examples.world(
            account={"roles": examples.roles("restore", policies=examples.gap("ListAttachedRolePolicies"))}
        ),
    },
)
def restore_role_works(named: NamedRole, world: World) -> Verdict:
    """A role of its own, which may restore and use the keys, and which the drill role passes to AWS Backup: only it.

    Who may pass it in an account without a drill role is not judged.
    """
    if named.name == role_name(world.policy.roles.backup or ""):
        return _told(named, ["it is the backup role: a restore needs rights that a backup must not have"])
    needs = (*vault_needs(named.account, world), *restored_needs(named.account, world))
    judged = judge_role(named, [SOME_TABLE_ACTION], FOR_RESTORES, world, needs)
    if judged.status is Status.FAIL:
        return judged
    caller = world.policy.roles.drill
    if caller is None or isinstance(named.role, Gap):
        return judged
    passing = as_named(caller, named.account, world).role
    if isinstance(passing, Gap) and passing.code in NOT_THERE and not _is_home(named, world):
        return judged
    if isinstance(passing, Gap):
        return unread(passing, resource=named.resource)
    if isinstance(passing.policies, Gap):
        return unread(passing.policies, resource=named.resource)
    problems = list(_passing(passing, passing.policies, named.role))
    if problems:
        return _told(named, problems)
    texts = [policy.document for policy in passing.policies if isinstance(policy.document, Gap)]
    return unread(texts[0], resource=named.resource) if texts else judged


def _is_home(named: NamedRole, world: World) -> bool:
    home = world.policy.account(PRIMARY) or world.policy.accounts[0]
    return named.account == home.id


def _told(named: NamedRole, problems: list[str]) -> Verdict:
    return verdict(
        False,
        expected="a role of its own, passed to AWS Backup by the drill role, which passes no other",
        observed="; ".join(problems),
        at=AT,
        message=f"role {named.name}: {'; '.join(problems)}",
    )


def _passing(caller: Role, policies: tuple[NamedPolicy, ...], restore: Role) -> Iterator[str]:
    statements = [
        statement
        for policy in policies
        if not isinstance(policy.document, Gap)
        for statement in policy.document.statements
        if statement.effect == "Allow" and action_matches(statement, "iam:PassRole")
    ]
    if allows(policies, "iam:PassRole", restore.arn) is False:
        yield f"{caller.name} may not pass it (iam:PassRole)"
    for statement in statements:
        if any(pattern != restore.arn for pattern in statement.resources):
            yield f"{caller.name} may pass other roles too: {', '.join(statement.resources)}"
        if not _only_to_backup(statement):
            yield f"{caller.name} may pass it to any service: add iam:PassedToService"


def _only_to_backup(statement: Statement) -> bool:
    return any(
        operator.lower() in ("stringequals", "stringlike")
        and key.lower() == "iam:passedtoservice"
        and set(values) == {BACKUP}
        for operator, key, values in statement.conditions
    )
