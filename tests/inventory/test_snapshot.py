"""The snapshot file: reading gives back what was written, the bytes are the same each time, damage is named."""

from __future__ import annotations

import dataclasses
import gzip
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backcheck.errors import UsageError
from backcheck.inventory import snapshot
from backcheck.inventory.codec import codec
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import CallRecord, Inventory

TEXT = st.text(max_size=8)
TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))

st.register_type_strategy(str, TEXT)
st.register_type_strategy(datetime, TIMES)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(min_value=-(2**53), max_value=2**53))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.from_type(Inventory))
def test_reading_gives_back_what_was_written(inventory: Inventory) -> None:
    data = snapshot.dumps(inventory)
    assert snapshot.loads(data) == inventory
    assert snapshot.dumps(snapshot.loads(data)) == data


EMPTY = Inventory(taken_at=datetime(2026, 11, 22, tzinfo=UTC), accounts=(), calls=(), gaps=())
RECORD = CallRecord(service="s", operation="o", region="r", account="a", calls=1, pages=1, failed=0)


def packed(document: object) -> bytes:
    return gzip.compress(orjson.dumps(document))


def changed(**fields: object) -> bytes:
    inventory = codec(Inventory).encode(EMPTY)
    return packed({"schema": snapshot.SCHEMA, "inventory": {**inventory, **fields}})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a snapshot: the file ends early"),
        (b"plain text", "not a snapshot: Error -3"),
        (snapshot.dumps(EMPTY)[:-9], "not a snapshot: the file ends early"),
        (packed([]), "not a snapshot of schema"),
        (packed({"schema": "backcheck/inventory/v0"}), "not a snapshot of schema"),
        (packed({"schema": snapshot.SCHEMA, "inventory": {}}), "a damaged snapshot: a Inventory lacks accounts"),
        (changed(more=1), "a Inventory has an unknown more"),
        (changed(taken_at="yesterday"), "'yesterday' is no datetime in taken_at"),
        (changed(taken_at="2026-11-22T00:00:00"), "has no time zone in taken_at"),
        (changed(calls=3), "expected a CallRecord, found 3 in calls"),
    ],
    ids=range(10),
)
def test_damage_is_named(data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        snapshot.loads(data)


def test_a_column_cannot_point_outside_its_values() -> None:
    inventory = dataclasses.replace(EMPTY, calls=(RECORD, RECORD))
    document = codec(Inventory).encode(inventory)
    document["calls"]["service"]["at"] = [0, 7]
    with pytest.raises(UsageError, match="a column points outside its values in service in calls"):
        snapshot.loads(packed({"schema": snapshot.SCHEMA, "inventory": document}))


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "BYTES_AT_MOST", 1000)
    with pytest.raises(UsageError, match="more than 1000 bytes unpacked"):
        snapshot.loads(gzip.compress(b" " * 100_000))


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        snapshot.read(tmp_path / "none")


def test_writing_returns_the_digest_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "snapshot.json.gz"
    digest = snapshot.write(EMPTY, path)
    assert snapshot.read(path) == EMPTY
    assert len(digest) == 64


def test_a_tag_may_be_called_gap() -> None:
    kind: Any = dict[str, str] | Gap
    assert codec(kind).decode(codec(kind).encode({"gap": "x"})) == {"gap": "x"}


def test_enums_are_written_as_their_values() -> None:
    class Colour(Enum):
        RED = "red"

    assert codec(Colour).encode(Colour.RED) == "red"
    assert codec(Colour).decode("red") is Colour.RED
