"""The manifest file: the same bytes for the same content, and nothing read from a file that was cut or edited."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from tests.manifest.exports import orders

from backcheck.errors import Error
from backcheck.manifest.digest import EMPTY, Accumulator, Digest
from backcheck.manifest.document import FilterState, Manifest, TableRef, Witness, WitnessKind, parse, read, render
from backcheck.manifest.encoding import encode_item


def some_digest(count: int = 50) -> Digest:
    total = Accumulator(("customer", "order"))
    for item in orders(count):
        total.add(item, encode_item(item))
    return total.digest()


def manifest(digest: Digest | None = None, **witness: Any) -> Manifest:
    given_witness = {"kind": WitnessKind.EXPORT, "as_of": datetime(2026, 11, 1, tzinfo=UTC), **witness}
    return Manifest(
        table=TableRef(name="orders", account="123456789012", region="us-east-1"),
        key=("customer", "order"),
        witness=Witness(**given_witness),
        digest=digest if digest is not None else some_digest(),
    )


TEXT = render(manifest())


def resealed(document: dict[str, Any]) -> bytes:
    """An edited document whose self_digest fits again, as a forger would leave it."""
    rest = {name: value for name, value in document.items() if name != "self_digest"}
    text = orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)
    return orjson.dumps({**rest, "self_digest": blake3(b"backcheck/manifest/v1/self\n" + text).hexdigest()})


@pytest.mark.parametrize(
    "one",
    [
        manifest(),
        manifest(EMPTY, as_of=None, kind=WitnessKind.FILES, filter=FilterState.STATED, notes=("a note",)),
        manifest(kind=WitnessKind.SCAN, until=datetime(2026, 11, 2, tzinfo=UTC), consistent=True, endpoint="http://x"),
    ],
)
def test_what_is_written_is_read(one: Manifest) -> None:
    assert parse(render(one)) == one
    assert render(parse(render(one))) == render(one)


def test_a_manifest_holds_no_item_data() -> None:
    assert b"c7" not in TEXT.replace(b'"', b" ").split()
    assert b"red" not in TEXT.replace(b'"', b" ").split()


@given(st.integers(0, len(TEXT) - 2))
def test_a_manifest_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(Error, match="not a manifest"):
        parse(TEXT[:length])


@given(st.data())
def test_a_flipped_bit_is_found(data: st.DataObject) -> None:
    changed = bytearray(TEXT)
    changed[data.draw(st.integers(0, len(TEXT) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = parse(bytes(changed))
    except Error:
        return
    assert found == manifest()  # white space


def test_an_edit_is_found_by_the_self_digest() -> None:
    with pytest.raises(Error, match="changed after it was written"):
        parse(TEXT.replace(b"us-east-1", b"us-east-2"))


def _edited(**changes: Any) -> dict[str, Any]:
    return {**orjson.loads(TEXT), **changes}


def _without(name: str) -> dict[str, Any]:
    document = _edited()
    del document[name]
    return document


def _buckets(change: Any) -> dict[str, Any]:
    document = copy.deepcopy(_edited())
    first = next(iter(document["buckets"]))
    document["buckets"][first] = change(*document["buckets"][first])
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (_edited(extra=1), "/ does not fit the schema"),
        (_without("lanes"), "/ does not fit the schema"),
        (_edited(schema="backcheck/manifest/v2"), "not a manifest of version"),
        (_edited(items="50"), "/items does not fit"),
        (_edited(items=-1), "/items does not fit"),
        (_edited(items=51), "do not belong together"),
        (_edited(size_bytes=1), "do not belong together"),
        (_edited(digest="0" * 64), "do not belong together"),
        (_edited(lanes="0" * 4096), "do not belong together"),
        (_edited(lanes="0" * 4094), "/lanes does not fit"),
        (_edited(key=[]), "/key does not fit"),
        (_edited(key=["a", "b", "c"]), "/key does not fit"),
        (_buckets(lambda count, total: [count + 1, total]), "do not belong together"),
        (_buckets(lambda count, total: [0, total]), "does not fit the schema"),
        (_buckets(lambda count, total: [count]), "does not fit the schema"),
        (_buckets(lambda count, total: [count, total, 1]), "does not fit the schema"),
        (_edited(witness={**_edited()["witness"], "as_of": "yesterday"}), "not RFC 3339"),
        (_edited(witness={**_edited()["witness"], "kind": "rumour"}), "/witness/kind does not fit"),
    ],
)
def test_a_forged_document_whose_self_digest_fits_is_still_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=message):
        parse(resealed(document))


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"a":' * 5000, b"1" * 5000])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(Error, match="not a manifest"):
        parse(text)


def test_a_huge_file_is_not_even_parsed(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(b" " * (1 << 21))
    with pytest.raises(Error, match="larger than 1048576 bytes"):
        read(tmp_path / "m.json")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Error, match="cannot read the manifest"):
        read(tmp_path / "m.json")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_without_a_traceback(text: bytes) -> None:
    with pytest.raises(Error):
        parse(text)


def test_equal_content_gives_equal_bytes() -> None:
    assert render(manifest(some_digest(50))) == TEXT
