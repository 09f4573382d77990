"""Any input: the right digest or a clear error; never a wrong one, never another exception.

What is right is said by a second reader, written plainly with json and Decimal.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.manifest.exports import line, order
from tests.manifest.strategies import items

from backcheck.errors import Error
from backcheck.manifest.document import parse
from backcheck.manifest.encoding import parse_line, parse_object


def plainly(item: dict[str, Any]) -> str:
    """An item's canonical text by other means: Decimal for numbers, json for the text."""

    def value(typed: dict[str, Any]) -> dict[str, Any]:
        [(kind, inner)] = typed.items()
        if kind in ("N", "B"):
            return {kind: scalar(kind, inner)}
        if kind in ("SS", "NS", "BS"):
            return {kind: sorted(scalar(kind[0], one) for one in inner)}
        if kind == "L":
            return {kind: [value(one) for one in inner]}
        return {kind: {name: value(one) for name, one in inner.items()} if kind == "M" else inner}

    def scalar(kind: str, text: str) -> str:
        if kind == "B":
            return base64.b64encode(base64.b64decode(text)).decode()
        if kind == "S":
            return text
        number = Decimal(text)
        plain = f"{number:f}"
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
        return plain if number else "0"

    canonical = {name: value(typed) for name, typed in item.items()}
    return json.dumps(canonical, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@settings(max_examples=300)
@given(items)
def test_every_item_is_encoded_as_a_plain_reader_would(item: dict[str, Any]) -> None:
    expected = plainly(item).encode()
    assert parse_line(line(item))[1] == expected
    assert parse_line(json.dumps({"Item": item}, indent=1).encode())[1] == expected


def _outcome(text: bytes) -> bytes | None:
    try:
        return parse_line(text)[1]
    except Error:
        return None


def _is_right(text: bytes) -> bool:
    """An error, or what a plain reader makes of it."""
    encoded = _outcome(text)
    return encoded is None or encoded.decode() == plainly(json.loads(text)["Item"])


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_any_bytes(text: bytes) -> None:
    assert _is_right(text)


NAMES = ("Item", "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS")
PIECES = (b'"', b"{", b"}", b":", b",", b"\\", b'{"S":"a"}', b'"a":')
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(("Item", "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS")),
                st.text(max_size=3),
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=10,
)


@settings(max_examples=500)
@given(json_values)
def test_any_json(value: Any) -> None:
    assert _is_right(json.dumps({"Item": value}).encode())


@settings(max_examples=500)
@given(st.data())
def test_an_item_s_line_with_bytes_put_in_taken_out_or_changed(data: st.DataObject) -> None:
    whole = bytearray(line(order(1)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        length = data.draw(st.integers(0, 4))
        whole[at : at + length] = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from(PIECES)))
    assert _is_right(bytes(whole))


@given(st.text(alphabet='{}[]":,SNBM1e.\\ Item', max_size=60))
def test_any_text_of_json_s_own_characters(text: str) -> None:
    assert _is_right(text.encode())
    assert _is_right(b'{"Item":' + text.encode() + b"}")


@given(st.integers(1, 5000), st.sampled_from((b'{"L":[', b'{"M":{"a":', b"[", b'{"Item":')))
def test_any_depth(depth: int, opening: bytes) -> None:
    assert _outcome(b'{"Item":{"a":' + opening * depth) is None
    closing = {b'{"L":[': b"]}", b'{"M":{"a":': b"}}", b"[": b"]", b'{"Item":': b"}"}[opening]
    assert _is_right(b'{"Item":{"a":' + opening * depth + b'{"S":"x"}' + closing * depth + b"}}")


@given(json_values)
def test_any_json_as_a_manifest(value: Any) -> None:
    with pytest.raises(Error, match="not a manifest"):
        parse(json.dumps(value).encode())


@given(st.binary(max_size=100).filter(lambda text: text != b"{}"))
def test_any_bytes_as_a_page(text: bytes) -> None:
    with suppress(Error):
        assert isinstance(parse_object(text), dict)
