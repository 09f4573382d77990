from __future__ import annotations

import re
from pathlib import Path

import pytest

from backcheck.controls import examples
from backcheck.drill import history
from backcheck.inventory.gap import Gap


def test_records_come_back_as_they_were_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "out" / "drills.jsonl"
    old = examples.drill("backup", started=examples.BORN, active_minutes=None)
    history.append(path, [examples.drill("pitr")])
    history.append(path, [old])
    assert history.read(path) == (old, examples.drill("pitr"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text + "{", "not JSON"),
        (lambda text: text + "{}\n", "is a required property"),
        (lambda text: text.replace('"passed":true', '"passed":"yes"'), "not of type 'boolean'"),
        (lambda text: text.replace('"integrity":"equal"', '"integrity":"fine"'), "is not one of"),
        (lambda text: text.replace("backcheck/drill/v1", "backcheck/drill/v2"), "was expected"),
        (lambda text: text.replace('"simulated":', '"sim":'), "'simulated' is a required"),
        (lambda text: re.sub('"started":"[^"]*"', '"started":"yesterday"', text), "not a time: 'yesterday'"),
        (lambda text: re.sub('("started":"[^"+]*)[^"]*"', '\\1"', text), "a time without a zone"),
    ],
    ids=["cut off", "empty object", "odd flag", "odd word", "other version", "other field", "no time", "no zone"],
)
def test_a_history_that_is_not_whole_is_a_gap_with_its_line(tmp_path: Path, change: object, says: str) -> None:
    path = tmp_path / "drills.jsonl"
    history.append(path, [examples.drill("pitr")])
    assert callable(change)
    path.write_text(change(path.read_text()))
    found = history.read(path)
    assert isinstance(found, Gap)
    assert says in found.detail
    assert str(path) in found.detail


def test_a_history_that_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    found = history.read(tmp_path / "none.jsonl")
    assert isinstance(found, Gap)
    assert found.code == "Unreadable"
