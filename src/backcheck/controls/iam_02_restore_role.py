"""IAM-02: the role that restores can, and only it is passed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backcheck.controls import cfn, examples
from backcheck.controls.conditions import from_account
from backcheck.controls.control import BOTH, World, control, sorted_out, unread, verdict
from backcheck.controls.iam_policy import action_matches, allows
from backcheck.controls.key_access import Need
from backcheck.controls.key_needs import (
    accounts_of,
    away_needs,
    restored_needs,
    used_vaults,
    vault_needs,
    vaults_at_home,
    vaults_away,
)
from backcheck.controls.keys import NOT_THERE
from backcheck.controls.restored_table import on_a_new_table
from backcheck.controls.roles import open_question, role_name
from backcheck.controls.service_roles import AWS_POLICIES, BACKUP, FOR_RESTORES, NamedRole, as_named, judge_role
from backcheck.finding import Severity, Status, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import NamedPolicy, Role, Statement
from backcheck.policy.model import KeyKind, Policy, Vault

AT = "GetRole, ListAttachedRolePolicies, GetRolePolicy"
SOME_TABLE_ACTION = "dynamodb:RestoreTableFromAwsBackup"
THERE = "shop-restore-dr"


def restore_roles(world: World) -> Iterator[NamedRole]:
    """The roles that the policy names for restores, each in each account that has vaults that it restores from.

    A backup is restored in the account that holds it (create-cross-account-backup). IAM is global: in one account one
    role may serve every Region, and does where the policy names none for the DR Region.
    """
    yield from {named.resource: named for named in _named(world)}.values()


def _named(world: World) -> Iterator[NamedRole]:
    policy = world.policy
    if policy.roles.restore:
        for account in dict.fromkeys((policy.home.id, *accounts_of(_vaults(policy), policy))):
            yield as_named(policy.roles.restore, account, world)
    if policy.roles.restore_dr:
        for account in dict.fromkeys(accounts_of(vaults_away(policy), policy)):
            yield as_named(policy.roles.restore_dr, account, world)


def _vaults(policy: Policy) -> tuple[Vault, ...]:
    """What `restore` restores from: every vault where the policy names no role for the DR Region."""
    return vaults_at_home(policy) if policy.roles.restore_dr else used_vaults(policy)


def _needs(named: NamedRole, world: World) -> Iterator[Need | Gap]:
    roles = world.policy.roles
    if named.name == role_name(roles.restore or ""):
        yield from vault_needs(_vaults(world.policy), named.account, world)
        yield from restored_needs(named.account, world)
    if named.name == role_name(roles.restore_dr or ""):
        yield from away_needs(named.account, world)


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


TO_BACKUP = (("StringEquals", "iam:PassedToService", (BACKUP,)),)


def _passes(**changes: Any) -> Statement:
    """What the drill role needs to pass the restore role, and no other, to AWS Backup."""
    arn = f"arn:aws:iam::{examples.ACCOUNT}:role/shop-restore"
    return examples.allow("iam:PassRole", **{"resources": (arn,), "conditions": TO_BACKUP, **changes})


def _drill_policies(*statements: Statement) -> World:
    return examples.world(account={"roles": examples.roles("drill", policies=(examples.inline(*statements),))})


def _two(*passed: str, there: tuple[NamedPolicy, ...] | None = None, **changes: Any) -> World:
    """With a role of the DR Region's own, which has policies of its own, and the roles that the drill role may pass."""
    arns = tuple(f"arn:aws:iam::{examples.ACCOUNT}:role/{name}" for name in passed or ("shop-restore", THERE))
    passing = examples.inline(_passes(resources=arns))
    of_dr = examples.role("restore", name=THERE, arn=f"arn:aws:iam::{examples.ACCOUNT}:role/{THERE}")
    of_dr = of_dr if there is None else replace(of_dr, policies=there)
    policy = examples.policy(roles=examples.role_names(restore_dr=THERE))
    roles = (*examples.roles("drill", policies=(passing,)), of_dr)
    return examples.world(**{"account": {"roles": roles}, "policy": policy, **changes})


def _in_place() -> NamedPolicy:
    """A policy that speaks of the table alone."""
    return examples.inline(examples.allow(SOME_TABLE_ACTION, resources=(examples.TABLE_ARN,)), examples.use_keys())


def _using(*keys: str) -> tuple[NamedPolicy, ...]:
    """A policy that may restore, and use those keys as AWS Backup needs it."""
    return (examples.inline(examples.allow(SOME_TABLE_ACTION), examples.use_keys(resources=keys)),)


@control(
    id="IAM-02",
    title="The role that restores can, and only it is passed",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=restore_roles,
    in_template={
        cfn.ORGANIZATION: ("",),
        cfn.ROLE: ("/AssumeRolePolicyDocument", "/ManagedPolicyArns", "/Policies"),
        **cfn.ROLES,
        **cfn.KEYS,
    },
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
        "the DR Region has its own": lambda: _two(),
        "it may not write to the table that is restored": lambda: _own(
            examples.use_keys(), examples.allow("dynamodb:*Item", effect="Deny", resources=(examples.TABLE_ARN,))
        ),
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
        "the DR Region's may not use the DR vault's key": lambda: _two(there=_using(examples.KEY_ARN)),
        "the DR Region's does not exist": lambda: _two(account={"roles": examples.roles()}),
        "the DR Region's may not be passed": lambda: _two("shop-restore"),
        "another may be passed besides the two": lambda: _two("shop-restore", THERE, "shop-backup"),
        "it is the backup role": lambda: examples.world(
            policy=examples.policy(roles=examples.role_names(restore="shop-backup"))
        ),
        "nobody may pass it": lambda: _drill_policies(examples.allow("backup:StartRestoreJob")),
        "passing it is denied": lambda: _drill_policies(_passes(), replace(examples.allow("*"), effect="Deny")),
        "any role may be passed": lambda: _drill_policies(examples.allow("iam:PassRole")),
        "any role but one may be passed": lambda: _drill_policies(
            _passes(resources=(), not_resources=(f"arn:aws:iam::{examples.ACCOUNT}:role/admin",))
        ),
        "to any service but AWS Backup": lambda: _drill_policies(
            _passes(conditions=(("StringNotEquals", "iam:PassedToService", (BACKUP,)),))
        ),
        "to any service": lambda: _drill_policies(_passes(conditions=())),
    },
    unknown={
        "it may not fill the restored table": lambda: _own(
            examples.use_keys(), examples.allow("dynamodb:BatchWriteItem", effect="Deny")
        ),
        "it may restore into no table of such a name": lambda: _own(
            examples.use_keys(),
            examples.allow("dynamodb:*", effect="Deny", resources=("arn:aws:dynamodb:*:*:table/restored-*",)),
        ),
        "it may restore the tables that are there, and into no other": lambda: examples.world(
            account={"roles": examples.roles("restore", policies=(_in_place(),))}
        ),
        "it may not use the table's key, which a restored table may get": lambda: _table_under_a_key(
            examples.use_keys()
        ),
        "the DR Region's may not put a table under the DR vault's key": lambda: _two(there=_using(examples.DR_KEY_ARN)),
        "whether it may be passed hangs on a tag": lambda: _drill_policies(
            _passes(conditions=(*TO_BACKUP, ("StringEquals", "aws:PrincipalTag/team", ("data",))))
        ),
        "the drill role's boundary, which was not read": lambda: examples.world(
            account={"roles": examples.roles("drill", boundary_arn="arn:aws:iam::111122223333:policy/boundary")}
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
    """A role of its own, which may restore and use the keys, and which the drill role passes to AWS Backup: only it,
    and the policy's other restore role.

    Who may pass it in an account without a drill role is not judged.
    """
    if named.name == role_name(world.policy.roles.backup or ""):
        return _told(named, ["it is the backup role: a restore needs rights that a backup must not have"])
    judged = judge_role(named, [SOME_TABLE_ACTION], FOR_RESTORES, world, _needs(named, world))
    if judged.status is Status.FAIL:
        return judged
    if judged.status is Status.PASS and (gap := next(on_a_new_table(named, SOME_TABLE_ACTION, world), None)):
        judged = unread(gap, resource=named.resource)
    caller = world.policy.roles.drill
    if caller is None or isinstance(named.role, Gap):
        return judged
    passing = as_named(caller, named.account, world).role
    if isinstance(passing, Gap) and passing.code in NOT_THERE and named.account != world.policy.home.id:
        return judged
    if isinstance(passing, Gap):
        return unread(passing, resource=named.resource)
    if isinstance(passing.policies, Gap):
        return unread(passing.policies, resource=named.resource)
    ours = {one.resource for one in restore_roles(world) if one.account == named.account}
    problems, gap = sorted_out(_passing(passing, passing.policies, named.role, ours))
    if problems:
        return _told(named, problems)
    return unread(gap, resource=named.resource) if gap else judged


def _told(named: NamedRole, problems: list[str]) -> Verdict:
    return verdict(
        False,
        expected="a role of its own, passed to AWS Backup by the drill role, which passes no other",
        observed="; ".join(problems),
        at=AT,
        message=f"role {named.name}: {'; '.join(problems)}",
    )


def _passing(caller: Role, policies: tuple[NamedPolicy, ...], restore: Role, ours: set[str]) -> Iterator[str | Gap]:
    """What is wrong with how the drill role passes a restore role, and what of that is not known."""
    statements = [
        statement
        for policy in policies
        if not isinstance(policy.document, Gap)
        for statement in policy.document.statements
        if statement.effect == "Allow" and action_matches(statement, "iam:PassRole")
    ]
    to_backup = {**from_account(caller.account), "iam:passedtoservice": (BACKUP,)}
    may = allows(policies, "iam:PassRole", restore.arn, to_backup)
    if may is False:
        yield f"{caller.name} may not pass it (iam:PassRole)"
    yield from (policy.document for policy in policies if isinstance(policy.document, Gap))
    if may is None:
        yield open_question(caller, f"whether it may pass {restore.name} hangs on a condition")
    if caller.boundary_arn is not None:
        yield open_question(caller, f"its permissions boundary {caller.boundary_arn} was not read")
    for statement in statements:
        if statement.not_resources:
            yield f"{caller.name} may pass other roles too: all but {', '.join(statement.not_resources)}"
        elif not ours.issuperset(statement.resources):
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
