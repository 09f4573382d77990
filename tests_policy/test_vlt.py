"""Vaults: there, encrypted, locked, and closed to those who would delete."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("VLT-01")
def test_the_vault_exists(claim: Claim) -> None:
    """AVAILABLE, and of the type that the policy wants."""
    assert claim.holds, str(claim)


@pytest.mark.controls("VLT-02")
def test_its_key_works(claim: Claim) -> None:
    """A customer's key where the policy says so: enabled, rotated, not about to be deleted."""
    assert claim.holds, str(claim)


@pytest.mark.controls("VLT-03")
def test_its_lock_fits_the_retentions(claim: Claim) -> None:
    """Minimum and maximum let every tier through, and nothing shorter."""
    assert claim.holds, str(claim)


@pytest.mark.controls("VLT-04")
def test_its_access_policy_keeps_points_in(claim: Claim) -> None:
    """An explicit Deny of deletion, and no stranger admitted."""
    assert claim.holds, str(claim)


@pytest.mark.controls("VLT-05")
def test_its_lock_is_immutable_when_due(claim: Claim) -> None:
    """The mode is the policy's, and LockDate has passed or is planned."""
    assert claim.holds, str(claim)


@pytest.mark.controls("VLT-06")
def test_it_and_its_key_stay(claim: Claim) -> None:
    """A template retains both, and no stranger may end the key."""
    assert claim.holds, str(claim)
