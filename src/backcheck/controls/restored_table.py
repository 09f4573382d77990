"""Whether a restore role's rights reach the table that a restore makes, which is not there yet.

A backup is restored into a new table (https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-dynamodb.html),
of a name that nobody knows before: what a policy says of tables that are not there is UNKNOWN where it says no.
"""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.controls.conditions import from_account, holds, matches
from backcheck.controls.control import World
from backcheck.controls.iam_policy import action_matches
from backcheck.controls.moments import few
from backcheck.controls.roles import open_question
from backcheck.controls.service_roles import FOR_RESTORES, NamedRole, as_on_its_page
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Statement

FILLING = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
)
"""What AWS's policy allows on tables besides. DynamoDB's own restores take it "on the target table"; whether AWS
Backup's do no page says (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html)."""


def on_a_new_table(named: NamedRole, restoring: str, world: World) -> Iterator[Gap]:
    """Whether its rights reach further than the tables that are restored, and what is denied to it there."""
    role = named.role
    if isinstance(role, Gap) or isinstance(role.policies, Gap):
        return
    known = {one.table.arn for one in tables_in_scope(world) if isinstance(one, ScopedTable)}
    about = [
        statement
        for policy in (as_on_its_page(policy, FOR_RESTORES, [restoring]) for policy in role.policies)
        if not isinstance(policy.document, Gap)
        for statement in policy.document.statements
        if _could_be_about_another(statement, known) and holds(statement, from_account(role.account)) is not False
    ]

    def told(effect: str, action: str) -> bool:
        return any(one.effect == effect and action_matches(one, action) for one in about)

    if not told("Allow", restoring):
        yield open_question(role, f"it may {restoring} on tables that are there, and on no new one")
    if denied := [action for action in (restoring, *FILLING) if told("Deny", action)]:
        yield open_question(role, f"its own policies deny {few(denied)} on tables that a restore could make")


def _could_be_about_another(statement: Statement, known: set[str]) -> bool:
    return bool(statement.not_resources) or any(
        _could_be_a_table(resource) and resource not in known for resource in statement.resources
    )


def _could_be_a_table(resource: str) -> bool:
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return "*" in resource
    kind, _, name = parts[5].partition("/")
    return matches(parts[2], "dynamodb") and matches(kind, "table") and "/" not in name
