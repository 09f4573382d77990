"""Whom a set-up names for backups and restores: the `roles` of a drafted policy, and what is left to fill in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backcheck.controls.iam_policy import action_matches, admits
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Role, Statement
from backcheck.inventory.model import Inventory
from backcheck.policy.document import Json

BACKUP = "backup.amazonaws.com"
RESTORES = "dynamodb:RestoreTableFromAwsBackup"
FOR_RESTORES = "AWSBackupServiceRolePolicyForRestores"
DELETES = "backup:DeleteRecoveryPoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedRoles:
    """What the set-up states of roles."""

    named: Mapping[str, Json]
    """By the policy's key: `backup`, `restore`, `break_glass`."""
    open: tuple[str, ...]
    """A line for each key that people have to fill in, with the candidates."""


def drafted_roles(inventory: Inventory) -> DraftedRoles:
    """The role of the selections, the one role besides that AWS Backup may restore with, and whom the vaults exempt."""
    everything = [role for account in inventory.accounts for role in account.roles if isinstance(role, Role)]
    backing = _selecting(inventory)
    restoring = sorted({one.name for one in everything if one.name not in backing and _restores(one)})
    named: dict[str, Json] = {}
    open_keys = []
    for key, found in (("backup", backing), ("restore", restoring)):
        if len(found) == 1:
            named[key] = found[0]
        else:
            open_keys.append(f"roles.{key}: {_candidates(found)}")
    exempted = sorted(set(_exempted(inventory)))
    if exempted:
        named["break_glass"] = list[Json](exempted)
    else:
        open_keys.append("roles.break_glass: no vault's policy exempts anybody from its Deny of deletion")
    open_keys.append("roles.drill, roles.auditor: who runs drills and audits")
    return DraftedRoles(named=named, open=tuple(open_keys))


def _candidates(found: list[str]) -> str:
    return f"one of {', '.join(found)}" if found else "nothing names one"


def _selecting(inventory: Inventory) -> list[str]:
    """The roles that selections use, in the order in which they are found."""
    selections = (
        chosen.selection
        for region in inventory.regions()
        for plan in (() if isinstance(region.plans, Gap) else region.plans)
        for chosen in (() if isinstance(plan.selections, Gap) else plan.selections)
    )
    return list(dict.fromkeys(_name(one.iam_role_arn) for one in selections if one.iam_role_arn))


def _restores(role: Role) -> bool:
    if isinstance(role.trust, Gap) or not admits(role.trust, BACKUP, "sts:AssumeRole", role.arn)[0]:
        return False
    policies = () if isinstance(role.policies, Gap) else role.policies
    return any(
        policy.name == FOR_RESTORES or (not isinstance(policy.document, Gap) and _allow(policy.document.statements))
        for policy in policies
    )


def _allow(statements: Iterable[Statement]) -> bool:
    return any(one.effect == "Allow" and action_matches(one, RESTORES) for one in statements)


def _exempted(inventory: Inventory) -> Iterator[str]:
    """Principals that a vault's Deny of deletion leaves out by their ARN."""
    for region in inventory.regions():
        for vault in () if isinstance(region.vaults, Gap) else region.vaults:
            if vault.policy is None or isinstance(vault.policy, Gap):
                continue
            for one in vault.policy.statements:
                if one.effect == "Deny" and action_matches(one, DELETES):
                    yield from _not_meant(one)


def _not_meant(statement: Statement) -> Iterator[str]:
    for operator, key, values in statement.conditions:
        if operator in ("ArnNotEquals", "StringNotEquals") and key.lower() == "aws:principalarn":
            yield from (_name(value) for value in values if ":role/" in value and "*" not in value)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
