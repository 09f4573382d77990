"""The compiled short cut: it may only say that there is nothing to do, and then there is nothing to do."""

from __future__ import annotations

import copy
import json
import re
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.manifest.strategies import items, names, scalars, text, values

from backcheck.errors import Error
from backcheck.manifest import encoding
from backcheck.manifest.encoding import MAX_DEPTH, make_canonical
from backcheck.manifest.number import MAX_DIGITS
from backcheck.manifest.plain import COMPILED, is_plain

json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(names, st.just("")), inner)),
    max_leaves=5,
)
kinds = st.sampled_from(("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS", "S\0", "", "s", "SSS"))
number_like = st.text(alphabet="0123456789.-+eE ", max_size=5)
odd_values = st.one_of(
    st.dictionaries(kinds, st.one_of(json_values, number_like, values.map(lambda v: [v])), max_size=2),
    st.fixed_dictionaries({"SS": st.lists(st.one_of(text, st.integers()), max_size=3)}),
    st.fixed_dictionaries({"N": number_like}),
    st.dictionaries(st.one_of(names, st.just("")), scalars, max_size=2).map(lambda v: {"M": v}),
    values,
)


def walked(item: Any) -> Any:
    """The item after Python's own walk."""
    seen = copy.deepcopy(item)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "is_plain", lambda _: False)
        make_canonical(seen)
    return seen


def test_it_is_compiled_where_it_can_be() -> None:
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    assert COMPILED or shutil.which("cc") is None or not header.exists()


@given(st.one_of(st.dictionaries(st.one_of(names, st.just("")), odd_values, max_size=3), json_values))
def test_what_it_lets_pass_is_canonical(item: Any) -> None:
    if is_plain(item):
        assert walked(item) == item


@given(items)
def test_the_encoding_is_the_same_without_it(item: dict[str, Any]) -> None:
    with_it = copy.deepcopy(item)
    make_canonical(with_it)
    assert with_it == walked(item)


@pytest.mark.skipif(not COMPILED, reason="no C compiler here; the walk in Python is tested by all other modules")
@given(items)
def test_it_recognises_what_is_canonical(item: dict[str, Any]) -> None:
    make_canonical(item)
    left_to_python = re.search(r'"(B|NS|BS)":|"N": "[^"]{39,}"', json.dumps(item))
    assert is_plain(item) or left_to_python


@pytest.mark.parametrize("number", ["0", "-1", "10", "0.1", "-0.5", "1.01", "9" * MAX_DIGITS])
def test_canonical_numbers(number: str) -> None:
    assert is_plain({"n": {"N": number}}) is COMPILED
    assert walked({"n": {"N": number}}) == {"n": {"N": number}}


NESTED_TOO_DEEP: dict[str, Any] = {"S": "x"}
for _ in range(MAX_DEPTH + 1):
    NESTED_TOO_DEEP = {"L": [NESTED_TOO_DEEP]}


@pytest.mark.parametrize(
    "item",
    [
        *({"n": {"N": number}} for number in ("", "-", "-0", "00", "01", "1.", ".1", "1.0", "0.0", "+1", "1E0", "1 ")),
        {"n": {"N": "-0.0"}},
        {"n": {"N": "٣"}},
        {"n": {"N": "9" * (MAX_DIGITS + 1)}},
        {"n": {"N": "1\0"}},
        {"n": {"N": 1}},
        {"s": {"S": 1}},
        {"s": {"S\0": "x"}},
        {"s": {"S": "x", "N": "1"}},
        {"s": {}},
        {"s": "x"},
        {"s": None},
        {"": {"S": "x"}},
        {"m": {"M": {"": {"S": "x"}}}},
        {"m": {"M": []}},
        {"l": {"L": {}}},
        {"b": {"BOOL": 1}},
        {"b": {"NULL": False}},
        {"s": {"SS": []}},
        {"s": {"SS": ["b", "a"]}},
        {"s": {"SS": ["a", "a"]}},
        {"s": {"SS": ["a", 1]}},
        {"s": {"SS": "ab"}},
        {"deep": NESTED_TOO_DEEP},
        {},
        [],
        None,
    ],
)
def test_what_it_must_not_let_pass(item: Any) -> None:
    assert not is_plain(item)


def test_code_points_order_a_set() -> None:
    """UTF-16 would put the second before the first."""
    rising = {"s": {"SS": ["\uffee", "\U0001f600"]}}
    assert is_plain(rising) is COMPILED
    assert walked(rising) == rising


def test_refused_with_and_without_it() -> None:
    for item in ({"s": {"S\0": "x"}}, {"deep": NESTED_TOO_DEEP}, {"": {"S": "x"}}):
        with pytest.raises(Error):
            walked(item)
        with pytest.raises(Error):
            make_canonical(copy.deepcopy(item))
