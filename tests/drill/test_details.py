"""Drills' own documents: read back as they were written, and never a reason to fail, or to read elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from backcheck.drill.details import key_of, read
from backcheck.drill.record import DrillDetail, DrillRecord, latest

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/shop"
BEGAN = datetime(2026, 11, 2, 6, tzinfo=UTC)

RECORD = DrillRecord(
    run_id="20261102t060000z-abc",
    account="123456789012",
    table_arn=ARN,
    method="pitr",
    started=BEGAN,
    finished=BEGAN.replace(hour=7),
    active_minutes=30.0,
    verified_minutes=35.0,
    passed=True,
    integrity="equal",
    witness="export",
    independent=False,
    settings="listed",
    cleaned_up=True,
    simulated=True,
    detail="",
    phases=(("restore", 1800.0),),
)


def restore(**changed: Any) -> dict[str, Any]:
    """One restore as drill.json has it."""
    return {
        "method": "pitr",
        "source": ARN,
        "restored": f"{ARN}-restored",
        "recovery_point": None,
        "as_of": "2026-11-02T05:59:00+00:00",
        "began": BEGAN.isoformat(),
        "phases": [{"name": "restore", "seconds": 1800.0}],
        "integrity": "equal",
        "comparison": {
            "as_of": "2026-11-02T05:59:00+00:00",
            "reason": "the same 2 items",
            "items": {"witness": 2, "restored": 3},
            "digests": {"witness": "aa", "restored": "bb"},
            "missing": 0,
            "extra": 1,
            "changed": 0,
            "explained": 0,
            "first": [{"kind": "extra", "key_digest": "cc", "attributes": ["price"]}],
            "notes": ["careful"],
        },
        "settings": {"verdict": "listed", "different": [], "alarms": {"errors": "gone"}, "runbook": ["aws one", "two"]},
        "errors": [],
        **changed,
    }


def written(folder: Path, *restores: dict[str, Any], run_id: str = RECORD.run_id, says: str | None = None) -> Path:
    """A history's path with one document beside it."""
    place = folder / "drills" / run_id / "drill.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(orjson.dumps({"run_id": says or run_id, "restores": restores}))
    return folder / "drills.jsonl"


def test_a_document_reads_back(tmp_path: Path) -> None:
    found = read(written(tmp_path, restore()), [RECORD])[key_of(RECORD)]
    assert isinstance(found, DrillDetail)
    assert (found.items, found.digests) == ((2, 3), ("aa", "bb"))
    assert found.differences == (("missing", 0), ("extra", 1), ("changed", 0), ("explained", 0))
    assert found.first == (("extra", "cc"),)
    assert found.runbook == ("aws one", "two")
    assert (found.as_of, found.recovery_point) == (datetime(2026, 11, 2, 5, 59, tzinfo=UTC), "")
    assert found.document == "drills/20261102t060000z-abc/drill.json"


def test_what_a_later_version_writes_is_shown_as_well(tmp_path: Path) -> None:
    found = read(written(tmp_path, restore(canary={"before": "seen", "after": []})), [RECORD])[key_of(RECORD)]
    assert isinstance(found, DrillDetail)
    assert ("alarms", ("errors: gone",)) in found.settings
    assert found.more == (("canary", ("before: seen", "after: none")),)


def test_a_restore_that_never_came_to_be_compared(tmp_path: Path) -> None:
    found = read(written(tmp_path, restore(comparison=None, settings=None, as_of=None)), [RECORD])[key_of(RECORD)]
    assert isinstance(found, DrillDetail)
    assert (found.items, found.digests, found.differences, found.as_of) == (None, None, (), None)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (replace(RECORD, run_id="another"), "drills/another/drill.json is not beside the history: No such file"),
        (replace(RECORD, method="backup"), "says nothing of this restore"),
        (replace(RECORD, run_id="../../etc"), "no run that a folder could be called by"),
        (replace(RECORD, run_id=".."), "no run that a folder could be called by"),
        (replace(RECORD, run_id="a\0b"), "is not beside the history: "),
    ],
)
def test_what_is_not_there_says_so(record: DrillRecord, message: str, tmp_path: Path) -> None:
    found = read(written(tmp_path, restore()), [record])[key_of(record)]
    assert isinstance(found, str)
    assert message in found


def test_a_document_of_another_drill_is_not_shown(tmp_path: Path) -> None:
    found = read(written(tmp_path, restore(), says="another"), [RECORD])[key_of(RECORD)]
    assert found == "drills/20261102t060000z-abc/drill.json is of another drill, another"


@pytest.mark.parametrize(
    "wrong",
    [{"phases": 3}, {"began": "noon"}, {"comparison": {"items": {"witness": "many"}}}, {"settings": ["x"]}],
)
def test_a_damaged_document_says_so(wrong: dict[str, Any], tmp_path: Path) -> None:
    found = read(written(tmp_path, restore(**wrong)), [RECORD])[key_of(RECORD)]
    assert isinstance(found, str)
    assert "is damaged" in found


def test_the_latest_is_by_table_and_method() -> None:
    later = replace(RECORD, started=BEGAN.replace(day=9))
    backup = replace(RECORD, method="backup", started=BEGAN.replace(day=1))
    assert set(latest([later, RECORD, backup])) == {later, backup}
