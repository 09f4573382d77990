"""findings.json: the run as data. Equal policy, snapshot and clock give equal bytes."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from backcheck import __version__
from backcheck.finding import Finding, Run, Status, Summary

SCHEMA = "backcheck/run/v1"

GROUP_ABOVE = 5000
"""Above so many findings the PASS ones are grouped, and their resources go into the side file."""


PASSED = "passed.json.gz"
"""The side file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What is written: the readable file, and the compressed side file where there is one."""

    findings: bytes
    passed: bytes | None = None


def render(run: Run) -> Files:
    """The files' bytes: FAIL and UNKNOWN in full, PASS only counted where there are too many to read."""
    grouped = len(run.findings) > GROUP_ABOVE
    shown = [one for one in run.findings if not (grouped and _is_plain_pass(one))]
    groups = _groups(one for one in run.findings if grouped and _is_plain_pass(one))
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "run": _run(run),
        "summary": summary(run.summary),
        "gaps": [_plain(gap) for gap in run.gaps],
        "findings": [finding_of(one) for one in shown],
    }
    if not groups:
        return Files(findings=_bytes(document))
    document["passed"] = [{"control": c, "tier": t, "count": len(found)} for (c, t), found in groups.items()]
    side = [{"control": c, "tier": t, "resources": found} for (c, t), found in groups.items()]
    return Files(findings=_bytes(document), passed=gzip.compress(_bytes({"schema": SCHEMA, "passed": side}), mtime=0))


def _is_plain_pass(finding: Finding) -> bool:
    """A PASS with a note stays readable: a note is a warning."""
    return finding.status is Status.PASS and not finding.notes


def _groups(findings: Iterable[Finding]) -> dict[tuple[str, str | None], list[str]]:
    found: dict[tuple[str, str | None], list[str]] = {}
    for one in findings:
        found.setdefault((one.control, one.tier), []).append(one.resource)
    return found


def summary(counts: Summary) -> dict[str, int]:
    """Counts by status, under the names that the schema has."""
    return {
        Status.PASS.value: counts.passed,
        Status.FAIL.value: counts.failed,
        Status.UNKNOWN.value: counts.unknown,
        Status.WAIVED.value: counts.waived,
        Status.NOT_APPLICABLE.value: counts.not_applicable,
    }


def finding_of(finding: Finding) -> dict[str, Any]:
    """One finding as the schema has it."""
    return {
        "control": finding.control,
        "status": finding.status,
        "severity": finding.severity,
        "resource": finding.resource,
        "tier": finding.tier,
        "expected": finding.expected,
        "observed": finding.observed,
        "at": finding.at,
        "message": finding.message,
        "notes": list(finding.notes),
        "remediation": finding.remediation,
        "maps_to": list(finding.maps_to),
        "location": _plain(finding.location) if finding.location else None,
        "waiver": _plain(finding.waiver) if finding.waiver else None,
        "instances": list(finding.instances),
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "clock": run.clock.isoformat(),
        "policy": {"name": run.policy_name, "version": run.policy_version, "sha256": run.policy_sha256},
        "snapshot": {"sha256": run.snapshot_sha256} if run.snapshot_sha256 else None,
        "accounts": [_plain(account) for account in run.accounts],
        "tool": {"name": "backcheck", "version": __version__},
    }


def _plain(record: Any) -> Any:
    """A dataclass as a dict, by way of orjson, which knows dataclasses and enums."""
    return orjson.loads(orjson.dumps(record))


def _bytes(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
