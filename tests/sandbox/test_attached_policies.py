"""Policies that SNS and KMS refuse, and alarms that CloudWatch does not take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backcheck.sandbox import Sandbox

ROOT = "arn:aws:iam::123456789012:root"
ADMINISTRATION = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
USE = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "kms:Decrypt", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def without(statement: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != name}


def topic_policy(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    """The one statement of the policy that the topic has then."""
    sns = sandbox.client("sns")
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": arn, **changes}
    kept = {key: value for key, value in statement.items() if value is not None}
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document(kept))
    [held] = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])["Statement"]
    return dict(held)


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:sns:us-east-1:123456789012:alerts", "arn:aws:unresolved:::not-known"]
)
def test_a_topics_policy_is_about_the_topic(sandbox: Sandbox, resource: str) -> None:
    assert topic_policy(sandbox, Resource=resource)["Resource"] == resource


@pytest.mark.parametrize("resource", [None, [], "arn:aws:sns:us-east-1:123456789012:others"])
def test_sns_refuses_a_statement_about_nothing_or_about_another_topic(sandbox: Sandbox, resource: object) -> None:
    with pytest.raises(ClientError, match=r"\(InvalidParameter\).*Policy Error"):
        topic_policy(sandbox, Resource=resource)


@pytest.mark.parametrize(
    "statements",
    [
        (ADMINISTRATION, USE),
        (ADMINISTRATION, without(USE, "Resource")),
        (ADMINISTRATION, without(USE, "Action")),
        ({**ADMINISTRATION, "Principal": {"AWS": "123456789012"}},),
        ({**ADMINISTRATION, "Principal": "*"},),
        ({**ADMINISTRATION, "Action": ["kms:Put*", "kms:Get*"]},),
        ({**ADMINISTRATION, "Action": "arn:aws:unresolved:::not-known"},),
    ],
)
def test_kms_takes_a_policy_that_somebody_may_change(sandbox: Sandbox, statements: tuple[dict[str, Any], ...]) -> None:
    kms = sandbox.client("kms")
    key = kms.create_key(Policy=document(*statements))["KeyMetadata"]["KeyId"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(*statements))
    assert kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == document(*statements)


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        ((USE,), "will not allow you to update"),
        ((without(ADMINISTRATION, "Resource"),), "will not allow you to update"),
        ((without(ADMINISTRATION, "Action"),), "will not allow you to update"),
        (({**ADMINISTRATION, "Action": "kms:Decrypt"},), "will not allow you to update"),
        (({**ADMINISTRATION, "Effect": "Deny"},), "will not allow you to update"),
        ((ADMINISTRATION, without(USE, "Principal")), "no Principal"),
        ((ADMINISTRATION, {**USE, "Principal": {"AWS": "somebody"}}), "invalid principals: somebody"),
    ],
)
def test_kms_refuses_a_policy(sandbox: Sandbox, statements: tuple[dict[str, Any], ...], why: str) -> None:
    kms = sandbox.client("kms")
    with pytest.raises(kms.exceptions.MalformedPolicyDocumentException, match=why):
        kms.create_key(Policy=document(*statements))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(kms.exceptions.MalformedPolicyDocumentException, match=why):
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(*statements))


def test_the_lockout_check_can_be_left_out(sandbox: Sandbox) -> None:
    made = sandbox.client("kms").create_key(Policy=document(USE), BypassPolicyLockoutSafetyCheck=True)
    assert made["KeyMetadata"]["Enabled"]


def alarm(sandbox: Sandbox, **changes: Any) -> None:
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="a", MetricName="Errors", Namespace="AWS/Lambda", Statistic="Sum", EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", **changes,
    )  # fmt: skip


@pytest.mark.parametrize("period", [10, 60, 86400])
def test_an_alarms_period(sandbox: Sandbox, period: int) -> None:
    alarm(sandbox, Period=period)
    [made] = sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert made["Period"] == period


@pytest.mark.parametrize("changes", [{}, {"Period": 86401}, {"Period": 40}])
def test_an_alarm_whose_period_cloudwatch_refuses(sandbox: Sandbox, changes: dict[str, int]) -> None:
    with pytest.raises(ClientError, match=r"\(ValidationError\).*Period"):
        alarm(sandbox, **changes)
