"""Alerts: a failed backup, a failed copy and a missing check reach a person."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("ALR-01")
def test_failures_are_heard(claim: Claim) -> None:
    """Through EventBridge or vault notifications, to a topic with a confirmed subscription."""
    assert claim.holds, str(claim)


@pytest.mark.controls("ALR-02")
def test_the_validation_runs(claim: Claim) -> None:
    """On the policy's schedule, and it ran in the last 26 hours."""
    assert claim.holds, str(claim)


@pytest.mark.controls("ALR-03")
def test_its_own_failure_is_heard(claim: Claim) -> None:
    """An alarm on errors, and one on a run that did not happen."""
    assert claim.holds, str(claim)
