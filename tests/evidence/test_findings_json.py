"""findings.json: what its schema says, the same bytes each time, and readable when there is much."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from tests.test_difference import FAIL, PASS, UNKNOWN, run

from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.examples import world
from backcheck.evidence import findings_json
from backcheck.finding import AppliedWaiver, Location, Run, Status


@pytest.fixture(scope="session")
def schema(pytestconfig: pytest.Config) -> Any:
    return orjson.loads((pytestconfig.rootpath / "docs" / "run.schema.json").read_bytes())


def full() -> Run:
    """A run in which every optional field is set somewhere."""
    made = run(FAIL, UNKNOWN, PASS, Status.WAIVED)
    waiver = AppliedWaiver(
        owner="ops", ticket="T-1", reason="r", expires="2026-12-01", days_left=9, original=Status.FAIL
    )
    *rest, last = made.findings
    return replace(made, findings=(*rest, replace(last, waiver=waiver, location=Location(file="p.yaml", line=3))))


def example() -> Run:
    one = world()
    return audit(one, CONTROLS, "0" * 64)


@pytest.mark.parametrize("make", [full, example])
def test_it_is_what_the_schema_says(make: Any, schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    document = orjson.loads(findings_json.render(make()).findings)
    checker = jsonschema.FormatChecker()
    assert [
        error.message for error in jsonschema.Draft202012Validator(schema, format_checker=checker).iter_errors(document)
    ] == []


def test_the_bytes_are_the_same_each_time() -> None:
    assert findings_json.render(example()) == findings_json.render(example())


def test_the_summary_counts_every_finding() -> None:
    document = orjson.loads(findings_json.render(full()).findings)
    assert document["summary"] == {"pass": 1, "fail": 1, "unknown": 1, "waived": 1, "not_applicable": 0}


def test_much_is_grouped_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch, schema: Any) -> None:
    monkeypatch.setattr(findings_json, "GROUP_ABOVE", 2)
    made = run(PASS, FAIL, PASS, UNKNOWN)
    noted = replace(made, findings=(*made.findings, replace(made.findings[0], resource="noted", notes=("careful",))))
    files = findings_json.render(noted)
    document = orjson.loads(files.findings)
    jsonschema.validate(document, schema)
    assert [one["status"] for one in document["findings"]] == ["fail", "unknown", "pass"]
    assert document["passed"] == [{"control": "PIT-01", "tier": None, "count": 2}]
    assert files.passed is not None
    side = orjson.loads(gzip.decompress(files.passed))
    assert side["passed"] == [{"control": "PIT-01", "tier": None, "resources": ["table/0", "table/2"]}]


def test_a_small_run_has_no_side_file(tmp_path: Path) -> None:
    assert findings_json.render(full()).passed is None
