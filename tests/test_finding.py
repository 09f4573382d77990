"""What a run's verdicts add up to."""

from __future__ import annotations

import pytest

from backcheck.finding import Finding, Severity, Status, Summary


def finding(status: Status) -> Finding:
    """A finding of which only the status matters."""
    return Finding(
        control="PIT-01",
        status=status,
        severity=Severity.CRITICAL,
        resource="arn",
        tier=None,
        expected="",
        observed="",
        at="",
        message="",
        notes=(),
        remediation="",
        maps_to=(),
    )


PASS, FAIL, UNKNOWN, WAIVED, NOT_APPLICABLE = Status


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([PASS], 0),
        ([PASS, WAIVED, NOT_APPLICABLE], 0),
        ([PASS, FAIL], 1),
        ([FAIL, UNKNOWN], 1),
        ([PASS, UNKNOWN], 2),
        ([], 2),
        ([WAIVED], 2),
        ([NOT_APPLICABLE], 2),
    ],
)
def test_only_a_run_with_a_pass_and_nothing_against_it_is_green(statuses: list[Status], code: int) -> None:
    assert Summary.of(map(finding, statuses)).exit_code == code


def test_every_status_is_counted_once() -> None:
    assert Summary.of(map(finding, Status)) == Summary(passed=1, failed=1, unknown=1, waived=1, not_applicable=1)


def test_severities_are_ranked_from_the_worst() -> None:
    assert sorted(Severity, key=lambda severity: severity.rank) == list(Severity)
    assert Severity.CRITICAL.rank == 0
