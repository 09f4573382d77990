"""SARIF against its published schema; JUnit and annotations as pipelines read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from xml.etree import ElementTree as ET

import orjson
import pytest
from jsonschema import Draft7Validator

from backcheck.controls import CONTROLS
from backcheck.evidence import annotations as workflow
from backcheck.evidence import junit, sarif
from backcheck.evidence.checkout import Checkout, checkout_at
from backcheck.finding import AppliedWaiver, AuditedAccount, Finding, Location, Run, Severity, Status

SCHEMA = Draft7Validator(orjson.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_bytes()))
WAIVER = AppliedWaiver(
    owner="o@example.com", ticket="T-1", reason="why", expires="2026-12-01", days_left=9, original=Status.FAIL
)


def finding(status: Status, control: str = "PIT-01", **more: object) -> Finding:
    made = Finding(
        control=control,
        status=status,
        severity=Severity.CRITICAL,
        resource=f"arn:aws:dynamodb:us-east-1:123456789012:table/{status.value}",
        tier=None,
        expected="on",
        observed="off",
        at="DescribeContinuousBackups",
        message="it is off: 100%\nnow, \x07 & <then>",
        notes=(),
        remediation="switch it on",
        maps_to=(),
        location=Location(file="a folder/primary, old.yaml", line=7),
    )
    return replace(made, **more)  # type: ignore[arg-type]


FINDINGS = (
    *(finding(status, waiver=WAIVER if status is Status.WAIVED else None) for status in Status),
    finding(Status.FAIL, "cfn-lint:E3504", location=None),
    finding(Status.FAIL, "TPL-01", location=Location(file="/tmp/x/a.yaml", line=0)),
)


@pytest.fixture
def run() -> Run:
    return Run(
        id="0" * 32,
        clock=datetime(2026, 11, 22, tzinfo=UTC),
        policy_name="p",
        policy_version="1",
        policy_sha256="0" * 64,
        accounts=(AuditedAccount(kind="template", id="123456789012", regions=("us-east-1",), simulated=True),),
        gaps=(),
        findings=FINDINGS,
    )


def test_sarif_is_what_its_schema_says(run: Run) -> None:
    document = orjson.loads(sarif.render(run, CONTROLS, "templates/a.yaml"))
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
    assert [error.message for error in SCHEMA.iter_errors({**document, "version": "2.0.0"})] != []


def test_sarif_without_findings_is_valid_too(run: Run) -> None:
    document = orjson.loads(sarif.render(replace(run, findings=()), CONTROLS, "a.yaml"))
    assert [error.message for error in SCHEMA.iter_errors(document)] == []


def test_sarif_shows_what_is_not_green_and_nothing_else(run: Run) -> None:
    results = orjson.loads(sarif.render(run, CONTROLS, "templates/a.yaml"))["runs"][0]["results"]
    assert [one["level"] for one in results] == ["error", "warning", "error", "error", "error"]
    assert results[1]["message"]["text"].startswith("could not be determined: ")
    assert results[2]["suppressions"][0]["kind"] == "external"
    assert "suppressions" not in results[0]
    places = [one["locations"][0]["physicalLocation"] for one in results]
    assert places[0] == {"artifactLocation": _below("a%20folder/primary%2C%20old.yaml"), "region": {"startLine": 7}}
    assert places[3] == {"artifactLocation": _below("templates/a.yaml"), "region": {"startLine": 1}}
    assert places[4]["artifactLocation"] == {"uri": "file:///tmp/x/a.yaml"}
    assert len({one["partialFingerprints"]["backcheckFinding/v1"] for one in results}) == 5


def _below(uri: str) -> dict[str, str]:
    return {"uri": uri, "uriBaseId": "%SRCROOT%"}


CHECKOUT = Checkout(root=PurePath("/tmp/x"), here=PurePath("/tmp/x/infra/here"))


def test_files_are_named_from_the_root_of_the_repository(run: Run) -> None:
    document = orjson.loads(sarif.render(run, CONTROLS, "../b.yaml", CHECKOUT))
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
    files = [one["locations"][0]["physicalLocation"]["artifactLocation"] for one in document["runs"][0]["results"]]
    assert files[0] == _below("infra/here/a%20folder/primary%2C%20old.yaml")
    assert files[3:] == [_below("infra/b.yaml"), _below("a.yaml")]
    lines = list(workflow.commands(run, CHECKOUT))
    assert lines[0].startswith("::error file=infra/here/a folder/primary%2C old.yaml,line=7,")
    assert lines[2].startswith("::error file=a.yaml,line=1,")


def test_a_file_outside_the_repository_stays_absolute(run: Run) -> None:
    elsewhere = replace(CHECKOUT, root=PurePath("/tmp/y"))
    document = orjson.loads(sarif.render(run, CONTROLS, "a.yaml", elsewhere))
    assert document["runs"][0]["results"][4]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "file:///tmp/x/a.yaml"
    }


def test_the_repository_is_what_holds_dot_git(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    assert checkout_at(tmp_path / "infra").root == tmp_path / "infra"
    (tmp_path / ".git").write_text("gitdir: elsewhere")  # a worktree's
    assert checkout_at(tmp_path / "infra") == Checkout(root=tmp_path, here=tmp_path / "infra")


def test_junit_has_an_error_for_what_is_not_known(run: Run) -> None:
    suite = ET.fromstring(junit.render(run))[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "3",
        "errors": "1",
        "skipped": "2",
    }
    by_status = {case.get("name", "").rpartition("/")[2]: [part.tag for part in case] for case in suite[1:6]}
    assert by_status == {
        "pass": [],
        "fail": ["failure"],
        "unknown": ["error"],
        "waived": ["skipped"],
        "not_applicable": ["skipped"],
    }


def test_annotations_escape_what_github_would_read(run: Run) -> None:
    lines = list(workflow.commands(run, Checkout(root=PurePath("/r"), here=PurePath("/r"))))
    assert len(lines) == 4
    assert lines[0].startswith("::error file=a folder/primary%2C old.yaml,line=7,title=PIT-01 fail::")
    assert "100%25%0Anow" in lines[0]
    assert lines[1].startswith("::error title=cfn-lint%3AE3504 fail::")


def test_one_reason_for_what_is_not_known_is_one_annotation(run: Run) -> None:
    many = tuple(finding(Status.UNKNOWN, f"VLT-0{number}", message="why") for number in range(5))
    lines = list(workflow.commands(replace(run, findings=(*many, *FINDINGS)), CHECKOUT))
    assert [line.rpartition("title=")[2].partition("::")[0] for line in lines] == [
        "PIT-01 fail", "cfn-lint%3AE3504 fail", "TPL-01 fail", "VLT-00 unknown", "PIT-01 unknown"
    ]  # fmt: skip
