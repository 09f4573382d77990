"""Whom a set-up names for backups and restores: the `roles` of a drafted policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from backcheck.controls.iam_policy import action_matches, admits
from backcheck.draft.remarks import Remarks
from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import NamedPolicy, Role
from backcheck.inventory.model import Inventory
from backcheck.policy.document import Json

T = TypeVar("T")

BACKUP = "backup.amazonaws.com"
RESTORES = "dynamodb:RestoreTableFromAwsBackup"
FOR_RESTORES = "AWSBackupServiceRolePolicyForRestores"


def roles_document(
    plans: Iterable[BackupPlan], spared: tuple[str, ...], inventory: Inventory, remarks: Remarks
) -> dict[str, Json]:
    """The selections' role, the one role besides that AWS Backup may restore with, and whom the vaults exempt."""
    roles: dict[str, Json] = {}
    backing = _selecting(plans)
    if len(backing) == 1:
        roles["backup"] = backing[0]
        remarks.read("/roles/backup", "the selections use it")
    elif backing:
        remarks.left_out.append(f"roles.backup: the selections use several: {', '.join(backing)}")
    restoring = sorted({one.name for one in _roles(inventory) if one.name not in backing and _restores(one)})
    if len(restoring) == 1:
        roles["restore"] = restoring[0]
        remarks.decide("/roles/restore", "AWS Backup may restore tables with it, and no selection uses it")
    else:
        found = f"one of {', '.join(restoring)}" if restoring else _none_found(inventory)
        remarks.left_out.append(f"roles.restore: {found}")
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
    return trusted and any(policy.name == FOR_RESTORES or _allows(policy) for policy in _listed(role.policies))


def _allows(policy: NamedPolicy) -> bool:
    statements = () if isinstance(policy.document, Gap) else policy.document.statements
    return any(one.effect == "Allow" and action_matches(one, RESTORES) for one in statements)


def _listed(found: tuple[T, ...] | Gap) -> tuple[T, ...]:
    return () if isinstance(found, Gap) else found
