"""Each operation that an audit calls, one at a time, answers as none should: never green, and the gap names it.

Without a fault the account is compliant and the audit exits with 0, so each other exit code is the fault's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.session
import orjson
import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.model import ListShape, MapShape, Shape, StructureShape
from tests.inventory.conftest import judged
from tests.inventory.replaying import Answer, Stored, Tape, recorded, reply

from backcheck.errors import Error
from backcheck.finding import Run, Status
from backcheck.inventory.collect.paging import PAGING
from backcheck.inventory.operations import OPERATIONS
from backcheck.policy.model import Policy

SESSION = botocore.session.Session()

BULK, SINGLY = "resourcegroupstaggingapi:GetResources", "dynamodb:ListTagsOfResource"
"""The second stands in for the first, and is asked only then."""

CALLED = sorted({one.id for one in OPERATIONS} - {"sts:GetCallerIdentity", BULK, SINGLY})


@pytest.fixture(scope="module")
def whole(techmoda_policy: Policy) -> Tape:
    return recorded("techmoda", techmoda_policy)


@pytest.fixture
def tape(whole: Tape, monkeypatch: pytest.MonkeyPatch) -> Tape:
    """The tape without faults, and without waits between attempts."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    whole.faults.clear()
    return whole


def model_of(operation: str) -> Any:
    service, _, name = operation.partition(":")
    return SESSION.get_service_model(service).operation_model(name)


def protocol(operation: str) -> str:
    return str(model_of(operation).service_model.metadata["protocol"])


def is_xml(operation: str) -> bool:
    return protocol(operation) == "query"


def is_cbor(operation: str) -> bool:
    """Its bodies are not text: what is put into them is as little readable as a page."""
    return "cbor" in protocol(operation)


def empty(operation: str) -> Answer:
    """A reply that holds nothing."""
    name = operation.partition(":")[2]
    body = f"<{name}Response><{name}Result/></{name}Response>".encode() if is_xml(operation) else b"{}"
    return lambda _, request, found: reply(request.url, body, 200, found.headers)


def a_page(_: str) -> Answer:
    """What a proxy answers that wants somebody to log in."""
    body = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Sign in&nbsp;first</body></html>"
    return lambda _, request, found: reply(request.url, body, 200, {"Content-Type": "text/html"})


def half(_: str) -> Answer:
    """The first half of the reply, as long as it says it is."""
    return lambda _, request, found: reply(request.url, found.body[: len(found.body) // 2], 200, found.headers)


def wrong(shape: Shape) -> object:
    """Something of another type than the shape's."""
    if isinstance(shape, StructureShape | MapShape):
        return ["a"]
    if isinstance(shape, ListShape):
        return {"a": 1}
    return [{"a": 1}]


def other_types(operation: str) -> Answer:
    """Every member is there, and is of another type. Where bodies are CBOR it is no body at all."""
    members = model_of(operation).output_shape.members
    if is_xml(operation):
        name = operation.partition(":")[2]
        inner = "".join(f"<{key}><odd>1</odd></{key}>" for key in members)
        body = f"<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>".encode()
    else:
        body = orjson.dumps({shape.serialization.get("name", key): wrong(shape) for key, shape in members.items()})
    return lambda _, request, found: reply(request.url, body, 200, found.headers)


def status(code: int) -> Callable[[str], Answer]:
    """A status without a body, again and again."""
    return lambda _: lambda _, request, found: reply(request.url, b"", code)


def raising(error: Callable[[str], Exception]) -> Callable[[str], Answer]:
    """No reply at all."""

    def make(_: str) -> Answer:
        def answer(_: int, request: Any, __: Stored) -> Any:
            raise error(request.url)

        return answer

    return make


FAULTS: dict[str, Callable[[str], Answer]] = {
    "empty": empty,
    "other types": other_types,
}
"""Tried on every operation."""

NOT_READABLE: dict[str, Callable[[str], Answer]] = {"a page instead of a reply": a_page, "half a document": half}

NO_REPLY: dict[str, Callable[[str], Answer]] = {
    "no answer in time": raising(lambda url: ReadTimeoutError(endpoint_url=url)),
    "500": status(500),
    "429": status(429),
    "closed half-way": raising(lambda url: IncompleteReadError(actual_bytes=20, expected_bytes=400)),
    "closed": raising(lambda url: ConnectionClosedError(endpoint_url=url)),
    "no connection in time": raising(lambda url: ConnectTimeoutError(endpoint_url=url)),
    "not reachable": raising(lambda url: EndpointConnectionError(endpoint_url=url)),
}
"""As the ones before, they end in one place of the code whatever was asked: each operation gets one of either."""

NOTHING_SET = frozenset({"lambda:GetFunctionConcurrency"})
"""An empty object is what AWS itself answers: nothing is reserved."""

CASES = [
    (fault, operation)
    for fault in FAULTS
    for operation in CALLED
    if not (fault == "empty" and operation in NOTHING_SET)
]
for some in (NOT_READABLE, NO_REPLY):
    CASES += [(list(some)[index % len(some)], operation) for index, operation in enumerate(CALLED)]


def test_without_a_fault_the_account_is_green(tape: Tape) -> None:
    inventory = tape.read()
    assert inventory.gaps == ()
    assert judged(inventory, tape.policy).summary.exit_code == 0
    assert set(tape.asked) == {*CALLED, BULK, "sts:GetCallerIdentity"}


def assert_named(operation: str, run: Run) -> None:
    """The exit code is 2 or 1, the gap is the operation's, and an UNKNOWN finding says so.

    Where another request follows from what is missing the tape has no reply to it, and says 404.
    """
    assert run.summary.exit_code in (1, 2), f"green although {operation} did not answer"
    assert {f"{gap.service}:{gap.operation}" for gap in run.gaps if gap.code != "Unsupported"} == {operation}
    told = [one.message for one in run.findings if one.status is Status.UNKNOWN and operation in one.message]
    assert told, f"nothing names {operation}"
    assert not [one.message for one in run.findings if one.message.startswith("the control itself failed")]


@pytest.mark.parametrize(("fault", "operation"), CASES)
def test_an_operation_that_does_not_answer_sensibly(fault: str, operation: str, tape: Tape) -> None:
    tape.faults[operation] = (FAULTS | NOT_READABLE | NO_REPLY)[fault](operation)
    assert_named(operation, judged(tape.read(), tape.policy))


def test_each_fault_is_tried() -> None:
    assert {fault for fault, _ in CASES} == {*FAULTS, *NOT_READABLE, *NO_REPLY}


LISTS = [operation for operation in CALLED if operation in PAGING and not is_cbor(operation)]


@pytest.mark.parametrize("operation", LISTS)
def test_a_list_whose_second_page_fails_is_no_list(operation: str, tape: Tape) -> None:
    """Half of the points, of the jobs, of the roles: what is not in it could be what matters."""
    told = PAGING[operation].told

    def answer(count: int, request: Any, found: Stored) -> Any:
        if count > 1:
            return reply(request.url, b"", 500)
        return reply(request.url, with_token(operation, found.body, told, "more"), 200, found.headers)

    tape.faults[operation] = answer
    assert_named(operation, judged(tape.read(), tape.policy))
    assert tape.asked[operation] > 1


@pytest.mark.parametrize("operation", LISTS)
def test_a_list_that_gives_its_token_again_ends(operation: str, tape: Tape) -> None:
    told = PAGING[operation].told
    first: dict[bytes, Stored] = {}

    def answer(count: int, request: Any, found: Stored) -> Any:
        body = found if found.status == 200 else next(iter(first.values()))
        first.setdefault(b"", body)
        return reply(request.url, with_token(operation, body.body, told, "again"), 200, body.headers)

    tape.faults[operation] = answer
    run = judged(tape.read(), tape.policy)
    assert_named(operation, run)
    assert any("has the token of an earlier page" in gap.detail for gap in run.gaps)
    assert tape.asked[operation] < 60


def with_token(operation: str, body: bytes, told: str, token: str) -> bytes:
    """The reply, with more to come."""
    if not is_xml(operation):
        shape = model_of(operation).output_shape.members[told]
        return orjson.dumps({**orjson.loads(body), shape.serialization.get("name", told): token})
    result = f"</{operation.partition(':')[2]}Result>".encode()
    assert result in body
    truncated = b"<IsTruncated>true</IsTruncated>" if told == "Marker" else b""
    tokened = f"<{told}>{token}</{told}>".encode()
    return body.replace(result, truncated + tokened + result)


def test_tags_that_come_neither_way_are_unknown(tape: Tape) -> None:
    for operation in (BULK, SINGLY):
        tape.faults[operation] = FAULTS["empty"](operation)
    run = judged(tape.read(), tape.policy)
    assert run.summary.exit_code in (1, 2)
    assert {f"{gap.service}:{gap.operation}" for gap in run.gaps} == {BULK, SINGLY}


@pytest.mark.parametrize("before", [2, 9, 20, 40, 60])
def test_credentials_that_expire_in_the_middle(before: int, tape: Tape) -> None:
    """What was asked until then is judged; the rest is a gap, and nothing is green."""

    def answer(total: int, request: Any, found: Stored) -> Any:
        if total <= before:
            return reply(request.url, found.body, found.status, found.headers)
        body = b'{"__type": "ExpiredTokenException", "message": "The security token is expired"}'
        xml = b"<E><Error><Code>ExpiredToken</Code><Message>The security token is expired</Message></Error></E>"
        is_json = "json" in str(found.headers)
        return reply(request.url, body if is_json else xml, 403, {"x-amzn-ErrorType": "ExpiredTokenException"})

    tape.faults["*"] = answer
    run = judged(tape.read(), tape.policy)
    assert run.summary.exit_code in (1, 2)
    assert run.gaps
    assert {gap.code for gap in run.gaps} <= {"ExpiredTokenException", "ExpiredToken", "403"}
    assert not [f.message for f in run.findings if f.message.startswith("the control itself failed")]


def test_credentials_that_are_expired_from_the_start(tape: Tape) -> None:
    body = b"<E><Error><Code>ExpiredToken</Code><Message>The security token is expired</Message></Error></E>"
    tape.faults["*"] = lambda _, request, __: reply(request.url, body, 403)
    with pytest.raises(Error, match="the credentials were refused: The security token is expired") as caught:
        tape.read()
    assert caught.value.exit_code == 2
