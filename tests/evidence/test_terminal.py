"""The verdict on a terminal: what is not known for one reason is told once, what is wrong each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from backcheck.evidence import terminal
from backcheck.finding import Finding, Location, Run, Severity, Status

HERE = Location(file="a.yaml", line=3)


def finding(control: str, status: Status, message: str, location: Location | None = HERE) -> Finding:
    return Finding(
        control=control,
        status=status,
        severity=Severity.HIGH,
        resource=f"arn:{control}:{message[:3]}",
        tier=None,
        expected="",
        observed="",
        at="",
        message=message,
        notes=(),
        remediation="",
        maps_to=(),
        location=location,
    )


def told(*findings: Finding) -> list[str]:
    run = Run(
        id="0",
        clock=datetime(2026, 11, 22, tzinfo=UTC),
        policy_name="p",
        policy_version="1",
        policy_sha256="0",
        accounts=(),
        gaps=(),
        findings=findings,
    )
    return [line for line in terminal.summary(run, None, 1) if not line.startswith(("policy", "0 pass"))]


def test_one_cause_is_told_once_with_what_hangs_on_it() -> None:
    unknown = [finding(name, Status.UNKNOWN, "stack a is refused") for name in ("PLN-01", "SEL-01", "DR-01", "DR-01")]
    assert told(*unknown, finding("VLT-01", Status.UNKNOWN, "another")) == [
        "UNKNOWN 4 findings: stack a is refused",
        "        on it hang DR-01 (2), PLN-01, SEL-01",
        "        at: a.yaml:3",
        "UNKNOWN VLT-01 arn:VLT-01:ano: another",
        "        at: a.yaml:3",
    ]


def test_places_that_differ_are_left_to_the_report() -> None:
    one = finding("PLN-01", Status.UNKNOWN, "why")
    other = replace(one, control="SEL-01", location=Location(file="b.yaml", line=9))
    assert told(one, other) == ["UNKNOWN 2 findings: why", "        on it hang PLN-01, SEL-01"]


def test_what_fails_is_told_each_time() -> None:
    found = told(*(finding(name, Status.FAIL, "the same") for name in ("PLN-01", "SEL-01")))
    assert [line.split()[:2] for line in found[::2]] == [["FAIL", "PLN-01"], ["FAIL", "SEL-01"]]


def test_what_is_left_out_is_counted_by_findings() -> None:
    many = [finding(f"C-{number}", Status.UNKNOWN, f"why {number // 2}") for number in range(50)]
    assert told(*many)[-1] == "UNKNOWN and 10 more"
