"""Policies that SNS and KMS refuse to attach, and alarms that CloudWatch does not take; moto takes them all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from backcheck.sandbox import keys
from backcheck.sandbox.cloudformation_properties import UNKNOWN_ARN
from backcheck.sandbox.iam_policy import like
from backcheck.sandbox.operations import Call, Raw, Reply, operation
from backcheck.sandbox.refusal import Refusal

PRINCIPAL = re.compile(r"\*|\d{12}|arn:[^:]+:(iam|sts)::\d{12}:.+|A[A-Z0-9]{15,}")
"""An account, an identity's ARN or id, or everybody
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html)."""

SECONDS = frozenset({10, 20, 30})
"""Valid besides any multiple of 60 (API_PutMetricAlarm, Period)."""


@operation("sns", "SetTopicAttributes")
def set_topic_attributes(call: Call) -> Reply:
    """Resources of a statement: "0 is invalid. The value must match the ARN of the policy's topic".

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
    """
    if call.params["AttributeName"] == "Policy":
        for statement in _statements(call.params.get("AttributeValue", "")):
            _applies_to(statement, call.params["TopicArn"])
    call.response.set_topic_attributes()
    return {}


def _applies_to(statement: Mapping[str, Any], topic: str) -> None:
    named = _listed(statement.get("Resource")) or _listed(statement.get("NotResource"))
    if not named:
        raise Refusal("InvalidParameter", "Invalid parameter: Policy Error: a statement has no Resource")
    for one in _listed(statement.get("Resource")):
        if one != UNKNOWN_ARN and not like(one, topic):
            raise Refusal("InvalidParameter", f"Invalid parameter: Policy Error: {one} does not match {topic}")


@operation("kms", "CreateKey")
def create_key(call: Call) -> Raw:
    """With a policy that its caller could still change."""
    _changeable(call)
    return keys.created(call)


@operation("kms", "PutKeyPolicy")
def put_key_policy(call: Call) -> Raw:
    """The same."""
    _changeable(call)
    return Raw(call.response.put_key_policy())


def _changeable(call: Call) -> None:
    """It must allow PutKeyPolicy to somebody, and name only principals that can be
    (https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html, Policy). A statement without Action or
    Resource is taken and has no effect. Who deploys a template is not known, so any identity will do."""
    if not call.params.get("Policy") or UNKNOWN_ARN in call.params["Policy"]:
        return  # of a template's policy that is not wholly known nothing is refused
    statements = list(_statements(call.params["Policy"]))
    for statement in statements:
        for who in _principals(statement):
            if PRINCIPAL.fullmatch(who) is None:
                _malformed(f"Policy contains a statement with one or more invalid principals: {who}")
    if any("Principal" not in one and "NotPrincipal" not in one for one in statements):
        _malformed("a statement has no Principal")
    bypass = call.params.get("BypassPolicyLockoutSafetyCheck", False)
    if not bypass and not any(map(_lets_change, statements)):
        _malformed("The new key policy will not allow you to update the key policy in the future.")


def _lets_change(statement: Mapping[str, Any]) -> bool:
    allows = statement.get("Effect") == "Allow" and any(_principals(statement))
    actions = any(like(one.lower(), "kms:putkeypolicy") for one in _listed(statement.get("Action")))
    resources = any(one == "*" or one.startswith("arn:") for one in _listed(statement.get("Resource")))
    return allows and resources and (actions or "NotAction" in statement)


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    """Accounts and identities; services are no people who could change a policy."""
    found = statement.get("Principal")
    yield from _listed(found.get("AWS")) if isinstance(found, Mapping) else _listed(found)


def _malformed(why: str) -> NoReturn:
    raise Refusal("MalformedPolicyDocumentException", why)


@operation("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(call: Call) -> Reply:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html."""
    if call.params.get("MetricName"):
        period = call.params.get("Period")
        if period is None:
            raise Refusal("ValidationError", "Period is required for an alarm on a metric")
        if period not in SECONDS and period % 60:
            raise Refusal("ValidationError", f"Period must be 10, 20, 30 or a multiple of 60, not {period}")
    call.response.put_metric_alarm()
    return {}


def _statements(document: str) -> Iterator[Mapping[str, Any]]:
    """None of what is no JSON, which moto refuses in the service's words."""
    try:
        found = json.loads(document)
    except ValueError:
        return
    listed = found.get("Statement", []) if isinstance(found, dict) else []
    yield from (one for one in (listed if isinstance(listed, list) else [listed]) if isinstance(one, dict))


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
