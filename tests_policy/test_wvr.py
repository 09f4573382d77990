"""Approved exceptions: each is in force, needed and not longer than the policy allows. None is silent."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("WVR-01")
def test_a_waiver_is_in_force_and_needed(claim: Claim) -> None:
    """It matches a finding that would fail without it, and ends within 180 days."""
    assert claim.holds, str(claim)
