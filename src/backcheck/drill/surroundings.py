"""What stands around a table and is no part of it: CloudWatch alarms and auto scaling, which no restore brings back.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html names both among what
must be set up again. What could not be read is a gap: then nobody knows whether something is missing.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from backcheck.inventory.collect.failure import code_and_detail

RESTORED = "RESTORED"
"""What the runbook calls the restored table."""
SETTABLE = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
    "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile",
    "Metrics", "ThresholdMetricId",
)  # fmt: skip
"""PutMetricAlarm's members that DescribeAlarms shows (botocore, cloudwatch)."""
POLICY_MEMBERS = (
    "PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration",
)  # fmt: skip

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Commands that make what a table has around it, for a table called RESTORED; sorted."""

    alarms: Mapping[str, str]
    """What an alarm watches and does, as text, to the command that makes it."""
    scaling: Mapping[str, str]
    """Each scalable target and scaling policy, as text, to the command that makes it."""
    gaps: tuple[str, ...]
    """Calls that did not answer."""


def read(client_of: Callable[[str], Any], table: str, *, provisioned: bool) -> Surroundings:
    """The alarms on a table's dimensions, and its auto scaling where it has capacity to scale.

    `client_of` makes a client of a service in the table's account and Region.
    """
    gaps: list[str] = []
    scaling: Mapping[str, str] = {}
    made: set[str] = set()
    if provisioned:
        scaling = _answered(
            lambda: dict(_scaling(client_of("application-autoscaling"), table, made)), "application-autoscaling", gaps
        )
    alarms = _answered(lambda: dict(_alarms(client_of("cloudwatch"), table, made)), "cloudwatch:DescribeAlarms", gaps)
    return Surroundings(alarms=alarms, scaling=scaling, gaps=tuple(gaps))


def missing(source: Surroundings, restored: Surroundings) -> Iterator[tuple[str, str]]:
    """What the source has and the restored table lacks, each with its command."""
    for kind, wanted, found in (
        ("alarms", source.alarms, restored.alarms),
        ("auto scaling", source.scaling, restored.scaling),
    ):
        for what in sorted(wanted.keys() - found.keys()):
            yield kind, wanted[what]


def _answered(work: Callable[[], dict[str, str]], what: str, gaps: list[str]) -> Mapping[str, str]:
    try:
        return work()
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        code, detail = code_and_detail(error)
        gaps.append(f"{what}: {code}: {detail}")
        return {}


def _alarms(client: Any, table: str, made: Collection[str]) -> Iterator[tuple[str, str]]:
    """All but those that auto scaling has made for its policies, which come with them."""
    for page in client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"]):
        for alarm in page.get("MetricAlarms", ()):
            if alarm["AlarmName"] in made or not _watches(alarm, table):
                continue
            held = _renamed({name: alarm[name] for name in SETTABLE if alarm.get(name) not in (None, [], "")}, table)
            watched = {name: value for name, value in held.items() if name not in ("AlarmName", "AlarmDescription")}
            held["AlarmName"] = f"{alarm['AlarmName']}-{RESTORED}"
            yield _text(watched), f"aws cloudwatch put-metric-alarm --cli-input-json {shlex.quote(_text(held))}"


def _watches(alarm: Mapping[str, Any], table: str) -> bool:
    """By its own metric, or by one of those that it reckons with."""
    inner = [((one.get("MetricStat") or {}).get("Metric") or {}) for one in alarm.get("Metrics") or ()]
    return any({"Name": "TableName", "Value": table} in (metric.get("Dimensions") or ()) for metric in (alarm, *inner))


def _renamed(value: Any, table: str) -> Any:
    """The same for the table RESTORED."""
    if value == {"Name": "TableName", "Value": table}:
        return {"Name": "TableName", "Value": RESTORED}
    if isinstance(value, Mapping):
        return {name: _renamed(held, table) for name, held in value.items()}
    return [_renamed(one, table) for one in value] if isinstance(value, list) else value


def _scaling(client: Any, table: str, made: set[str]) -> Iterator[tuple[str, str]]:
    """Of the table and its indexes; the names of the alarms that came with the policies are added to `made`.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
    """
    base = "aws application-autoscaling"
    for target in _listed(client, "describe_scalable_targets", "ScalableTargets", table):
        where, dimension = _place(target, table)
        least, most = str(target["MinCapacity"]), str(target["MaxCapacity"])
        command = ["register-scalable-target", "--service-namespace", "dynamodb", "--resource-id", where]
        command += ["--scalable-dimension", dimension, "--min-capacity", least, "--max-capacity", most]
        yield f"1 {where} {dimension} {least} to {most}", f"{base} {shlex.join(command)}"
    for policy in _listed(client, "describe_scaling_policies", "ScalingPolicies", table):
        made |= {one["AlarmName"] for one in policy.get("Alarms") or ()}
        where, dimension = _place(policy, table)
        rule = {name: policy[name] for name in POLICY_MEMBERS if policy.get(name)}
        named = {"PolicyName": policy["PolicyName"], "ServiceNamespace": "dynamodb", "ResourceId": where}
        text = _text({**named, "ScalableDimension": dimension, **rule})
        yield (
            f"2 {where} {dimension} {_text(rule)}",
            f"{base} put-scaling-policy --cli-input-json {shlex.quote(text)}",
        )


def _listed(client: Any, operation: str, member: str, table: str) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(ServiceNamespace="dynamodb"):
        for one in page.get(member, ()):
            if one["ResourceId"] == f"table/{table}" or one["ResourceId"].startswith(f"table/{table}/index/"):
                yield one


def _place(one: Mapping[str, Any], table: str) -> tuple[str, str]:
    return f"table/{RESTORED}{one['ResourceId'].removeprefix(f'table/{table}')}", str(one["ScalableDimension"])


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
