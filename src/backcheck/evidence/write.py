"""The one place that writes evidence: nothing is opened before everything is rendered."""

from __future__ import annotations

from pathlib import Path

from backcheck.evidence import findings_json
from backcheck.finding import Run

SNAPSHOT = "snapshot.json.gz"


def write_evidence(run: Run, snapshot: bytes, out: Path) -> None:
    """Write findings.json, the snapshot, and the passed findings' side file where there is one."""
    files = findings_json.render(run)
    out.mkdir(parents=True, exist_ok=True)
    (out / SNAPSHOT).write_bytes(snapshot)
    (out / "findings.json").write_bytes(files.findings)
    if files.passed is not None:
        (out / findings_json.PASSED).write_bytes(files.passed)


def remove_earlier(out: Path) -> None:
    """Take an earlier run's verdicts away before this one begins: if it dies, last night's green must not be found."""
    for name in ("findings.json", findings_json.PASSED, "report.html", "junit.xml"):
        (out / name).unlink(missing_ok=True)


def append_summary(text: str, page: Path) -> None:
    """Add to the page that a pipeline shows (GITHUB_STEP_SUMMARY)."""
    with page.open("a", encoding="utf-8") as file:
        file.write(text)
