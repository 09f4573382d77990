"""The compliant account's replies, captured once and given again: one operation at a time answers otherwise.

What comes back passes through botocore's own parsers and retries, as from a network.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from tests.inventory.conftest import session_of

from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.inventory.model import Inventory
from backcheck.policy.model import Policy
from backcheck.sandbox import Sandbox

Key = tuple[str, str, bytes]
"""Operation as `service-id.Operation`, URL, body."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A reply as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


class Raw:
    """What botocore reads a body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        """All of it at once."""
        yield self._body


def reply(url: str, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> AWSResponse:
    """A reply as botocore's own sender gives it."""
    return AWSResponse(url, status, headers or {}, Raw(body))


Answer = Callable[[int, Any, Stored], AWSResponse]
"""The nth request of the operation (from 1), the request, what the account would answer. It may raise."""


@dataclass(slots=True)
class Tape:
    """The account's replies by request, and what is changed in them."""

    policy: Policy
    clock: Callable[[], Any]
    stored: dict[Key, Stored] = field(default_factory=dict)
    faults: dict[str, Answer] = field(default_factory=dict)
    """By `service:Operation`."""
    asked: dict[str, int] = field(default_factory=dict)
    total: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> Inventory:
        """The account as the collector sees it, with the faults."""
        self.asked.clear()
        self.total = 0
        target = Target(account=self.policy.accounts[0], session=self._session(), kind=Kind.SANDBOX)
        return collect([target], self.policy, self.clock)

    def _session(self) -> boto3.Session:
        session = session_of_tape()
        session.events.register_first("before-send", self._answer, unique_id="tape")
        return session

    def _answer(self, event_name: str, request: Any, **_: object) -> AWSResponse:
        name = event_name.removeprefix("before-send.")
        operation = BOTO_NAMES.get(name.partition(".")[0], name.partition(".")[0]) + ":" + name.partition(".")[2]
        with self.lock:
            self.asked[operation] = count = self.asked.get(operation, 0) + 1
            self.total += 1
        found = self.stored.get(key_of(name, request)) or Stored(404, {}, b"")
        fault = self.faults.get(operation) or self.faults.get("*")
        if fault:
            return fault(self.total if operation not in self.faults else count, request, found)
        return reply(request.url, found.body, found.status, found.headers)


BOTO_NAMES = {"eventbridge": "events", "resource-groups-tagging-api": "resourcegroupstaggingapi"}
"""Where botocore's event says the service's id, and not the name that clients are made by."""

_made: list[boto3.Session] = []


def session_of_tape() -> boto3.Session:
    """One for all tests; its requests go nowhere."""
    if not _made:
        _made.append(boto3.Session(aws_access_key_id="t", aws_secret_access_key="t", region_name="us-east-1"))
    _made[0].events.unregister("before-send", unique_id="tape")
    return _made[0]


def key_of(name: str, request: Any) -> Key:
    """What tells one request from another."""
    body = request.body or b""
    return name, request.url, body if isinstance(body, bytes) else body.encode()


def recorded(scenario: str, policy: Policy) -> Tape:
    """The tape of one audit of a scenario's account. The sandbox is closed again: it would answer every request too."""
    with Sandbox.from_scenario(scenario) as sandbox:
        return _recorded(sandbox, policy)


def _recorded(sandbox: Sandbox, policy: Policy) -> Tape:
    now = sandbox.clock.now()
    tape = Tape(policy=policy, clock=lambda: now)
    here = threading.local()
    session = session_of(sandbox)

    def asked(event_name: str, request: Any, **_: object) -> None:
        here.key = key_of(event_name.removeprefix("before-send."), request)

    def answered(response_dict: dict[str, Any], **_: object) -> None:
        tape.stored[here.key] = Stored(
            response_dict["status_code"], dict(response_dict["headers"]), response_dict["body"]
        )

    session.events.register_first("before-send", asked, unique_id="tape-asked")
    session.events.register("before-parse", answered, unique_id="tape-answered")
    try:
        collect([Target(account=policy.accounts[0], session=session, kind=Kind.SANDBOX)], policy, lambda: now)
    finally:
        session.events.unregister("before-send", unique_id="tape-asked")
        session.events.unregister("before-parse", unique_id="tape-answered")
    return tape
