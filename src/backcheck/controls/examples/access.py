"""Keys, policies and roles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from backcheck.controls.examples.shop import ACCOUNT, BORN, KEY_ARN, gap
from backcheck.inventory.iam import Key, NamedPolicy, PolicyDocument, Role, Simulation, Statement


def key(arn: str = KEY_ARN, /, **changes: Any) -> Key:
    """A customer's key, rotated, with the policy that KMS gives one: the account's own IAM decides."""
    owner = (("AWS", f"arn:aws:iam::{ACCOUNT}:root"),)
    made = Key(
        arn=arn,
        region=arn.split(":")[3],
        account=ACCOUNT,
        manager="CUSTOMER",
        state="Enabled",
        deletion_date=None,
        multi_region=False,
        rotation=True,
        policy=document(allow("kms:*", principals=owner)),
        aliases=("alias/shop-vault" if arn == KEY_ARN else "alias/shop-vault-dr",),
    )
    return replace(made, **changes)


def document(*statements: Statement) -> PolicyDocument:
    """A policy of these statements."""
    return PolicyDocument(statements=statements)


def allow(*actions: str, **changes: Any) -> Statement:
    """Allow these actions on everything."""
    made = Statement(
        sid="",
        effect="Allow",
        actions=actions,
        not_actions=(),
        resources=("*",),
        not_resources=(),
        principals=(),
        not_principals=(),
        conditions=(),
    )
    return replace(made, **changes)


def use_keys(*conditions: tuple[str, str, tuple[str, ...]], **changes: Any) -> Statement:
    """Allow what backups take of their keys."""
    return allow("kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey", conditions=conditions, **changes)


def by_alias(pattern: str) -> tuple[str, str, tuple[str, ...]]:
    """Keys that have such an alias."""
    return ("ForAnyValue:StringLike", "kms:ResourceAliases", (f"alias/{pattern}",))


def deny_deletion(**changes: Any) -> Statement:
    """What keeps recovery points: nobody but the break-glass role may delete them, or this statement."""
    made = allow(
        "backup:DeleteRecoveryPoint",
        "backup:UpdateRecoveryPointLifecycle",
        "backup:PutBackupVaultAccessPolicy",
        "backup:DeleteBackupVaultAccessPolicy",
        effect="Deny",
        principals=(("AWS", "*"),),
        conditions=(("ArnNotEquals", "aws:PrincipalArn", (f"arn:aws:iam::{ACCOUNT}:role/shop-break-glass",)),),
    )
    return replace(made, **changes)


def trust(service: str = "backup.amazonaws.com", key: str = "", value: str = "") -> PolicyDocument:
    """Who may assume a role, and where a condition key must equal what."""
    when = (("StringEquals", key, (value,)),) if key else ()
    return document(allow("sts:AssumeRole", resources=(), principals=(("Service", service),), conditions=when))


def inline(*statements: Statement) -> NamedPolicy:
    """A policy written inside a role."""
    return NamedPolicy(name="inline", arn=None, document=document(*statements))


def managed(name: str) -> NamedPolicy:
    """A policy of AWS's own, whose text was not asked for."""
    text = gap("GetPolicyVersion", "NotAsked", service="iam", resource=name)
    return NamedPolicy(name=name, arn=f"arn:aws:iam::aws:policy/service-role/{name}", document=text)


def role(name: str = "backup", /, **changes: Any) -> Role:
    """`backup`, `restore`, `drill` or `auditor`."""
    made = Role(
        name=f"shop-{name}",
        arn=f"arn:aws:iam::{ACCOUNT}:role/shop-{name}",
        account=ACCOUNT,
        created=BORN,
        trust=trust() if name in ("backup", "restore") else trust("lambda.amazonaws.com"),
        policies=_ROLE_POLICIES[name](),
    )
    return replace(made, **changes)


def roles(changed: str = "", **changes: Any) -> tuple[Role, ...]:
    """Every role of the shop, with one changed."""
    return tuple(role(name, **(changes if name == changed else {})) for name in _ROLE_POLICIES)


_ROLE_POLICIES: Mapping[str, Callable[[], tuple[NamedPolicy, ...]]] = {
    "backup": lambda: (managed("AWSBackupServiceRolePolicyForBackup"),),
    "restore": lambda: (managed("AWSBackupServiceRolePolicyForRestores"),),
    "drill": lambda: (
        inline(
            allow("backup:ListBackupJobs", "backup:ListRestoreJobs", "dynamodb:ListTables"),
            allow("backup:StartRestoreJob", resources=(f"arn:aws:backup:*:{ACCOUNT}:recovery-point:*",)),
            allow(
                "iam:PassRole",
                resources=(f"arn:aws:iam::{ACCOUNT}:role/shop-restore",),
                conditions=(("StringEquals", "iam:PassedToService", ("backup.amazonaws.com",)),),
            ),
            allow("dynamodb:Scan", "dynamodb:DeleteTable", resources=(f"arn:aws:dynamodb:*:{ACCOUNT}:table/drill-*",)),
        ),
    ),
    "auditor": lambda: (
        inline(
            allow("backup:ListBackupPlans", "backup:ListBackupJobs", "dynamodb:ListTables"),
            allow("dynamodb:DescribeTable", resources=(f"arn:aws:dynamodb:*:{ACCOUNT}:table/*",)),
        ),
    ),
}
DESTROYERS = (
    "backup:DeleteRecoveryPoint",
    "backup:DeleteBackupVault",
    "backup:DeleteBackupVaultLockConfiguration",
    "dynamodb:UpdateContinuousBackups",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
)


def simulations(allowed: str = "", principal: str = "drill") -> tuple[Simulation, ...]:
    """What the simulator says of every role; `allowed` is an action that `principal` may perform."""
    return tuple(
        Simulation(
            principal_arn=f"arn:aws:iam::{ACCOUNT}:role/shop-{name}",
            action=action,
            resource=KEY_ARN if action.startswith("kms:") else "*",
            decision="allowed" if (name, action) == (principal, allowed) else "implicitDeny",
        )
        for name in _ROLE_POLICIES
        for action in DESTROYERS
    )
