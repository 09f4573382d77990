"""Restores: drills were really performed, in time, and brought back what was there."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("RST-01")
def test_a_drill_is_recent(claim: Claim) -> None:
    """For each method that the policy names."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RST-02")
def test_it_kept_the_rto(claim: Claim) -> None:
    """From the request until the first verified read."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RST-03")
def test_it_brought_everything_back(claim: Claim) -> None:
    """Counts and digests equal those of a witness, which is named."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RST-04")
def test_it_brought_the_settings_back(claim: Claim) -> None:
    """What AWS does not restore is re-applied or listed."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RST-05")
def test_it_left_nothing_behind(claim: Claim) -> None:
    """No restored table is older than the policy allows."""
    assert claim.holds, str(claim)
