"""Disaster recovery: copies are made, arrive, and can be restored from."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("DR-01")
def test_each_tier_is_copied(claim: Claim) -> None:
    """To the vault and the Region that the policy names."""
    assert claim.holds, str(claim)


@pytest.mark.controls("DR-02")
def test_copies_are_kept_as_long_as_promised(claim: Claim) -> None:
    """A copy without a lifecycle has its source's."""
    assert claim.holds, str(claim)


@pytest.mark.controls("DR-03")
def test_each_backup_has_its_copy(claim: Claim) -> None:
    """Every firing of the last 30 days, and the newest is within the objective."""
    assert claim.holds, str(claim)


@pytest.mark.controls("DR-04")
def test_copy_jobs_are_healthy(claim: Claim) -> None:
    """None failed in the last day, 99 % of a month succeeded, none hangs."""
    assert claim.holds, str(claim)


@pytest.mark.controls("DR-05")
def test_the_other_region_can_restore(claim: Claim) -> None:
    """Advanced features, role and key are there and work."""
    assert claim.holds, str(claim)
