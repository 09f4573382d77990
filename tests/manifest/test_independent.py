"""docs/manifest.md, implemented by someone who had read nothing else, agrees with the code and with every vector."""

from __future__ import annotations

import base64
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.errors import Error
from backcheck.manifest.digest import bucket_of, item_digest, key_digest
from backcheck.manifest.encoding import encode_item, make_canonical, parse_object


def load() -> ModuleType:
    """The module by its path: it is also a script, and imports nothing of ours."""
    spec = importlib.util.spec_from_file_location("independent", Path(__file__).with_name("independent.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


independent = load()


def test_every_vector_agrees() -> None:
    assert independent.problems(json.loads(independent.VECTORS.read_text(encoding="utf-8"))) == []


def test_a_wrong_vector_is_noticed() -> None:
    vectors = json.loads(independent.VECTORS.read_text(encoding="utf-8"))
    vectors["items"][0]["item_digest"] = "00"
    vectors["tables"][1]["digest"] = "00"
    assert len(independent.problems(vectors)) == 2


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBERS = st.one_of(
    st.integers(-(10**40), 10**40).map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.from_regex(r"[+-]?(\d{1,4}\.?\d{0,4}|\.\d{1,4})([eE][+-]?\d{1,3})?", fullmatch=True),
    TEXT,
)
BINARY = st.binary(max_size=6).map(lambda raw: base64.b64encode(raw).decode()) | TEXT
SCALARS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda v: {"S": v}, TEXT),
    st.builds(lambda v: {"N": v}, NUMBERS),
    st.builds(lambda v: {"B": v}, BINARY),
    st.builds(lambda v: {"BOOL": v}, st.booleans()),
    st.builds(lambda v: {"NULL": v}, st.booleans()),
    st.builds(lambda v: {"SS": v}, st.lists(TEXT, max_size=3)),
    st.builds(lambda v: {"NS": v}, st.lists(NUMBERS, max_size=3)),
    st.builds(lambda v: {"BS": v}, st.lists(BINARY, max_size=3)),
)
VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    SCALARS,
    lambda inner: (
        st.builds(lambda v: {"L": v}, st.lists(inner, max_size=3))
        | st.builds(lambda v: {"M": v}, st.dictionaries(TEXT, inner, max_size=3))
    ),
    max_leaves=6,
)


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4))
def test_random_items_are_read_alike(item: dict[str, Any]) -> None:
    text = json.dumps(item)
    try:
        mine = independent.item_of(text)
    except independent.RefusedError:
        with pytest.raises(Error):
            canonical(text)
        return
    ours = canonical(text)
    canonical_text = independent.dump(mine)
    assert encode_item(ours) == canonical_text
    assert item_digest(ours) == independent.digest_and_lanes(canonical_text)[0]
    assert bucket_of(item_digest(ours)) == independent.bucket(item_digest(ours))
    for name, value in mine.items():
        if value.keys() <= {"S", "N", "B"}:
            assert key_digest(ours, (name,)) == independent.key_digest(mine, (name,))


def canonical(text: str) -> dict[str, Any]:
    """An item as the library reads it."""
    item = parse_object(text.encode())
    make_canonical(item)
    return item
