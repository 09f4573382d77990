"""Whether a table's own policy keeps a role from backing it up or restoring it, or lets strangers end it.

"An explicit deny in any of these policies overrides the allow", a resource's policy among them
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html); what such a policy may be
about: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html. In one account a table's
policy need not allow what the role's own do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backcheck.controls.conditions import Context, any_of, from_account, holds
from backcheck.controls.iam_policy import action_matches, resource_matches
from backcheck.inventory.gap import Gap, undecided
from backcheck.inventory.iam import PolicyDocument, Statement
from backcheck.inventory.model import Table

BACKING_UP = "dynamodb:StartAwsBackupJob"
"""'You will need API permissions for the StartAwsBackupJob action for a successful backup with advanced features'
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html)."""

RESTORING = "dynamodb:RestoreTableToPointInTime"
DELETING = ("dynamodb:DeleteTable", "dynamodb:UpdateTable", "dynamodb:UpdateContinuousBackups")
"""What ends a table, its protection, or its recovery window; a table's policy may be about each (rbac-iam-actions)."""

BESIDES = ("dynamodb:CreateBackup", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource")
"""What else AWS's own policy for the role allows on tables; no page says what a job does without
(https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html)."""


def denied(policy: PolicyDocument, table: Table, role_arn: str, actions: Iterable[str]) -> bool | None:
    """Whether a table's policy denies a role one of these actions on it; None where that hangs on what is not known."""
    context = _context(table, role_arn)
    return any_of(
        _about(statement, role_arn, context)
        for action in actions
        for statement in policy.statements
        if statement.effect == "Deny" and action_matches(statement, action) and resource_matches(statement, table.arn)
    )


def admits_strangers(policy: PolicyDocument, table: Table, actions: Iterable[str]) -> bool | None:
    """Whether a table's policy lets another account do one of these actions; None where that is not known.

    "Cross-account" access is what such policies are for
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-cross-account-access.html).
    """
    return any_of(
        holds(statement, {"aws:principalaccount": (account,), "aws:securetransport": ("true",)})
        for action in actions
        for statement in policy.statements
        if statement.effect == "Allow"
        and action_matches(statement, action)
        and resource_matches(statement, table.arn)
        and _names_strangers(statement, table)
        for account in _other_accounts(statement, table)
    )


def _other_accounts(statement: Statement, table: Table) -> Iterator[str]:
    """Those that a condition of the statement names, and one that nobody names."""
    yield "another"
    for _, key, values in statement.conditions:
        if key.lower() == "aws:principalaccount":
            yield from (value for value in values if value != table.account)


def open_question(table: Table, why: str) -> Gap:
    """What its policy leaves open about a table."""
    where = {"account": table.account, "region": table.region}
    return undecided("dynamodb", "GetResourcePolicy", why, resource=table.name, **where)


def _names_strangers(statement: Statement, table: Table) -> bool:
    named = [who for kind, who in statement.principals if kind in ("AWS", "*")]
    ours = (table.account, f":{table.account}:")
    return bool(statement.not_principals) or any(who != ours[0] and ours[1] not in who for who in named)


def _context(table: Table, role_arn: str) -> Context:
    """What a request carries that AWS Backup makes with the role."""
    return {
        **from_account(role_arn.split(":")[4]),
        "aws:principalarn": (role_arn,),
        "aws:principaltype": ("AssumedRole",),
        "aws:requestedregion": (table.region,),
        "aws:resourceaccount": (table.account,),
    }


def _about(statement: Statement, role_arn: str, context: Context) -> bool | None:
    """Whether a statement is about the role; what one for a session or NotPrincipal means for it is left open."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    named = [who for kind, who in (*statement.principals, *statement.not_principals) if kind in ("AWS", "*")]
    itself = {"*", role_arn, account, f"{role_arn.split(':iam:')[0]}:iam::{account}:root"}
    if itself & set(named):
        return None if statement.not_principals else holds(statement, context)
    if statement.not_principals:
        return holds(statement, context)
    return None if any(f":assumed-role/{name}/" in who for who in named) else False
