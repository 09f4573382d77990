"""CloudTrail's event history of what happened here.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html:
management events of the last 90 days.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import in_period
from backcheck.sandbox.refusal import Refusal
from backcheck.sandbox.world import World

KEPT_FOR = timedelta(days=90)
READ_PREFIXES = ("Describe", "Get", "List", "Lookup", "Simulate")
PAGE = 50

DATA_EVENTS = frozenset(
    {
        "GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem", "Query", "Scan",
        "TransactGetItems", "TransactWriteItems", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction",
        "Publish", "Invoke", "PutMetricData", "PutEvents", "GetObject", "PutObject",
    }
)  # fmt: skip
"""Data events are not in the event history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEvent:
    """One management event."""

    id: str
    at: datetime
    name: str
    source: str
    caller: str
    read_only: bool
    access_key: str
    error: str | None
    resources: tuple[str, ...]


def record(world: World, response: Any, action: str, who: str, error: str | None) -> None:
    """Keep a call that changes or tries to change something. Reads are not kept: only changes are asked for here."""
    if action in DATA_EVENTS or action.startswith(READ_PREFIXES):
        return
    region = world.region(response.current_account, response.region)
    params = getattr(response, "params", None) or {}
    names = tuple(
        value
        for key, value in params.items()
        if isinstance(value, str) and key.endswith(("Name", "Arn", "ARN", "Id")) and not key.endswith("RequestId")
    )
    region.trail.append(
        TrailEvent(
            id=f"event-{len(region.trail):08d}",
            at=world.clock.now(),
            name=action,
            source=f"{response.boto3_service_name}.amazonaws.com",
            caller=who,
            read_only=False,
            access_key=response.access_key,
            error=error,
            resources=names,
        )
    )


@operation("cloudtrail", "LookupEvents")
def lookup_events(call: Call) -> Reply:
    """Newest first, 50 a page. One attribute at most, as in AWS."""
    attributes = call.params.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise Refusal("InvalidLookupAttributesException", "You can use only one lookup attribute")
    since = call.now - KEPT_FOR
    found = [
        event
        for event in reversed(call.region.trail)
        if event.at >= since
        and all(_matches(event, a) for a in attributes)
        and in_period(call, event.at, "EndTime", "StartTime")
    ]
    start = int(call.params.get("NextToken") or 0)
    end = start + (call.params.get("MaxResults") or PAGE)
    reply: dict[str, Any] = {"Events": [_row(call, event) for event in found[start:end]]}
    return {**reply, "NextToken": str(end)} if end < len(found) else reply


def _matches(event: TrailEvent, attribute: dict[str, str]) -> bool:
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    if key == "ResourceName":
        return value in event.resources
    if key == "ResourceType":
        raise Refusal("InvalidLookupAttributesException", "The sandbox cannot look up by ResourceType")
    return {
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": str(event.read_only).lower(),
        "Username": event.caller.rsplit("/", 1)[-1],
        "EventSource": event.source,
        "AccessKeyId": event.access_key,
    }[key] == value


def _row(call: Call, event: TrailEvent) -> dict[str, Any]:
    detail = {
        "eventTime": event.at.isoformat(),
        "eventName": event.name,
        "eventSource": event.source,
        "awsRegion": call.region.name,
        "recipientAccountId": call.region.account,
        "userIdentity": {"arn": event.caller},
        **({"errorCode": event.error} if event.error else {}),
    }
    return {
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": str(event.read_only).lower(),
        "AccessKeyId": event.access_key,
        "EventTime": event.at,
        "EventSource": event.source,
        "Username": event.caller.rsplit("/", 1)[-1],
        "Resources": [{"ResourceName": name} for name in event.resources],
        "CloudTrailEvent": json.dumps(detail),
    }
