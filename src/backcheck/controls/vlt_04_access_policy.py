"""VLT-04: the vault's access policy keeps strangers out and recovery points in."""

from collections.abc import Iterator
from typing import Any

from backcheck.controls import cfn, examples
from backcheck.controls.conditions import from_account, holds
from backcheck.controls.control import BOTH, World, control, unknown, unread, verdict
from backcheck.controls.iam_policy import action_matches, resource_matches
from backcheck.controls.roles import find_role, role_name
from backcheck.controls.vaults import PresentVault, present_vaults, strangers
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import PolicyDocument, Role, Statement

DESTRUCTIVE = (
    "backup:DeleteRecoveryPoint",
    "backup:UpdateRecoveryPointLifecycle",
    "backup:PutBackupVaultAccessPolicy",
    "backup:DeleteBackupVaultAccessPolicy",
)
START_BACKUP = "backup:StartBackupJob"
"""AWS's example of a vault shut to a role denies it; whether that holds for a plan's jobs too no page says, but that
vault access policies 'only control user access to AWS Backup APIs' (create-a-vault-access-policy)."""
EXEMPTING = frozenset({"StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike"})
AT = "GetBackupVaultAccessPolicy.Policy"


def _with(*statements: Statement) -> World:
    return examples.world(primary={"vaults": (examples.vault(policy=examples.document(*statements)),)})


def _deny_backup_role(action: str, **changes: Any) -> Statement:
    who = (("AWS", f"arn:aws:iam::{examples.ACCOUNT}:role/{examples.policy().roles.backup}"),)
    return examples.deny_deletion(**{"actions": (action,), "principals": who, "conditions": (), **changes})


@control(
    id="VLT-04",
    title="The access policy keeps recovery points in and strangers out",
    severity=Severity.HIGH,
    reads=BOTH,
    each=present_vaults,
    in_template={
        cfn.VAULT: ("/AccessPolicy",),
        cfn.AIR_GAPPED: ("/AccessPolicy",),
    },
    why="Whoever may delete recovery points, or rewrite the policy that forbids it, can take the backups first.",
    remedy=(
        "aws backup put-backup-vault-access-policy --backup-vault-name NAME --policy file://policy.json, a Deny of "
        f"{', '.join(DESTRUCTIVE)} for Principal * but the break-glass role (ArnNotEquals aws:PrincipalArn)"
    ),
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html",),
    maps_to=("NIST-800-53r5:CP-9", "CIS-8.1:11.3"),
    passes={
        "denied to all but break-glass": examples.world,
        "denied to everybody": lambda: _with(examples.deny_deletion(conditions=())),
        "other organisations may copy nothing from it": lambda: _with(
            examples.deny_deletion(),
            examples.deny_deletion(
                actions=("backup:CopyFromBackupVault",),
                conditions=(("StringNotEquals", "aws:PrincipalOrgID", ("o-example",)),),
            ),
        ),
        "nothing may be copied from it without TLS": lambda: _with(
            examples.deny_deletion(),
            examples.deny_deletion(
                actions=("backup:CopyFromBackupVault",), conditions=(("Bool", "aws:SecureTransport", ("false",)),)
            ),
        ),
        "everybody of this account may copy into it": lambda: _with(
            examples.deny_deletion(),
            examples.allow(
                "backup:CopyIntoBackupVault",
                principals=(("AWS", "*"),),
                conditions=(("StringEquals", "aws:PrincipalAccount", (examples.ACCOUNT,)),),
            ),
        ),
    },
    fails={
        "break-glass is open to anybody": lambda: examples.world(
            account={
                "roles": (
                    *examples.roles(),
                    examples.role(
                        "auditor",
                        name="shop-break-glass",
                        arn=f"arn:aws:iam::{examples.ACCOUNT}:role/shop-break-glass",
                        trust=examples.document(examples.allow("sts:AssumeRole", principals=(("AWS", "*"),))),
                    ),
                )
            }
        ),
        "nothing may be copied from it": lambda: _with(
            examples.deny_deletion(),
            examples.deny_deletion(actions=("backup:CopyFromBackupVault",), conditions=()),
        ),
        "nothing may be restored from it": lambda: _with(
            examples.deny_deletion(), examples.deny_deletion(actions=("backup:StartRestoreJob",))
        ),
        "the backup role may not copy from it": lambda: _with(
            examples.deny_deletion(), _deny_backup_role("backup:CopyFromBackupVault")
        ),
        "copies from it denied to all but services, which the backup role is not": lambda: _with(
            examples.deny_deletion(),
            examples.deny_deletion(
                actions=("backup:CopyFromBackupVault",),
                conditions=(("Bool", "aws:PrincipalIsAWSService", ("false",)),),
            ),
        ),
        "no policy": lambda: examples.world(primary={"vaults": (examples.vault(policy=None),)}),
        "only deletion denied": lambda: _with(examples.deny_deletion(actions=("backup:DeleteRecoveryPoint",))),
        "everybody may copy into it": lambda: _with(
            examples.deny_deletion(), examples.allow("backup:CopyIntoBackupVault", principals=(("AWS", "*"),))
        ),
        "everybody outside the organisation may": lambda: _with(
            examples.deny_deletion(),
            examples.allow(
                "backup:CopyIntoBackupVault",
                principals=(("AWS", "*"),),
                conditions=(("StringNotEquals", "aws:PrincipalAccount", (examples.ACCOUNT,)),),
            ),
        ),
        "another account may": lambda: _with(
            examples.deny_deletion(),
            examples.allow("backup:CopyIntoBackupVault", principals=(("AWS", "arn:aws:iam::999988887777:root"),)),
        ),
        "denied to one role only": lambda: _with(
            examples.deny_deletion(principals=(("AWS", f"arn:aws:iam::{examples.ACCOUNT}:role/dev"),))
        ),
        "another role is exempt": lambda: _with(
            examples.deny_deletion(
                conditions=(("ArnNotEquals", "aws:PrincipalArn", (f"arn:aws:iam::{examples.ACCOUNT}:role/dev",)),)
            )
        ),
        "copies from it denied over TLS": lambda: _with(
            examples.deny_deletion(),
            examples.deny_deletion(
                actions=("backup:CopyFromBackupVault",),
                conditions=(("StringNotEquals", "aws:SecureTransport", ("false",)),),
            ),
        ),
    },
    unknown={
        "policy not read": lambda: examples.world(
            primary={"vaults": (examples.vault(policy=examples.gap("GetBackupVaultAccessPolicy")),)}
        ),
        "nobody may start backups into it": lambda: _with(
            examples.deny_deletion(), examples.deny_deletion(actions=(START_BACKUP,), conditions=())
        ),
        "copies from it denied under a condition": lambda: _with(
            examples.deny_deletion(),
            _deny_backup_role(
                "backup:CopyFromBackupVault", conditions=(("StringNotEquals", "aws:SourceVpc", ("vpc-1",)),)
            ),
        ),
        "restores from it denied by a key that a role's request does not carry": lambda: _with(
            examples.deny_deletion(),
            examples.deny_deletion(
                actions=("backup:StartRestoreJob",),
                conditions=(("StringNotEquals", "aws:SourceAccount", (examples.ACCOUNT,)),),
            ),
        ),
        "exempt by user id": lambda: _with(
            examples.deny_deletion(conditions=(("StringNotEquals", "aws:userId", ("AROAEXAMPLE:*",)),))
        ),
    },
)
def policy_keeps_points(subject: PresentVault, world: World) -> Verdict:
    """No principal from outside but those allowed; an explicit Deny of each destructive action, break-glass exempt."""
    found = subject.vault.policy
    if isinstance(found, Gap):
        return unread(found, resource=subject.resource)
    document = found or PolicyDocument(statements=())
    problems = [f"admits {who}" for who in _strangers(document, subject)]
    problems += [f"exempts {role}, which anybody may assume" for role in _open_break_glass(subject, world)]
    shut = dict(_shut(document, subject, world))
    problems += [f"denies {action} to those who need it" for action, certain in shut.items() if certain]
    states = {action: _denied(document, action, subject, world) for action in DESTRUCTIVE}
    if subject.wanted.deny_deletion:
        problems += [f"does not deny {action}" for action, denied in states.items() if denied is False]
        if not problems and None in states.values():
            return unknown(f"{subject.vault.name} exempts principals by a key that cannot be resolved here", at=AT)
    if shut and not problems:
        return unknown(f"{subject.vault.name}: its policy may deny {', '.join(shut)} to those who need it", at=AT)
    return verdict(
        not problems,
        expected="no strangers; deletion denied to all but break-glass",
        observed="; ".join(problems) or "as expected",
        at=AT,
        notes=tuple(dict.fromkeys(_taken_for_ours(document))),
        message=f"{subject.vault.name}: its policy {'; '.join(problems) or 'keeps points in and strangers out'}"
        if found
        else f"{subject.vault.name} has no access policy: whoever has the permission may delete its recovery points",
    )


def _open_break_glass(subject: PresentVault, world: World) -> Iterator[str]:
    """An exemption is as strict as the trust of the role that it is for. Who else may assume it is not judged."""
    for name in world.policy.roles.break_glass:
        role = find_role(name, subject.vault.account, world)
        trust = role.trust if isinstance(role, Role) else None
        for statement in trust.statements if isinstance(trust, PolicyDocument) else ():
            anybody = bool({("AWS", "*"), ("*", "*")} & set(statement.principals))
            if anybody and statement.effect == "Allow" and not statement.conditions:
                yield role_name(name)


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


def _shut(document: PolicyDocument, subject: PresentVault, world: World) -> Iterator[tuple[str, bool]]:
    """What a Deny keeps from those who need it; False where that is not certain."""
    ours = from_account(subject.vault.account)
    for action, roles in _needed(subject, world):
        denying = [one for one in document.statements if _keeps_out(one, action, roles, subject)]
        if denying:
            certain = any(holds(one, ours) or _exempts_only_break_glass(one, subject, world) is True for one in denying)
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
    """A Deny for other accounts or organisations, or for what comes without TLS, is not for ours."""
    return holds(statement, from_account(subject.vault.account)) is False or any(
        operator in EXEMPTING and key.lower() == "aws:principalorgid" for operator, key, _ in statement.conditions
    )


def _taken_for_ours(document: PolicyDocument) -> Iterator[str]:
    """Which organisation an account is in, no call that an audit makes tells."""
    for statement in document.statements:
        for operator, key, values in statement.conditions:
            if statement.effect == "Deny" and operator in EXEMPTING and key.lower() == "aws:principalorgid":
                yield f"it spares {', '.join(values)}, taken for this account's organisation: that was not read"


def _denied(document: PolicyDocument, action: str, subject: PresentVault, world: World) -> bool | None:
    answers = {
        _exempts_only_break_glass(statement, subject, world)
        for statement in document.statements
        if statement.effect == "Deny" and action_matches(statement, action) and _is_for_all(statement)
    }
    return True if True in answers else None if None in answers else False


def _is_for_all(statement: Statement) -> bool:
    """Every principal and every recovery point."""
    everybody = any(principal in (("AWS", "*"), ("*", "*")) for principal in statement.principals)
    return everybody and "*" in statement.resources


def _exempts_only_break_glass(statement: Statement, subject: PresentVault, world: World) -> bool | None:
    """None where the exempt are named by something else than their ARN, as in AWS's own example with aws:userId."""
    allowed = {role_name(name) for name in world.policy.roles.break_glass}
    for operator, key, values in statement.conditions:
        if operator not in EXEMPTING:
            return False
        if key.lower() == "aws:userid":
            return None
        if key.lower() != "aws:principalarn" or not all(role_name(value) in allowed for value in values):
            return False
        if not all(value.split(":")[4:5] == [subject.vault.account] for value in values):
            return False
    return True


def _strangers(document: PolicyDocument, subject: PresentVault) -> Iterator[str]:
    for statement in document.statements:
        if statement.effect == "Allow":
            yield from strangers(statement, subject)
