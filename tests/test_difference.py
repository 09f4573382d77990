"""Runs compared: what is new, what got better, and what is not a run at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from tests.test_waivers import finding

from backcheck.difference import compare, read, verdicts
from backcheck.errors import UsageError
from backcheck.evidence import changes, findings_json
from backcheck.evidence.write import write_evidence
from backcheck.finding import AuditedAccount, Run, Status

FAIL, PASS, UNKNOWN, WAIVED = Status.FAIL, Status.PASS, Status.UNKNOWN, Status.WAIVED


def run(*statuses: Status) -> Run:
    """A run with one finding a status, each on a table of its own."""
    return Run(
        id="0" * 32,
        clock=datetime(2026, 11, 22, 12, tzinfo=UTC),
        policy_name="shop",
        policy_version="1",
        policy_sha256="0" * 64,
        accounts=(AuditedAccount(kind="sandbox", id="123456789012", regions=("us-east-1",), simulated=True),),
        gaps=(),
        findings=tuple(finding(status, resource=f"table/{i}") for i, status in enumerate(statuses)),
    )


@pytest.mark.parametrize(
    ("before", "after", "worse", "better"),
    [
        (PASS, FAIL, True, False),
        (PASS, UNKNOWN, True, False),
        (WAIVED, FAIL, True, False),
        (FAIL, PASS, False, True),
        (FAIL, WAIVED, False, True),
        (PASS, WAIVED, False, False),
        (UNKNOWN, FAIL, True, False),
        (FAIL, UNKNOWN, False, False),
    ],
)
def test_a_change_is_worse_or_better(before: Status, after: Status, worse: bool, better: bool) -> None:
    (change,) = compare(verdicts(run(before).findings), verdicts(run(after).findings))
    assert (change.before, change.after, change.worse, change.better) == (before, after, worse, better)


def test_what_did_not_change_is_not_told() -> None:
    assert compare(verdicts(run(FAIL, PASS).findings), verdicts(run(FAIL, PASS).findings)) == ()


def test_a_new_finding_that_fails_is_worse_and_a_lost_one_is_better() -> None:
    found = compare(verdicts(run(FAIL, PASS).findings), verdicts(run(FAIL, PASS, FAIL).findings))
    assert [(change.before, change.after, change.worse) for change in found] == [(None, FAIL, True)]
    found = compare(verdicts(run(PASS, FAIL).findings), verdicts(run(PASS).findings))
    assert [(change.after, change.better) for change in found] == [(None, True)]


NIGHTS = ("2026-11-20T00:00:00+00:00", "2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00")


def missing(*nights: str, status: Status = FAIL) -> Run:
    """A run with one finding that is made of these nights."""
    made = run(status)
    return replace(made, findings=(replace(made.findings[0], instances=nights),))


@pytest.mark.parametrize(
    ("before", "after", "added"),
    [
        (missing(NIGHTS[0]), missing(NIGHTS[0]), ()),
        (missing(NIGHTS[0]), missing(*NIGHTS[:2]), NIGHTS[1:2]),
        (missing(*NIGHTS[:2]), missing(NIGHTS[1]), ()),
        (missing(*NIGHTS[:2]), missing(NIGHTS[1], NIGHTS[2]), NIGHTS[2:]),
        (missing(), missing(NIGHTS[0]), NIGHTS[:1]),
        (missing(NIGHTS[0], status=PASS), missing(NIGHTS[0], status=PASS), ()),
    ],
)
def test_a_failure_that_fails_for_more_is_worse(before: Run, after: Run, added: tuple[str, ...]) -> None:
    found = compare(verdicts(before.findings), verdicts(after.findings))
    assert [(one.added, one.worse, one.better) for one in found] == ([(added, True, False)] if added else [])


def test_a_run_of_an_earlier_version_does_not_say_what_failed(tmp_path: Path) -> None:
    """It has no `instances`: whatever a FAIL is made of now counts as new, once."""
    write_evidence(missing(NIGHTS[0]), b"", tmp_path)
    document = orjson.loads((tmp_path / "findings.json").read_bytes())
    for one in document["findings"]:
        del one["instances"]
    (tmp_path / "findings.json").write_bytes(orjson.dumps(document))
    (change,) = compare(read(tmp_path / "findings.json"), verdicts(missing(NIGHTS[0]).findings))
    assert change.worse


def test_a_change_is_told_with_what_is_new() -> None:
    before, after = missing(NIGHTS[0]), missing(*NIGHTS, "x\x1b[31m", "y")
    (line,) = changes.since_baseline(compare(verdicts(before.findings), verdicts(after.findings)))
    assert line.startswith(
        f"NEW     PIT-01 table/0: fail, now also for {NIGHTS[1]}, {NIGHTS[2]}, x\\x1b[31m and 1 more: "
    )


def test_many_changes_are_counted() -> None:
    lines = list(changes.since_baseline(compare({}, verdicts(run(*[FAIL] * 25).findings))))
    assert len(lines) == 21
    assert lines[-1] == "NEW     and 5 more"


def test_a_run_reads_back(tmp_path: Path) -> None:
    made = run(FAIL, PASS, UNKNOWN)
    made = replace(made, findings=(*made.findings, replace(made.findings[0], resource="t", instances=NIGHTS)))
    write_evidence(made, b"", tmp_path)
    assert compare(read(tmp_path / "findings.json"), verdicts(made.findings)) == ()


def test_grouped_passes_read_back_from_the_side_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_json, "GROUP_ABOVE", 1)
    made = run(FAIL, PASS, PASS)
    write_evidence(made, b"", tmp_path)
    assert (tmp_path / findings_json.PASSED).exists()
    assert {key: one.status for key, one in read(tmp_path / "findings.json").items()} == {
        one.key: one.status for one in made.findings
    }
    (tmp_path / findings_json.PASSED).unlink()
    with pytest.raises(UsageError, match="side file cannot be read"):
        read(tmp_path / "findings.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is no run of schema backcheck/run/v1"),
        ('{"schema": "backcheck/run/v0"}', "is no run of schema"),
        ('{"schema": "backcheck/run/v1"}', "is a damaged run"),
        ('{"schema": "backcheck/run/v1", "findings": [{"control": "X"}]}', "is a damaged run"),
    ],
)
def test_what_is_not_a_run(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "none.json")
