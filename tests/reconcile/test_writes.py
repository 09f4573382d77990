"""The requests that bring an item back, at DynamoDB's limits."""

from __future__ import annotations

from typing import Any

import pytest

from backcheck.reconcile.writes import EXPRESSION_BYTES, MAX_OPERATORS, from_client, to_client, update_request


def item(count: int, value: str) -> dict[str, Any]:
    """An item of so many attributes, its key one of them."""
    return {"id": {"S": "p"}, **{f"attribute-{n:04}": {"S": value} for n in range(count - 1)}}


def operators(condition: str) -> int:
    """As the page counts them: comparators, functions, and keywords between them."""
    return condition.count("=") + condition.count("attribute_not_exists(") + condition.count(" AND ")


@pytest.mark.parametrize("count", [2, 149, 150])
def test_an_expression_stays_within_what_dynamodb_takes(count: int) -> None:
    request = update_request("t", item(count, "good"), item(count, "bad"), ("id",))
    assert request is not None
    assert operators(request["ConditionExpression"]) == 2 * count - 1 <= MAX_OPERATORS
    for name in ("ConditionExpression", "UpdateExpression"):
        assert len(request[name].encode()) <= EXPRESSION_BYTES
    assert all(len(name) <= 255 for name in request["ExpressionAttributeNames"] | request["ExpressionAttributeValues"])


def test_what_no_condition_can_name_is_not_written() -> None:
    assert update_request("t", item(151, "good"), item(151, "bad"), ("id",)) is None
    assert update_request("t", item(151, "good"), item(2, "bad"), ("id",)) is None


def test_only_what_differs_is_set_and_what_was_added_is_removed() -> None:
    live = {"id": {"S": "p"}, "title": {"S": "bad"}, "price": {"N": "1"}, "extra": {"BOOL": True}}
    restored = {"id": {"S": "p"}, "title": {"S": "good"}, "price": {"N": "1"}, "size": {"S": "M"}}
    request = update_request("t", restored, live, ("id",))
    assert request is not None
    names = request["ExpressionAttributeNames"]
    named = request["UpdateExpression"]
    for place, name in names.items():
        named = named.replace(f"{place}=", f"{name}=").replace(f"REMOVE {place}", f"REMOVE {name}")
    assert {part.split("=")[0] for part in named.partition(" REMOVE ")[0].removeprefix("SET ").split(", ")} == {
        "title",
        "size",
    }
    assert named.partition(" REMOVE ")[2] == "extra"
    assert "attribute_not_exists" in request["ConditionExpression"]


def test_binary_goes_to_the_client_and_back() -> None:
    held = {"a": {"B": "AAE="}, "b": {"BS": ["AAE="]}, "c": {"M": {"d": {"L": [{"B": "/w=="}]}}}, "e": {"NULL": True}}
    assert to_client(held)["a"] == {"B": b"\x00\x01"}
    assert from_client(to_client(held)) == held
