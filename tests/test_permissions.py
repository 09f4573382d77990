"""The least IAM policy: nothing that writes, nothing that the policy does not use, resources where AWS has them."""

from __future__ import annotations

from typing import Any

from tests.inventory.building import POLICY, policy

from backcheck.inventory.operations import OPERATIONS
from backcheck.permissions import Missing, document, missing, operations
from backcheck.policy.model import Roles, Validation


def statements(**changes: Any) -> list[dict[str, Any]]:
    changed = policy(**changes)
    found: list[dict[str, Any]] = list(document(changed, changed.accounts[0])["Statement"])
    return found


def actions(**changes: Any) -> set[str]:
    return {action for statement in statements(**changes) for action in statement["Action"]}


def test_a_small_policy_asks_for_little() -> None:
    assert "sns:GetTopicAttributes" not in actions()
    assert "iam:SimulatePrincipalPolicy" not in actions()
    assert {"dynamodb:DescribeTable", "backup:ListBackupPlans", "tag:GetResources"} <= actions()


def test_alerts_and_roles_ask_for_more() -> None:
    validation = Validation(schedule="cron(0 5 * * ? *)", timezone="UTC", max_backup_age_hours=24)
    assert "lambda:GetPolicy" in actions(validation=validation)
    assert "iam:SimulatePrincipalPolicy" in actions(roles=Roles(break_glass=("admin",)))
    assert "iam:SimulatePrincipalPolicy" in actions(roles=Roles(restore_dr="restore"))


def test_resources_are_the_policys_regions_and_account() -> None:
    tables = next(one for one in statements() if "dynamodb:DescribeTable" in one["Action"])
    assert tables["Resource"] == [
        "arn:aws:dynamodb:us-east-1:123456789012:table/*",
        "arn:aws:dynamodb:us-west-2:123456789012:table/*",
    ]


def test_each_action_stands_once_and_every_statement_has_a_name() -> None:
    listed = [action for statement in statements() for action in statement["Action"]]
    assert len(listed) == len(set(listed))
    names = [statement["Sid"] for statement in statements()]
    assert len(names) == len(set(names))
    assert all(name.isalnum() for name in names)


def test_what_needs_no_permission_is_not_asked_for() -> None:
    assert "sts:GetCallerIdentity" not in {one.id for one in operations(POLICY)}
    assert all(one.action for one in operations(POLICY))
    assert len(operations(POLICY)) < len(OPERATIONS)


def test_what_the_simulator_does_not_allow_is_missing() -> None:
    results = [
        {"EvalActionName": "backup:ListTags", "EvalResourceName": "*", "EvalDecision": "implicitDeny"},
        {"EvalActionName": "dynamodb:ListTables", "EvalResourceName": "*", "EvalDecision": "allowed"},
    ]
    assert missing(results) == (Missing(action="backup:ListTags", resource="*", decision="implicitDeny"),)
