"""Feasibility: no rule that AWS accepts and then fails every night."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("FEA-01")
def test_every_job_can_succeed(claim: Claim) -> None:
    """Locks, lifecycles, features, keys and roles fit together."""
    assert claim.holds, str(claim)


@pytest.mark.controls("FEA-02")
def test_nothing_is_silently_ignored(claim: Claim) -> None:
    """No setting that AWS drops without a word."""
    assert claim.holds, str(claim)
