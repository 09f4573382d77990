"""VLT-04: the vault's access policy keeps strangers out and recovery points in."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backcheck.controls import cfn, examples
from backcheck.controls.conditions import all_of
from backcheck.controls.control import BOTH, World, control, unknown, unread, verdict
from backcheck.controls.iam_policy import action_matches
from backcheck.controls.roles import find_role, role_name
from backcheck.controls.vault_denials import START_BACKUP, exempts_only_break_glass, shut_out, unnamed_organisations
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
AT = "GetBackupVaultAccessPolicy.Policy"


def _with(*statements: Statement) -> World:
    return examples.world(primary={"vaults": (examples.vault(policy=examples.document(*statements)),)})


def _but_for(who: str) -> World:
    """Deletion denied to all but this principal of the account."""
    spared = ("ArnNotLike", "aws:PrincipalArn", (f"arn:aws:iam::{examples.ACCOUNT}:{who}",))
    return _with(examples.deny_deletion(conditions=(spared,)))


def _in_organisation(**vault: Any) -> World:
    spared = (("StringNotEquals", "aws:PrincipalOrgID", ("o-example",)),)
    others = examples.deny_deletion(actions=("backup:CopyFromBackupVault",), conditions=spared)
    world = _with(examples.deny_deletion(), others)
    first, *rest = world.policy.vaults
    return replace(world, policy=replace(world.policy, vaults=(replace(first, **vault), *rest)))


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
        "denied to all but break-glass, by a pattern of its path": lambda: _but_for("role/*/shop-break-glass"),
        "denied to everybody": lambda: _with(examples.deny_deletion(conditions=())),
        "other organisations may copy nothing from it": lambda: _in_organisation(allowed_principals=("o-example",)),
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
        "a user of break-glass's name is exempt": lambda: _but_for("user/shop-break-glass"),
        "whatever has break-glass's name is exempt": lambda: _but_for("*/shop-break-glass"),
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
        "only an organisation may copy from it, which the policy does not name": _in_organisation,
        "denied by a pattern": lambda: _with(
            examples.deny_deletion(actions=("backup:*RecoveryPoint*", "backup:*Policy"))
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
    shut = dict(shut_out(document, subject, world))
    problems += [f"denies {action} to those who need it" for action, certain in shut.items() if certain]
    states = {action: _denied(document, action, subject, world) for action in DESTRUCTIVE}
    if subject.wanted.deny_deletion:
        problems += [f"does not deny {action}" for action, denied in states.items() if denied is False]
        if not problems and None in states.values():
            open_to = ", ".join(action for action, denied in states.items() if denied is None)
            why = "principals exempt by a key that cannot be resolved here, or a wildcard in Action"
            return unknown(f"{subject.vault.name}: whether {open_to} is denied hangs on {why}", at=AT)
    if shut and not problems:
        spared = ", ".join(unnamed_organisations(document, subject))
        ours = f"; if {spared} is this account's organisation, name it in the vault's allowed_principals"
        return unknown(
            f"{subject.vault.name}: its policy may deny {', '.join(shut)} to those who need it{ours if spared else ''}",
            at=AT,
        )
    return verdict(
        not problems,
        expected="no strangers; deletion denied to all but break-glass",
        observed="; ".join(problems) or "as expected",
        at=AT,
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


def _denied(document: PolicyDocument, action: str, subject: PresentVault, world: World) -> bool | None:
    answers = {
        all_of((exempts_only_break_glass(statement, subject, world), _names(statement, action)))
        for statement in document.statements
        if statement.effect == "Deny" and action_matches(statement, action) and _is_for_all(statement)
    }
    return True if True in answers else None if None in answers else False


def _names(statement: Statement, action: str) -> bool | None:
    """None for a pattern: vault access policies "don't support a wildcard in the Action key", says their page."""
    return True if action.lower() in {one.lower() for one in statement.actions} else None


def _is_for_all(statement: Statement) -> bool:
    """Every principal and every recovery point."""
    everybody = any(principal in (("AWS", "*"), ("*", "*")) for principal in statement.principals)
    return everybody and "*" in statement.resources


def _strangers(document: PolicyDocument, subject: PresentVault) -> Iterator[str]:
    for statement in document.statements:
        if statement.effect == "Allow":
            yield from strangers(statement, subject)
