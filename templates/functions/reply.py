"""The answer that CloudFormation waits for: a custom resource that does not get one hangs for an hour, twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backcheck.errors import Error
from functions.event import Event, text

MAX_BODY_BYTES = 4096
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html"""
MAX_REASON = 1000


class NotDelivered(Error):  # noqa: N818  the state machine retries it by this name
    """The answer did not reach CloudFormation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Whom to answer, and as what."""

    url: str
    stack_id: str
    request_id: str
    logical_id: str
    physical_id: str

    @classmethod
    def of(cls, event: Event) -> ReplyTo:
        """From a custom resource's event. The physical id never changes, so that an update is never a replacement."""
        logical, stack = text(event, "LogicalResourceId"), text(event, "StackId")
        stack_name = stack.split("/")[1] if stack.count("/") >= 2 else stack
        return cls(
            url=text(event, "ResponseURL"),
            stack_id=stack,
            request_id=text(event, "RequestId"),
            logical_id=logical,
            physical_id=text(event, "PhysicalResourceId") or f"{stack_name}-{logical}",
        )

    def to_json(self) -> dict[str, str]:
        """For a state machine's input."""
        return asdict(self)


def body(to: ReplyTo, *, success: bool, reason: str, data: Mapping[str, Any] | None = None) -> bytes:
    """The JSON that CloudFormation reads, cut to what it takes."""
    answer = {
        "Status": "SUCCESS" if success else "FAILED",
        "Reason": reason[:MAX_REASON] or "no reason given",
        "PhysicalResourceId": to.physical_id,
        "StackId": to.stack_id,
        "RequestId": to.request_id,
        "LogicalResourceId": to.logical_id,
        "Data": dict(data or {}),
    }
    encoded = json.dumps(answer).encode()
    return encoded if len(encoded) <= MAX_BODY_BYTES else json.dumps({**answer, "Data": {}}).encode()


def send(to: ReplyTo, *, success: bool, reason: str, data: Mapping[str, Any] | None = None) -> None:
    """PUT the answer, three tries. Raises NotDelivered."""
    import urllib3

    content = body(to, success=success, reason=reason, data=data)
    # The URL is presigned without a content type: any other than an empty one would break its signature.
    headers = {"content-type": "", "content-length": str(len(content))}
    try:
        with urllib3.PoolManager(retries=urllib3.Retry(3, backoff_factor=0.5, allowed_methods=None)) as pool:
            status = pool.request("PUT", to.url, body=content, headers=headers, timeout=10).status
    except urllib3.exceptions.HTTPError as error:
        raise NotDelivered(f"CloudFormation was not reached: {type(error).__name__}") from error
    if status >= 300:
        raise NotDelivered(f"CloudFormation's URL answered {status}")
