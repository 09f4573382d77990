"""`backcheck permissions --check`: what a role lacks is named, by a simulator that reads the role's real policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backcheck import cli
from backcheck.commands.permissions import _simulated
from backcheck.errors import Error
from backcheck.permissions import document, missing, samples
from backcheck.policy.load import load
from backcheck.sandbox import Sandbox

POLICY = Path(__file__).parents[2] / "policies" / "minimal.yaml"

ROLE = "auditor"

SIMULATE = {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    from datetime import UTC, datetime

    with Sandbox(start=datetime(2026, 11, 22, tzinfo=UTC)) as opened:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{opened.account}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        opened.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))
        yield opened


Check = Callable[..., int]


@pytest.fixture
def check(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs the command as the role, with the least policy changed by `edit`."""
    url = sandbox.serve().url

    def run(edit: Callable[[list[dict[str, Any]]], None] = lambda _: None) -> int:
        policy = load(POLICY)
        least = json.loads(json.dumps(document(policy, policy.accounts[0])))
        edit(least["Statement"])
        least["Statement"].append(SIMULATE)
        iam = sandbox.client("iam")
        iam.put_role_policy(RoleName=ROLE, PolicyName="audit", PolicyDocument=json.dumps(least))
        given = sandbox.session(role=ROLE).get_credentials().get_frozen_credentials()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", given.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given.secret_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", given.token)
        return cli.run(["permissions", "--policy", str(POLICY), "--check", "--endpoint-url", url])

    return run


def without(action: str) -> Callable[[list[dict[str, Any]]], None]:
    """Take one action out of whatever statement has it."""

    def edit(statements: list[dict[str, Any]]) -> None:
        holders = [one for one in statements if action in one["Action"]]
        assert len(holders) == 1, f"the least policy has {action} {len(holders)} times"
        holders[0]["Action"].remove(action)

    return edit


def test_the_least_policy_is_enough(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check() == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "the caller has every permission that the audit needs\n"


@pytest.mark.parametrize("action", ["backup:ListBackupPlans", "tag:GetResources", "dynamodb:DescribeContinuousBackups"])
def test_one_action_less_is_named(action: str, check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(without(action)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.startswith(f"{action} on ") and line.endswith(": implicitDeny") for line in lines)


def test_a_deny_is_named_as_one(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    def deny(statements: list[dict[str, Any]]) -> None:
        statements.append({"Effect": "Deny", "Action": "dynamodb:DescribeTable", "Resource": "*"})

    assert check(deny) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"dynamodb:DescribeTable on arn:aws:dynamodb:{region}:123456789012:table/*: explicitDeny"
        for region in ("us-east-1", "us-west-2")
    ]


def test_who_may_not_ask_is_told_so(check: Check, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.faults.deny("iam:SimulatePrincipalPolicy")
    try:
        assert check() == 2
    finally:
        sandbox.faults.calls.clear()
    err = capsys.readouterr().err
    assert "could not tell" in err
    assert "ask somebody who may simulate" in err


def test_another_accounts_caller_is_told_so(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.read_text().replace("123456789012", "999988887777"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", sandbox.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    assert cli.run(["permissions", "--policy", str(policy), "--check", "--endpoint-url", sandbox.serve().url]) == 4
    assert "the credentials are of account 123456789012, the policy's is 999988887777" in capsys.readouterr().err


class Simulator:
    """Answers in two pages, and not of the actions in `silent`."""

    def __init__(self, silent: tuple[str, ...] = ()) -> None:
        self._silent = silent

    def get_paginator(self, _: str) -> Simulator:
        return self

    def paginate(self, *, ActionNames: list[str], **_: object) -> Iterator[dict[str, Any]]:  # noqa: N803  IAM's name
        told = [
            {"EvalActionName": name, "EvalResourceName": "*", "EvalDecision": "allowed"}
            for name in ActionNames
            if name not in self._silent
        ]
        yield {"EvaluationResults": told[:3], "IsTruncated": True}
        yield {"EvaluationResults": [{**one, "EvalDecision": "implicitDeny"} for one in told[3:]]}


def test_every_page_counts_and_silence_is_no_permission() -> None:
    policy = load(POLICY)
    asked = [action for action, _ in samples(policy, policy.accounts[0])]
    found = _simulated(Simulator(), "arn", policy, policy.accounts[0])
    assert {one["EvalActionName"] for one in found} == set(asked)
    assert missing(found), "what is denied is on the second page"
    with pytest.raises(Error, match="could not tell: nothing was said of backup:ListBackupJobs"):
        _simulated(Simulator(("backup:ListBackupJobs",)), "arn", policy, policy.accounts[0])
