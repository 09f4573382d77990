"""Replies that are not what AWS sends: random, cut, empty, with tokens that repeat. Each is a Gap, none crashes.

The random ones are made from botocore's own output shapes, so they are of the right form and of no sense.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.inventory.building import ACCOUNT, NOW, POLICY, target

from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.inventory import snapshot
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.functions import functions
from backcheck.inventory.collect.jobs import backup_jobs
from backcheck.inventory.collect.paging import PAGING
from backcheck.inventory.collect.reply import Malformed, Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.operations import OPERATIONS

TEXT = st.text(alphabet='ab/:-.*{}"<\x00é', max_size=6) | st.sampled_from(
    [
        "arn:aws:dynamodb:us-east-1:123456789012:table/shop-a",
        "shop-a",
        "ENABLED",
        "COMPLETED",
        "{}",
        "cron(0 1 * * ? *)",
    ]
)
TIMES = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "timestamp": TIMES,
    "boolean": st.booleans(),
    "integer": st.integers(-5, 40_000),
    "long": st.integers(-5, 2**40),
    "double": st.floats(allow_nan=False),
    "float": st.floats(allow_nan=False, width=32),
    "blob": st.binary(max_size=4),
}


def of_shape(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape, in which any member may be missing."""
    if isinstance(shape, StructureShape):
        if depth > 4:
            return st.just({})
        members = {name: of_shape(member, depth + 1) for name, member in shape.members.items()}
        members = {name: st.none() if name in TOKENS else values for name, values in members.items()}
        return st.fixed_dictionaries({}, optional=members)
    if isinstance(shape, ListShape):
        return st.lists(of_shape(shape.member, depth + 1), max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(TEXT, of_shape(shape.value, depth + 1), max_size=2)
    return SCALARS[shape.type_name]


TOKENS = {"NextToken", "Marker", "PaginationToken", "LastEvaluatedTableName", "IsTruncated"}
"""A random token would have the collector ask for ever; tokens have tests of their own."""

SESSION = botocore.session.get_session()
REPLIES = st.fixed_dictionaries(
    {
        one.id: of_shape(SESSION.get_service_model(one.service).operation_model(one.name).output_shape)
        for one in OPERATIONS
        if one.id != "sts:GetCallerIdentity"
    }
)

IDENTITY = {"Arn": f"arn:aws:iam::{ACCOUNT}:root", "Account": ACCOUNT}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str, dict[str, Any]], Any]], None]:
    """Answer every request with a function of `service:operation` and its parameters."""

    def install(answer: Callable[[str, dict[str, Any]], Any]) -> None:
        def request(self: Calls, service: str, operation: str, region: str, params: dict[str, Any]) -> Any:
            self._count(service, operation, region, calls=1)
            return IDENTITY if operation == "GetCallerIdentity" else answer(f"{service}:{operation}", params)

        monkeypatch.setattr(Calls, "_request", request)

    return install


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(replies=REPLIES)
def test_random_replies_never_crash_and_never_pass_unread(
    replies: dict[str, Any], answers: Callable[[Callable[[str, dict[str, Any]], Any]], None]
) -> None:
    answers(lambda name, _: replies[name])
    inventory = collect([target()], POLICY, lambda: NOW)
    assert snapshot.loads(snapshot.dumps(inventory)) == inventory
    run = audit(World(policy=POLICY, now=NOW, inventory=inventory), CONTROLS, "0")
    assert not [f.message for f in run.findings if f.message.startswith("the control itself failed")]
    assert bool(run.gaps) <= bool(run.summary.unknown)


def test_empty_replies_are_gaps(answers: Callable[[Callable[[str, dict[str, Any]], Any]], None]) -> None:
    answers(lambda name, _: {})
    inventory = collect([target()], POLICY, lambda: NOW)
    assert {gap.code for gap in inventory.gaps} == {"Malformed"}
    region = inventory.region(ACCOUNT, "us-east-1")
    assert region is not None
    for value in (region.table_names, region.plans, region.vaults, region.settings, region.backup_jobs):
        assert isinstance(value, Gap)
        assert "reply lacks" in value.detail


def paged(answers: Any, pages: Callable[[dict[str, Any]], Any]) -> tuple[str, ...] | Gap:
    """ListTables through the given pages."""
    answers(lambda name, params: pages(params))
    with ThreadPoolExecutor(1) as pool:
        calls = Calls(target(), pool)
        found: tuple[str, ...] | Gap = asyncio.run(
            calls.pages("dynamodb", "ListTables", "us-east-1", lambda page: page.texts("TableNames"))
        )
    return found


def test_an_empty_token_ends_a_list(answers: Any) -> None:
    assert paged(answers, lambda _: {"TableNames": ["a"], "LastEvaluatedTableName": ""}) == ("a",)


def test_every_page_is_read(answers: Any) -> None:
    def page(params: dict[str, Any]) -> Any:
        start = int(params.get("ExclusiveStartTableName", "0"))
        more = {"LastEvaluatedTableName": str(start + 1)} if start < 11 else {}
        return {"TableNames": [f"t{start}"], **more}

    assert paged(answers, page) == tuple(f"t{i}" for i in range(12))


def test_a_repeated_token_is_a_gap(answers: Any) -> None:
    found = paged(answers, lambda _: {"TableNames": ["a"], "LastEvaluatedTableName": "a"})
    assert isinstance(found, Gap)
    assert (found.code, found.detail) == ("Malformed", "page 3 has the token of an earlier page")


def test_tokens_without_end_are_a_gap(answers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backcheck.inventory.collect.calls.PAGES_AT_MOST", 5)
    numbers = iter(range(100))
    found = paged(answers, lambda _: {"TableNames": [], "LastEvaluatedTableName": str(next(numbers))})
    assert isinstance(found, Gap)
    assert found.detail == "more than 5 pages"


def test_a_page_that_fails_loses_the_list(answers: Any) -> None:
    pages: Iterator[Any] = iter([{"TableNames": ["a"], "LastEvaluatedTableName": "a"}, {"TableNames": "b"}])
    found = paged(answers, lambda _: next(pages))
    assert isinstance(found, Gap)
    assert found.detail == "reply.TableNames is str, expected a list"


@pytest.mark.parametrize("name", sorted(PAGING))
def test_paging_is_what_the_model_says(name: str) -> None:
    service, _, operation = name.partition(":")
    model = SESSION.get_service_model(service).operation_model(operation)
    paging = PAGING[name]
    assert paging.ask in model.input_shape.members
    assert paging.told in model.output_shape.members
    if paging.size:
        most = model.input_shape.members[paging.size].metadata.get("max", paging.most)
        assert paging.most <= most


def test_every_list_is_paged() -> None:
    lists = {
        one.id
        for one in OPERATIONS
        if TOKENS & SESSION.get_service_model(one.service).operation_model(one.name).output_shape.members.keys()
    }
    assert lists - PAGING.keys() == set()


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda r: r.text("none"), "reply lacks none"),
        (lambda r: r.text("empty"), "reply lacks empty"),
        (lambda r: r.text("number"), "reply.number is int, expected a string"),
        (lambda r: r.time("text"), "reply.text is str, expected a time"),
        (lambda r: r.number("flag"), "reply.flag is bool, expected a whole number"),
        (lambda r: r.flag("number"), "reply.number is int, expected true or false"),
        (lambda r: r.part("text"), "reply.text is str, expected a structure"),
        (lambda r: r.parts("texts"), "reply.texts[0] is str, expected a structure"),
        (lambda r: r.decimals("texts"), "reply.texts is str, expected a number"),
        (lambda r: r.flag_in_text("text"), "reply.text is str, expected 'true' or 'false'"),
    ],
)
def test_a_field_of_another_kind_is_named(read: Callable[[Reply], object], message: str) -> None:
    reply = Reply({"empty": "", "number": 3, "text": "x", "flag": True, "texts": ["a"]})
    with pytest.raises(Exception, match=message.replace("[", r"\[").replace("]", r"\]")):
        read(reply)


def test_a_time_that_cannot_follow_another_is_named() -> None:
    reply = Reply(
        {
            "began": datetime(2026, 11, 22, 5),
            "ended": datetime(2026, 11, 22, 3),
            "skewed": datetime(2026, 11, 22, 4, 30),
        }
    )
    assert reply.time_after("none", "began") is None
    assert reply.time_after("skewed", "began") == datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
    with pytest.raises(Malformed, match=r"reply\.ended is before began"):
        reply.time_after("ended", "began")


def test_a_job_on_two_pages_is_one(answers: Any) -> None:
    job = {"BackupJobId": "j", "ResourceArn": "arn:x", "CreationDate": datetime(2026, 11, 22, tzinfo=UTC)}

    def page(params: dict[str, Any]) -> Any:
        if "NextToken" in params:
            return {"BackupJobs": [{**job, "State": "COMPLETED"}]}
        return {"BackupJobs": [{**job, "State": "RUNNING"}], "NextToken": "more"}

    answers(lambda name, params: page(params))
    with ThreadPoolExecutor(1) as pool:
        found = asyncio.run(backup_jobs(Calls(target(), pool), "us-east-1"))
    assert not isinstance(found, Gap)
    assert [one.state for one in found] == ["COMPLETED"]


def test_an_alias_stays_one_though_the_reply_names_its_function(answers: Any) -> None:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:check"
    answers(lambda name, params: {"FunctionArn": arn, "FunctionName": "check", "Timeout": 60, "Policy": "{}"})
    with ThreadPoolExecutor(1) as pool:
        found = asyncio.run(functions(Calls(target(), pool), "us-east-1", ["check", f"{arn}:live"]))
    assert [one.arn for one in found if not isinstance(one, Gap)] == [f"{arn}:live", arn]
