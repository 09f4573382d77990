"""Whom a set-up names for backups and restores: the `roles` of a drafted policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from backcheck.controls.iam_policy import action_matches, admits
from backcheck.draft.remarks import Remarks
from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import NamedPolicy, Role, Statement
from backcheck.inventory.model import Inventory
from backcheck.policy.document import Json

T = TypeVar("T")

BACKUP = "backup.amazonaws.com"
RESTORES = "dynamodb:RestoreTableFromAwsBackup"
FILLS = "dynamodb:PutItem"
FOR_RESTORES = "AWSBackupServiceRolePolicyForRestores"


def roles_document(
    plans: Sequence[BackupPlan], spared: tuple[str, ...], inventory: Inventory, remarks: Remarks
) -> dict[str, Json]:
    """The selections' role, the one role besides that AWS Backup may restore with, here and away, and whom the vaults
    exempt."""
    roles: dict[str, Json] = {}
    backing = _selecting(plans)
    if len(backing) == 1:
        roles["backup"] = backing[0]
        remarks.read("/roles/backup", "the selections use it")
    elif backing:
        remarks.left_out.append(f"roles.backup: the selections use several: {', '.join(backing)}")
    able = {one.name: one for one in _roles(inventory) if one.name not in backing and _restores(one)}
    home = {plan.region for plan in plans}
    away = sorted(name for name, role in able.items() if _is_away(role, home))
    restoring = sorted(able.keys() - set(away))
    if len(restoring) == 1:
        roles["restore"] = restoring[0]
        remarks.decide("/roles/restore", "AWS Backup may restore tables with it, and no selection uses it")
    else:
        found = f"one of {', '.join(restoring)}" if restoring else _none_found(inventory)
        remarks.left_out.append(f"roles.restore: {found}")
    if len(away) == 1:
        roles["restore_dr"] = away[0]
        remarks.decide("/roles/restore_dr", "it may fill tables away from the plans' Regions, and not in them")
    elif away:
        remarks.left_out.append(f"roles.restore_dr: one of {', '.join(away)}")
    if spared:
        roles["break_glass"] = list[Json](spared)
        remarks.decide("/roles/break_glass", "the vaults' access policies spare them; may they delete backups?")
    return {"roles": roles} if roles else {}


def _none_found(inventory: Inventory) -> str:
    """Only templates are read with every role; of an account an audit keeps those that a policy or selection names."""
    for gap in (role for account in inventory.accounts for role in account.roles if isinstance(role, Gap)):
        return f"not known, the roles could not be read: {gap}"
    if all(account.kind == "template" for account in inventory.accounts):
        return "no role of the templates is one that AWS Backup may restore tables with"
    return (
        "not looked for: of the account's roles only those that a selection uses or a policy named were kept; "
        "write down the one that AWS Backup restores with"
    )


def _selecting(plans: Iterable[BackupPlan]) -> list[str]:
    selections = (chosen.selection for plan in plans for chosen in _listed(plan.selections))
    return sorted({one.iam_role_arn.rpartition("/")[2] for one in selections if one.iam_role_arn})


def _roles(inventory: Inventory) -> Iterable[Role]:
    return (role for account in inventory.accounts for role in account.roles if isinstance(role, Role))


def _restores(role: Role) -> bool:
    trusted = not isinstance(role.trust, Gap) and admits(role.trust, BACKUP, "sts:AssumeRole", role.arn)[0]
    return trusted and any(
        policy.name == FOR_RESTORES or _allowing(policy, RESTORES) for policy in _listed(role.policies)
    )


def _is_away(role: Role, home: set[str]) -> bool:
    """Whether it may fill tables in named Regions alone, none of which has a plan."""
    policies = _listed(role.policies)
    filled = [arn for policy in policies for one in _allowing(policy, FILLS) for arn in one.resources or ("*",)]
    regions = {":".join(arn.split(":")[3:4]) or "*" for arn in filled}
    return bool(regions and home) and not any("*" in region for region in regions) and regions.isdisjoint(home)


def _allowing(policy: NamedPolicy, action: str) -> list[Statement]:
    statements = () if isinstance(policy.document, Gap) else policy.document.statements
    return [one for one in statements if one.effect == "Allow" and action_matches(one, action)]


def _listed(found: tuple[T, ...] | Gap) -> tuple[T, ...]:
    return () if isinstance(found, Gap) else found
