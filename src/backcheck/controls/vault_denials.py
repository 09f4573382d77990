"""What a Deny in a vault's access policy means: whom it spares, and whom it keeps from what they are there for.

https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.controls.conditions import from_account, holds
from backcheck.controls.control import World
from backcheck.controls.iam_policy import action_matches, resource_matches
from backcheck.controls.roles import role_name
from backcheck.controls.vaults import PresentVault
from backcheck.inventory.iam import PolicyDocument, Statement

START_BACKUP = "backup:StartBackupJob"
"""AWS's example of a vault shut to a role denies it; whether that holds for a plan's jobs too no page says, but that
vault access policies 'only control user access to AWS Backup APIs' (create-a-vault-access-policy)."""
EXEMPTING = frozenset({"StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike"})


def _needed(subject: PresentVault, world: World) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    """What must not be denied, and the roles that do it: restores, and the policy's backups and copies in and out."""
    roles, key = world.policy.roles, subject.wanted.key
    copying = [tier for tier in world.policy.tiers if tier.copies]
    yield "backup:StartRestoreJob", (roles.drill,)
    if any(copy.vault == key for tier in copying for copy in tier.copies):
        yield "backup:CopyIntoBackupVault", (roles.backup,)
    if any(tier.vault == key for tier in copying):
        yield "backup:CopyFromBackupVault", (roles.backup,)
    if any(tier.vault == key for tier in world.policy.tiers):
        yield START_BACKUP, (roles.backup,)


def shut_out(document: PolicyDocument, subject: PresentVault, world: World) -> Iterator[tuple[str, bool]]:
    """What a Deny keeps from those who need it; False where that is not certain."""
    ours = from_account(subject.vault.account)
    for action, roles in _needed(subject, world):
        denying = [one for one in document.statements if _keeps_out(one, action, roles, subject)]
        if denying:
            certain = any(holds(one, ours) or exempts_only_break_glass(one, subject, world) is True for one in denying)
            yield action, certain and action != START_BACKUP


def _keeps_out(statement: Statement, action: str, roles: tuple[str | None, ...], subject: PresentVault) -> bool:
    """Whether a Deny could be about those who need an action, on this vault or a recovery point in it."""
    vault = subject.vault
    point = f"{vault.arn.partition(':backup:')[0]}:backup:{vault.region}:{vault.account}:recovery-point:any"
    about = any(resource_matches(statement, arn) for arn in (vault.arn, point))
    if statement.effect != "Deny" or not action_matches(statement, action) or not about:
        return False
    return _is_about(statement, roles, vault.account) and not _spares(statement, subject)


def _is_about(statement: Statement, roles: tuple[str | None, ...], account: str) -> bool:
    """Everybody, the account, or one of these roles; all but a few (NotPrincipal) is everybody."""
    wanted = {role_name(name) for name in roles if name}
    return bool(statement.not_principals) or any(
        kind in ("AWS", "*") and (who in ("*", account) or who.endswith(f":{account}:root") or role_name(who) in wanted)
        for kind, who in statement.principals
    )


def _spares(statement: Statement, subject: PresentVault) -> bool:
    """A Deny for other accounts, for what comes without TLS, or for all but an organisation that the policy names."""
    if holds(statement, from_account(subject.vault.account)) is False:
        return True
    named = set(subject.wanted.allowed_principals)
    return any(named & set(organisations) for organisations in _spared(statement))


def _spared(statement: Statement) -> Iterator[tuple[str, ...]]:
    for operator, key, values in statement.conditions:
        if statement.effect == "Deny" and operator in EXEMPTING and key.lower() == "aws:principalorgid":
            yield values


def unnamed_organisations(document: PolicyDocument, subject: PresentVault) -> tuple[str, ...]:
    """Those that a Deny spares and the policy does not name: which one an account is in, no call of an audit tells."""
    spared = {one for statement in document.statements for values in _spared(statement) for one in values}
    return tuple(sorted(spared - set(subject.wanted.allowed_principals)))


def exempts_only_break_glass(statement: Statement, subject: PresentVault, world: World) -> bool | None:
    """None where the exempt are named by something else than their ARN, as in AWS's own example with aws:userId."""
    allowed = {role_name(name) for name in world.policy.roles.break_glass}

    def is_one(value: str) -> bool:
        parts = value.split(":", 5)
        mine = parts[4:5] == [subject.vault.account] and parts[-1].startswith("role/")
        return mine and role_name(value) in allowed

    for operator, key, values in statement.conditions:
        if operator not in EXEMPTING:
            return False
        if key.lower() == "aws:userid":
            return None
        if key.lower() != "aws:principalarn" or not all(map(is_one, values)):
            return False
    return True
