"""Roles that AWS Backup assumes: whether it can, and whether they may what they are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from backcheck.controls.conditions import NAMING, Context, any_of, from_account, holds
from backcheck.controls.control import World, sorted_out, unread, verdict
from backcheck.controls.deployment import partition
from backcheck.controls.expected_points import vault_id
from backcheck.controls.iam_policy import admits, allows, denials
from backcheck.controls.key_access import Need, refusals
from backcheck.controls.keys import NOT_THERE
from backcheck.controls.moments import few
from backcheck.controls.roles import find_role, open_question, role_name
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import NamedPolicy, PolicyDocument, Role, Statement

BACKUP = "backup.amazonaws.com"
AWS_POLICIES = "arn:aws:iam::aws:policy/service-role"
FOR_BACKUP = "AWSBackupServiceRolePolicyForBackup"
FOR_RESTORES = "AWSBackupServiceRolePolicyForRestores"
AT = "GetRole.AssumeRolePolicyDocument, ListAttachedRolePolicies, GetKeyPolicy.Policy"
DATA_KEYS: Mapping[str, tuple[str, ...]] = {
    FOR_BACKUP: ("kms:Decrypt", "kms:GenerateDataKey"),
    FOR_RESTORES: (
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ),
}
"""What AWS's policies allow with any key through DynamoDB
(https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRole:
    """A role that the policy or a selection names."""

    name: str
    account: str
    resource: str
    role: Role | Gap
    copies: bool = False
    tier: None = None


def as_named(name_or_arn: str, account: str, world: World, *, copies: bool = False) -> NamedRole:
    """Look a role up."""
    role = find_role(name_or_arn, account, world)
    region = next((where for _, where in world.index.regions), "")
    written = (
        name_or_arn if name_or_arn.startswith("arn:") else f"arn:{partition(region)}:iam::{account}:role/{name_or_arn}"
    )
    resource = written if isinstance(role, Gap) else role.arn
    return NamedRole(name=role_name(name_or_arn), account=account, resource=resource, role=role, copies=copies)


def judge_role(
    named: NamedRole, actions: list[str], managed: str, world: World, needs: Iterable[Need | Gap]
) -> Verdict:
    """Whether AWS Backup can assume a role, whether it may do what it is for, and use the keys that it needs."""
    if isinstance(named.role, Gap):
        if named.role.code not in NOT_THERE:
            return unread(named.role, resource=named.resource)
        return _verdict(named, [f"it does not exist: {named.role.detail}"], managed)
    problems, gap = sorted_out([*_trust(named.role), *_permissions(named.role, actions, managed, world, needs)])
    if gap:
        return unread(gap, resource=named.resource)
    return _verdict(named, problems, managed, tuple(_notes(named.role)))


def _verdict(named: NamedRole, problems: list[str], managed: str, notes: tuple[str, ...] = ()) -> Verdict:
    return verdict(
        not problems,
        expected=f"trusts {BACKUP}, may what {managed} allows, and use the keys",
        observed="; ".join(problems) or "it does",
        at=AT,
        message=f"role {named.name}: {'; '.join(problems) or 'AWS Backup can use it'}",
        notes=notes,
    )


def _trust(role: Role) -> Iterator[str | Gap]:
    if isinstance(role.trust, Gap):
        yield role.trust
        return
    about = (role.trust, BACKUP, "sts:AssumeRole", role.arn)
    trusts, allowing = admits(*about)
    met = any_of(holds(one, _calls(role)) for one in allowing)
    if not trusts:
        yield f"it does not trust {BACKUP}"
    elif met is False:
        yield f"it trusts {BACKUP} under conditions that are not met: {_keys(allowing)}"
    elif met is None and not all(_on_the_source(one, role) for one in allowing):
        yield open_question(role, f"whether {BACKUP} may assume it hangs on {_keys(allowing)}")
    elif denying := [one for one in denials(*about) if holds(one, _calls(role)) is not False]:
        yield open_question(role, f"its trust policy denies {BACKUP} under conditions: {_keys(denying)}")


def _calls(role: Role) -> Context:
    """What is known of a call by which AWS Backup assumes a role, if it carries the key at all."""
    return {
        "aws:sourceaccount": (role.account,),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (BACKUP,),
        "aws:securetransport": ("true",),
    }


def _on_the_source(statement: Statement, role: Role) -> bool:
    """Conditions on the source alone, within the role's account: AWS recommends them (cross-service-confused-deputy-
    prevention), and no page says that AWS Backup's call carries the keys. That is a note."""
    return all(
        operator.lower() in NAMING
        and (
            key.lower() == "aws:sourceaccount"
            or (key.lower() == "aws:sourcearn" and all(value.split(":")[4:5] == [role.account] for value in values))
        )
        for operator, key, values in statement.conditions
    )


def _keys(statements: Iterable[Statement]) -> str:
    return ", ".join(sorted({key for one in statements for _, key, _ in one.conditions}))


def _permissions(
    role: Role, actions: list[str], managed: str, world: World, needs: Iterable[Need | Gap]
) -> Iterator[str | Gap]:
    if isinstance(role.policies, Gap):
        yield role.policies
        return
    ours = from_account(role.account)
    policies = tuple(as_on_its_page(policy, managed, actions) for policy in role.policies)
    for action in actions:
        answers = {resource: allows(policies, action, resource, ours) for resource in _resources(action, role, world)}
        refused = [resource for resource, answer in answers.items() if answer is False]
        if refused:
            yield f"it may not {action} on {few(refused)}"
        elif None in answers.values():
            yield open_question(role, f"whether it may {action} hangs on a condition, or on a policy that was not read")
    for need in needs:
        yield from (need,) if isinstance(need, Gap) else refusals(role, policies, need)
    if role.boundary_arn is not None:
        yield open_question(role, f"its permissions boundary {role.boundary_arn} was not read")


def as_on_its_page(policy: NamedPolicy, managed: str, actions: list[str]) -> NamedPolicy:
    """AWS's own policy for the role, with what its page says that it allows where its text was not read.

    It speaks for itself alone: any other policy, read or not, may take the right away.
    """
    is_theirs = policy.arn is not None and policy.arn.endswith(f":aws:policy/service-role/{managed}")
    if not is_theirs or not isinstance(policy.document, Gap):
        return policy
    through_dynamodb = (("StringLike", "kms:ViaService", ("dynamodb.*.amazonaws.com",)),)
    for_aws = (("Bool", "kms:GrantIsForAWSResource", ("true",)),)
    statements = (
        _allowing(tuple(actions)),
        _allowing(("kms:DescribeKey",)),
        _allowing(DATA_KEYS[managed], through_dynamodb),
        _allowing(("kms:CreateGrant",), for_aws),
    )
    return replace(policy, document=PolicyDocument(statements=statements))


def _allowing(actions: tuple[str, ...], conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()) -> Statement:
    return Statement(
        sid="",
        effect="Allow",
        actions=actions,
        not_actions=(),
        resources=("*",),
        not_resources=(),
        principals=(),
        not_principals=(),
        conditions=conditions,
    )


def _resources(action: str, role: Role, world: World) -> tuple[str, ...]:
    """Each table in scope in the role's account, or each vault that copies go to; a stand-in where there is none."""
    if action.startswith("dynamodb:"):
        scoped = (one.table for one in tables_in_scope(world) if isinstance(one, ScopedTable))
        tables = (table.arn for table in scoped if table.account == role.account)
        return tuple(tables) or ("arn:aws:dynamodb:us-east-1:000000000000:table/any",)
    keys = {copy.vault for tier in world.policy.tiers for copy in tier.copies}
    places = {vault_id(vault, world.policy) for vault in world.policy.vaults if vault.key in keys}
    found = (vault.arn for place, vault in world.index.vaults.items() if place in places)
    return tuple(found) or ("arn:aws:backup:us-east-1:000000000000:backup-vault:any",)


def _notes(role: Role) -> Iterator[str]:
    if isinstance(role.trust, Gap):
        return
    for statement in role.trust.statements:
        for _, key, _ in statement.conditions:
            yield f"its trust is conditional on {key}: no page says that AWS Backup sends it"
