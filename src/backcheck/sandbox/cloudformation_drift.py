"""Drift: what has changed in a resource since its stack created it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
Settings are compared as the service's API gives them, not under CloudFormation's property names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from backcheck.sandbox.cloudformation_clients import account_of, stack_of
from backcheck.sandbox.cloudformation_kinds import ServiceBrokeError
from backcheck.sandbox.cloudformation_removal import is_absent, service_message, site_of
from backcheck.sandbox.cloudformation_stacks import Account, Stack, StackResource, stacks_of
from backcheck.sandbox.cloudformation_types import KINDS
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page, shown
from backcheck.sandbox.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One setting that is not as it was created."""

    pointer: str
    expected: str
    actual: str

    @property
    def kind(self) -> str:
        """ADD, REMOVE or NOT_EQUAL, as API_PropertyDifference has them."""
        if self.expected == "null":
            return "ADD"
        return "REMOVE" if self.actual == "null" else "NOT_EQUAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDrift:
    """One resource, compared."""

    resource: StackResource
    status: str
    """IN_SYNC, MODIFIED, DELETED, UNKNOWN, or NOT_CHECKED for a type whose drift is not detected here."""
    at: datetime
    reason: str = ""
    """Why it could not be compared."""
    expected: str = ""
    actual: str = ""
    differences: tuple[Difference, ...] = ()


def drift_of(stack: Stack, account: Account) -> tuple[ResourceDrift, ...]:
    """Every resource of the stack that exists, compared with its settings when it was created."""
    return tuple(_compare(stack, resource, account) for resource in stack.resources.values() if resource.physical)


def status_of(drifts: tuple[ResourceDrift, ...]) -> str:
    """The stack's: DRIFTED if one resource is, else UNKNOWN if one could not be compared."""
    statuses = {drift.status for drift in drifts}
    if statuses & {"MODIFIED", "DELETED"}:
        return "DRIFTED"
    return "UNKNOWN" if "UNKNOWN" in statuses else "IN_SYNC"


def _compare(stack: Stack, resource: StackResource, account: Account) -> ResourceDrift:
    now = account.world.clock.now()
    kind = KINDS.get(resource.type)
    if kind is None or kind.read is None or resource.as_created is None or resource.physical is None:
        return ResourceDrift(resource=resource, status="NOT_CHECKED", at=now)
    expected = _plain(resource.as_created)
    try:
        actual = _plain(kind.read(site_of(stack, resource, account), resource.physical))
    except ServiceBrokeError as error:
        return ResourceDrift(resource=resource, status="UNKNOWN", at=now, reason=error.message)
    except ClientError as error:
        if not is_absent(error):
            return ResourceDrift(resource=resource, status="UNKNOWN", at=now, reason=service_message(error))
        return ResourceDrift(resource=resource, status="DELETED", at=now, expected=json.dumps(expected))
    found = tuple(_differences(expected, actual, ""))
    status = "MODIFIED" if found else "IN_SYNC"
    return ResourceDrift(
        resource=resource,
        status=status,
        at=now,
        expected=json.dumps(expected, sort_keys=True),
        actual=json.dumps(actual, sort_keys=True),
        differences=found,
    )


def _plain(settings: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(settings, default=str))


def _differences(expected: Any, actual: Any, pointer: str) -> Iterator[Difference]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            yield from _differences(expected.get(key), actual.get(key), f"{pointer}/{key}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from _differences(one, other, f"{pointer}/{index}")
    elif expected != actual:
        yield Difference(pointer=pointer, expected=json.dumps(expected), actual=json.dumps(actual))


@operation("cloudformation", "DetectStackDrift")
def detect_stack_drift(call: Call) -> Reply:
    """Detects at once."""
    stack = stack_of(call)
    detection = call.world.new_id()
    stack.drifts[detection] = drift_of(stack, account_of(call))
    call.region.drift_detections[detection] = stack.id
    return {"StackDriftDetectionId": detection}


@operation("cloudformation", "DescribeStackDriftDetectionStatus")
def describe_detection(call: Call) -> Reply:
    """Always complete; a resource that could not be read is UNKNOWN."""
    detection = call.params["StackDriftDetectionId"]
    stack_id = call.region.drift_detections.get(detection)
    if stack_id is None:
        raise Refusal("ValidationError", f"Stack drift detection id {detection} does not exist")
    drifts = stacks_of(call.world, call.region.account, call.region.name)[stack_id].drifts[detection]
    return {
        "StackId": stack_id,
        "StackDriftDetectionId": detection,
        "StackDriftStatus": status_of(drifts),
        "DetectionStatus": "DETECTION_COMPLETE",
        "DriftedStackResourceCount": sum(drift.status in {"MODIFIED", "DELETED"} for drift in drifts),
        "Timestamp": call.now,
    }


@operation("cloudformation", "DescribeStackResourceDrifts")
def describe_resource_drifts(call: Call) -> Reply:
    """Of the last detection; only resources that were checked, as in AWS."""
    stack, wanted = stack_of(call), call.params.get("StackResourceDriftStatusFilters")
    last = next(reversed(stack.drifts.values()), ())
    rows = [
        _drift_row(stack, drift)
        for drift in last
        if drift.status != "NOT_CHECKED" and (not wanted or drift.status in wanted)
    ]
    return page(call, "StackResourceDrifts", rows)


def _drift_row(stack: Stack, drift: ResourceDrift) -> Mapping[str, Any]:
    differences = [
        {
            "PropertyPath": difference.pointer,
            "ExpectedValue": difference.expected,
            "ActualValue": difference.actual,
            "DifferenceType": difference.kind,
        }
        for difference in drift.differences
    ]
    row = {
        "StackId": stack.id,
        "LogicalResourceId": drift.resource.logical_id,
        "PhysicalResourceId": drift.resource.physical_id,
        "ResourceType": drift.resource.type,
        "ExpectedProperties": drift.expected or None,
        "ActualProperties": drift.actual or None,
        "PropertyDifferences": differences,
        "StackResourceDriftStatus": drift.status,
        "Timestamp": drift.at,
        "DriftStatusReason": drift.reason or None,
    }
    return shown(row)
