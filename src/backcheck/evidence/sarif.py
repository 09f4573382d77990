"""SARIF 2.1.0: FAIL and UNKNOWN for code scanning, waived ones as suppressed.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
GitHub reads neither `kind` nor results without a place, so UNKNOWN is a warning that says so in its text, and what has
no line of its own stands on the first line of `file`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import orjson

from backcheck import __version__
from backcheck.controls.control import AnyControl
from backcheck.evidence.checkout import Checkout
from backcheck.finding import Finding, Run, Severity, Status

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SHOWN = (Status.FAIL, Status.UNKNOWN, Status.WAIVED)
_SCORE = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0"}
"""GitHub's `security-severity`: over 9.0 critical, 7.0 high, 4.0 medium."""


def render(run: Run, controls: Iterable[AnyControl], file: str, checkout: Checkout | None = None) -> bytes:
    """The log's bytes; equal runs give equal bytes. Without a checkout, files are named as they were given."""
    shown = [finding for finding in run.findings if finding.status in SHOWN]
    ids = sorted({finding.control for finding in shown})
    known = {control.id: control for control in controls}
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "backcheck",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(id, known.get(id), shown) for id in ids],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, ids.index(finding.control), file, checkout) for finding in shown],
                "properties": {"simulated": run.simulated, "policy": run.policy_name, "clock": run.clock.isoformat()},
            }
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _rule(id: str, control: AnyControl | None, shown: Iterable[Finding]) -> dict[str, Any]:
    first = next(finding for finding in shown if finding.control == id)
    help_text = f"{control.why}\n\n{control.remedy}" if control else first.remediation or first.message
    rule: dict[str, Any] = {
        "id": id,
        "shortDescription": {"text": control.title if control else first.expected or id},
        "help": {"text": help_text or id},
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "security-severity": _SCORE[control.severity if control else first.severity],
            "tags": ["security", "backup", *(control.maps_to if control else ())],
        },
    }
    if control and control.sources:
        rule["helpUri"] = control.sources[0]
    return rule


def _result(finding: Finding, index: int, file: str, checkout: Checkout | None) -> dict[str, Any]:
    unknown = finding.status is Status.UNKNOWN
    about = finding.resource + (f" ({finding.tier})" if finding.tier else "")
    text = f"could not be determined: {finding.message}" if unknown else finding.message
    place = finding.location
    result: dict[str, Any] = {
        "ruleId": finding.control,
        "ruleIndex": index,
        "level": "warning" if unknown else "error",
        "message": {"text": f"{text} [{about}]"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(place.file if place else file, checkout),
                    "region": {"startLine": max(place.line if place else 1, 1)},
                },
                "logicalLocations": [{"fullyQualifiedName": about}],
            }
        ],
        "partialFingerprints": {"backcheckFinding/v1": hashlib.sha256("\n".join(finding.key).encode()).hexdigest()},
    }
    if finding.waiver:
        why = f"{finding.waiver.ticket}: {finding.waiver.reason} (until {finding.waiver.expires})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    return result


def _artifact(file: str, checkout: Checkout | None) -> dict[str, str]:
    """A path with slashes, escaped, from the root of the repository; one that is not below it as file:.

    Only what is relative may have a base (3.4.4), and %SRCROOT% is what GitHub and CodeQL call theirs.
    """
    path = checkout.path(file) if checkout else PurePath(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}
