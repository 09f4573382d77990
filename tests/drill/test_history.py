from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backcheck.controls import CONTROLS, examples
from backcheck.drill import history
from backcheck.drill.record import DrillRecord
from backcheck.evaluate import evaluate
from backcheck.finding import Finding, Status
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
        ({"finished": examples.BORN}, "finished: "),
    ],
)
def test_a_record_that_contradicts_itself_is_unsound_and_the_others_count(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    path = tmp_path / "drills.jsonl"
    history.append(path, [examples.drill("backup"), examples.drill("pitr", **changes)])
    found = history.read(path)
    assert not isinstance(found, Gap)
    good, bad = found
    assert good == examples.drill("backup")
    assert (bad.unsound, bad.passed, bad.undetermined, bad.method) == (True, False, True, "pitr")
    assert bad.detail.startswith(f"{path}:2: a record that contradicts itself: {says}")


def test_a_record_of_nobody_knows_which_table_makes_the_history_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "drills.jsonl"
    history.append(path, [examples.drill("backup"), examples.drill("pitr", account="999988887777")])
    found = history.read(path)
    assert isinstance(found, Gap)
    assert f"{path}:2" in found.detail
    assert "contradicts itself: account: 999988887777 is not the account of arn:" in found.detail


def judged(path: Path, *records: DrillRecord) -> dict[str, Finding]:
    """What RST-01 to RST-04 say of a history."""
    history.append(path, records)
    found = evaluate(examples.world(drills=history.read(path)), CONTROLS)
    return {one.control: one for one in found if one.control in ("RST-01", "RST-02", "RST-03", "RST-04")}


DAY = timedelta(days=1)
OLD = examples.BORN


@pytest.mark.parametrize(
    "bad",
    [
        examples.drill("pitr", witness="none"),
        # A time that is damaged may be any: neither an old one nor one to come lets an earlier drill speak for it.
        examples.drill("pitr", witness="none", started=OLD, finished=OLD),
        examples.drill("pitr", started=examples.NOW + 900 * DAY),
    ],
    ids=["in its place", "as if old", "as if to come"],
)
def test_an_unsound_drill_is_unknown_whatever_passed_before_it(tmp_path: Path, bad: DrillRecord) -> None:
    found = judged(tmp_path / "drills.jsonl", *examples.shop_drills(), bad)
    assert {name: one.status for name, one in found.items()} == dict.fromkeys(found, Status.UNKNOWN)
    assert len(found) == 4
    assert all("drills.jsonl:4: a record that contradicts itself" in one.message for one in found.values())
    assert all("backup: " in one.message for one in found.values())


def test_an_unsound_drill_is_history_once_a_later_one_passed(tmp_path: Path) -> None:
    bad = examples.drill("pitr", witness="none", started=OLD, finished=OLD)
    found = judged(tmp_path / "drills.jsonl", bad, *examples.shop_drills())
    assert {name: one.status for name, one in found.items()} == dict.fromkeys(found, Status.PASS)
    assert "drills.jsonl:1: a record that contradicts itself" in found["RST-01"].notes[-1]
