"""Each POL control has a policy that only it refuses; the lab's own rules fail where they must, with their dates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backcheck.commands.policy_lint import lint
from backcheck.controls import CONTROLS
from backcheck.controls.control import Reads
from backcheck.errors import PolicyError
from backcheck.finding import Finding, Status
from backcheck.policy.load import load

ROOT = Path(__file__).parents[2]
BAD = ROOT / "fixtures" / "policies" / "bad"
AT = datetime(2026, 11, 22, tzinfo=UTC)

ONLY = {
    "cold-storage-below-90-days": "POL-02",
    "start-window-below-an-hour": "POL-03",
    "daily-on-sundays-only": "POL-04",
    "cron-of-five-fields": "POL-04",
    "dr-in-the-same-region": "POL-05",
    "monthly-replaces-daily-without-its-copy": "POL-06",
    "lock-below-the-longest-retention": "POL-07",
    "copy-to-an-unknown-vault": "POL-08",
    "drill-of-an-unknown-table": "POL-08",
    "region-misspelt": "POL-08",
    "table-in-an-unknown-tier": "POL-08",
    "two-rules-of-one-name": "POL-08",
    "drill-older-than-its-schedule-allows": "POL-09",
    "pitr-lags-more-than-may-be-lost": "POL-09",
    "validation-expects-too-young-a-backup": "POL-10",
    "validation-never-runs": "POL-10",
    "waiver-expired": "POL-11",
    "waiver-for-a-year": "POL-11",
    "waiver-for-everything": "POL-11",
    "review-overdue": "POL-12",
    "duty-without-evidence": "POL-12",
    "statement-about-nothing": "POL-12",
    "dr-objective-below-the-plan": "RPO-01",
}
SEVERAL = {"lab-as-written", "techmoda-with-an-rpo-of-27-hours"}


def failed(path: Path) -> list[Finding]:
    return [finding for finding in lint(load(path), AT) if finding.status is Status.FAIL]


@pytest.mark.parametrize(("name", "control"), ONLY.items())
def test_only_one_control_refuses_it(name: str, control: str) -> None:
    findings = failed(BAD / f"{name}.yaml")
    assert {finding.control for finding in findings} == {control}
    for finding in findings:
        assert finding.expected
        assert finding.observed
        assert finding.remediation
        assert finding.location is not None
        assert finding.location.line > 0


def test_every_policy_control_has_such_a_file() -> None:
    judged = {control.id for control in CONTROLS if Reads.POLICY in control.reads} - {"DRF-02"}
    # POL-01's files do not load at all: test_refused.py has them.
    assert judged == set(ONLY.values()) | {"POL-01"}


def test_every_bad_policy_is_in_a_table() -> None:
    loads = set()
    for path in BAD.glob("*.yaml"):
        try:
            load(path)
        except PolicyError:
            continue
        loads.add(path.stem)
    assert loads == set(ONLY) | SEVERAL


def test_the_labs_rules_as_written() -> None:
    findings = failed(BAD / "lab-as-written.yaml")
    assert [(f.control, f.tier and f.tier.rpartition("/")[2]) for f in findings] == [
        ("POL-02", "weekly"),
        ("POL-06", "monthly"),
        ("POL-06", "weekly"),
        ("RPO-01", None),
    ]
    cold, monthly, weekly, rpo = findings
    assert cold.expected == "kept at least 120 days: cold after 30 days + 90 days in cold storage = 120 days"
    assert cold.observed == "kept 90 days"
    for overlap in (monthly, weekly):
        assert "Nothing is copied to techmoda-vault-dr on 61 days of 2026 and on 63 days of 2027" in overlap.message
        assert "up to 3 days between copies (2026-05-30 to 2026-06-02)" in overlap.message
    assert monthly.message.startswith("monthly replaces daily on 12 days of 2026 and 12 days of 2027")
    assert monthly.observed.startswith("no such copy on 24 days, 2026-01: 1; 2026-02: 1;")
    assert weekly.message.startswith("weekly replaces daily on 49 days of 2026 and 51 days of 2027")
    assert weekly.observed.startswith("no such copy on 100 days, 2026-01: 4 11 18 25; 2026-02: 8 15 22;")
    assert "72 h (3 days) between them + 1 h start window + 2 h completion window of daily = 75 h" in rpo.message


def test_an_rpo_of_27_hours_is_refused_with_the_arithmetic() -> None:
    findings = failed(BAD / "techmoda-with-an-rpo-of-27-hours.yaml")
    assert [finding.control for finding in findings] == ["POL-09", "RPO-01"]
    for finding in findings:
        assert "weekly on Sun 2026-05-31 00:00 UTC, then monthly on Mon 2026-06-01 00:00 UTC" in finding.message
        assert "24 h between them + 3 h start window + 6 h completion window of monthly = 33 h" in finding.message
        assert finding.expected.startswith("at most 27 h")
        assert finding.observed == "33 h"


@pytest.mark.parametrize("name", ["techmoda", "minimal", "organisation"])
def test_the_examples_comply(name: str) -> None:
    findings = lint(load(ROOT / "policies" / f"{name}.yaml"), AT)
    assert {finding.status for finding in findings} <= {Status.PASS, Status.NOT_APPLICABLE}
    assert sum(finding.status is Status.PASS for finding in findings) > 10


def test_techmoda_leaves_out_only_waivers_and_the_document() -> None:
    findings = lint(load(ROOT / "policies" / "techmoda.yaml"), AT)
    left_out = {finding.control for finding in findings if finding.status is Status.NOT_APPLICABLE}
    judged = {finding.control for finding in findings if finding.status is Status.PASS}
    assert left_out - judged == {"POL-11", "DRF-02"}
