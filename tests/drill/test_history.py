from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from backcheck.controls import CONTROLS, examples
from backcheck.drill import history
from backcheck.evaluate import evaluate
from backcheck.finding import Status
from backcheck.inventory.gap import Gap


def test_records_come_back_as_they_were_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "out" / "drills.jsonl"
    old = examples.drill(
        "backup",
        started=examples.BORN,
        active_minutes=None,
        verified_minutes=None,
        passed=False,
        integrity="not-proven",
        witness="none",
    )
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
        (lambda text: text.replace('"passed":true', '"passed":"yes"'), "passed: "),
        (lambda text: text.replace('"active_minutes":40.0', '"active_minutes":-1'), "active_minutes: -1 is less than"),
        (lambda text: text.replace('"simulated":', '"sim":'), "'simulated' is a required"),
        (lambda text: re.sub('"started":"[^"]*"', '"started":"yesterday"', text), "not a time: 'yesterday'"),
        (lambda text: re.sub('("started":"[^"+]*)[^"]*"', '\\1"', text), "a time without a zone"),
    ],
    ids=[
        "cut off",
        "empty object",
        "odd flag",
        "odd word",
        "other version",
        "field named",
        "negative",
        "other field",
        "no time",
        "no zone",
    ],
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


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"witness": "none"}, "integrity: equal, without a witness"),
        ({"undetermined": True}, "undetermined: true, while passed is true"),
        ({"cleaned_up": False}, "cleaned_up: false, while passed is true"),
        ({"integrity": "not-proven"}, "integrity: not-proven, while passed is true"),
        ({"verified_minutes": 39.0}, "verified_minutes: 39.0 is less than active_minutes, 40.0"),
        ({"account": "999988887777"}, "account: 999988887777 is not the account of arn:"),
        ({"finished": examples.BORN}, "finished: "),
    ],
)
def test_a_record_that_contradicts_itself_makes_the_history_unreadable(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    path = tmp_path / "drills.jsonl"
    history.append(path, [examples.drill("backup"), examples.drill("pitr", **changes)])
    found = history.read(path)
    assert isinstance(found, Gap)
    assert f"{path}:2" in found.detail
    assert f"a record that contradicts itself: {says}" in found.detail


def test_such_a_history_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "drills.jsonl"
    history.append(path, [*examples.shop_drills()[1:], examples.drill("pitr", witness="none")])
    judged = evaluate(examples.world(drills=history.read(path)), CONTROLS)
    found = {one.control: one for one in judged if one.control in ("RST-01", "RST-02", "RST-03", "RST-04")}
    assert {name: one.status for name, one in found.items()} == dict.fromkeys(found, Status.UNKNOWN)
    assert len(found) == 4
    assert all("integrity: equal, without a witness" in one.message for one in found.values())
