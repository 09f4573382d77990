"""findings.json: the run as data. Equal policy, snapshot and clock give equal bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from backcheck import __version__
from backcheck.finding import Finding, Run, Status, Summary

SCHEMA = "backcheck/run/v1"

GROUP_ABOVE = 5000
"""Above so many findings the PASS ones are grouped, and their resources go into the side file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What is written: the readable file, and the compressed side file where there is one."""

    findings: bytes
    passed: bytes | None = None


def render(run: Run) -> Files:
    """The file's bytes: FAIL and UNKNOWN in full, PASS grouped where there are too many to read."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "run": _run(run),
        "summary": summary(run.summary),
        "gaps": [_plain(gap) for gap in run.gaps],
        "findings": [finding_of(one) for one in run.findings],
    }
    return Files(findings=_bytes(document))


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
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "clock": run.clock.isoformat(),
        "policy": {"name": run.policy_name, "version": run.policy_version, "sha256": run.policy_sha256},
        "accounts": [_plain(account) for account in run.accounts],
        "tool": {"name": "backcheck", "version": __version__},
    }


def _plain(record: Any) -> Any:
    """A dataclass as a dict, by way of orjson, which knows dataclasses and enums."""
    return orjson.loads(orjson.dumps(record))


def _bytes(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
