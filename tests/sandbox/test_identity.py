"""IAM: policies evaluated, AWS's managed ones, and the simulator that an audit asks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backcheck.sandbox.iam_policy import Decision, Request, decide
from backcheck.sandbox.refusal import Unsupported

from .conftest import ACCOUNT, Bench

ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"


def document(effect: str = "Allow", action: Any = "backup:*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def decision(*documents: dict[str, Any], action: str = "backup:DeleteRecoveryPoint", **context: str) -> Decision:
    values = {key.replace("__", ":").lower(): (value,) for key, value in context.items()}
    request = Request(action=action, resource=f"arn:aws:backup:us-east-1:{ACCOUNT}:recovery-point:x", context=values)
    return decide(documents, request)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([], "implicitDeny"),
        ([document()], "allowed"),
        ([document(), document("Deny")], "explicitDeny"),
        ([document(action="backup:Describe*")], "implicitDeny"),
        ([document(action="BACKUP:deleterecoverypoint")], "allowed"),
        ([document(action=["dynamodb:*", "backup:Delete?ecoveryPoint"])], "allowed"),
        ([document(resource="arn:aws:backup:*:*:backup-vault:*")], "implicitDeny"),
        ([document(resource=f"arn:aws:backup:*:{ACCOUNT}:recovery-point:*")], "allowed"),
        ([{"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}], "allowed"),
        ([{"Statement": {"Effect": "Allow", "NotAction": "backup:*", "Resource": "*"}}], "implicitDeny"),
        (
            [{"Statement": {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::x"}}, document()],
            "explicitDeny",
        ),
    ],
)
def test_statements(documents: list[dict[str, Any]], expected: str) -> None:
    assert decision(*documents) == expected


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, {"aws__principaltag/team": "a"}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": ["b", "a"]}}, {"aws__principaltag/team": "a"}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, {}, False),
        ({"StringNotEquals": {"aws:PrincipalTag/team": "a"}}, {}, True),
        ({"StringEqualsIfExists": {"aws:PrincipalTag/team": "a"}}, {}, True),
        ({"StringLike": {"k": "pre*"}}, {"k": "prefix"}, True),
        ({"StringNotLike": {"k": "pre*"}}, {"k": "prefix"}, False),
        ({"ArnLike": {"k": "arn:aws:iam::*:role/x"}}, {"k": "arn:aws:iam::1:role/x"}, True),
        ({"ArnNotEquals": {"k": "arn:aws:iam::1:role/x"}}, {"k": "arn:aws:iam::1:role/x"}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"aws__multifactorauthpresent": "true"}, True),
        ({"Null": {"k": "true"}}, {}, True),
        ({"Null": {"k": "false"}}, {}, False),
        ({"StringEquals": {"k": "${aws:PrincipalAccount}"}}, {"k": "1", "aws__principalaccount": "1"}, True),
        ({"StringEquals": {"k": "${aws:Unknown}"}}, {"k": "1"}, False),
        ({"StringEquals": {"k": "1"}, "StringLike": {"j": "x*"}}, {"k": "1", "j": "y"}, False),
    ],
)
def test_conditions(condition: dict[str, Any], context: dict[str, str], holds: bool) -> None:
    assert (decision(document(Condition=condition), **context) == "allowed") is holds


def test_an_operator_that_is_not_known_is_never_guessed() -> None:
    with pytest.raises(Unsupported, match="DateGreaterThan"):
        decision(document(Condition={"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}))


class TestSimulator:
    def simulate(self, bench: Bench, arn: str, *actions: str, **more: Any) -> dict[str, str]:
        reply = bench.sandbox.client("iam").simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=list(actions), **more
        )
        return {row["EvalActionName"]: row["EvalDecision"] for row in reply["EvaluationResults"]}

    def test_attached_and_inline_policies_count(self, bench: Bench) -> None:
        role = bench.role()
        policy = json.dumps(document("Deny", "dynamodb:CreateBackup"))
        bench.sandbox.client("iam").put_role_policy(RoleName="backup", PolicyName="p", PolicyDocument=policy)
        found = self.simulate(
            bench,
            role,
            "dynamodb:StartAwsBackupJob",
            "dynamodb:CreateBackup",
            "iam:CreateUser",
            ResourceArns=[f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"],
        )
        assert found == {
            "dynamodb:StartAwsBackupJob": "allowed",
            "dynamodb:CreateBackup": "explicitDeny",
            "iam:CreateUser": "implicitDeny",
        }

    def test_a_boundary_limits_what_policies_allow(self, bench: Bench) -> None:
        iam = bench.sandbox.client("iam")
        boundary = iam.create_policy(PolicyName="b", PolicyDocument=json.dumps(document(action="backup:List*")))
        arn = iam.create_role(
            RoleName="r", AssumeRolePolicyDocument="{}", PermissionsBoundary=boundary["Policy"]["Arn"]
        )["Role"]["Arn"]
        iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(document()))
        found = self.simulate(bench, arn, "backup:ListBackupPlans", "backup:DeleteRecoveryPoint")
        assert found == {"backup:ListBackupPlans": "allowed", "backup:DeleteRecoveryPoint": "implicitDeny"}

    def test_a_users_groups_count(self, bench: Bench) -> None:
        iam = bench.sandbox.client("iam")
        arn = iam.create_user(UserName="u")["User"]["Arn"]
        iam.create_group(GroupName="g")
        iam.add_user_to_group(GroupName="g", UserName="u")
        iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=json.dumps(document()))
        assert self.simulate(bench, arn, "backup:ListBackupPlans") == {"backup:ListBackupPlans": "allowed"}

    def test_context_entries_are_used(self, bench: Bench) -> None:
        iam = bench.sandbox.client("iam")
        arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        condition = {"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}}
        policy = document(action="iam:PassRole", Condition=condition)
        iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(policy))
        entry = {"ContextKeyName": "iam:PassedToService", "ContextKeyType": "string"}
        assert self.simulate(bench, arn, "iam:PassRole")["iam:PassRole"] == "implicitDeny"
        for service, expected in (("backup.amazonaws.com", "allowed"), ("ec2.amazonaws.com", "implicitDeny")):
            given = [{**entry, "ContextKeyValues": [service]}]
            assert self.simulate(bench, arn, "iam:PassRole", ContextEntries=given)["iam:PassRole"] == expected

    def test_it_comes_in_pages(self, bench: Bench) -> None:
        role = bench.role()
        pages = bench.sandbox.client("iam").get_paginator("simulate_principal_policy")
        actions = [f"backup:Action{n}" for n in range(7)]
        found = [
            row["EvalActionName"]
            for page in pages.paginate(PolicySourceArn=role, ActionNames=actions, PaginationConfig={"PageSize": 3})
            for row in page["EvaluationResults"]
        ]
        assert found == actions

    def test_a_principal_that_is_not_there(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match="NoSuchEntity"):
            self.simulate(bench, ROLE, "a:b")

    def test_what_it_does_not_evaluate_is_unsupported(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match="UnsupportedOperation"):
            self.simulate(bench, bench.role(), "a:b", ResourcePolicy="{}")


def test_awss_managed_policies_for_backup_are_there(bench: Bench) -> None:
    iam = bench.sandbox.client("iam")
    for name in ("AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForRestores"):
        arn = f"arn:aws:iam::aws:policy/service-role/{name}"
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        assert any("dynamodb" in json.dumps(statement) for statement in found["Statement"])
