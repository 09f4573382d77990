"""Point-in-time recovery: each table in scope comes back to any second of the window that the policy names."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("PIT-01")
def test_point_in_time_recovery_is_on(claim: Claim) -> None:
    """PointInTimeRecoveryStatus is ENABLED; ContinuousBackupsStatus always is, and says nothing."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PIT-02")
def test_the_window_is_deep_enough(claim: Claim) -> None:
    """RecoveryPeriodInDays is at least the policy's."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PIT-03")
def test_recovery_reaches_almost_to_now(claim: Claim) -> None:
    """LatestRestorableDateTime is not further back than the policy allows."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PIT-04")
def test_the_window_is_filled(claim: Claim) -> None:
    """EarliestRestorableDateTime shows that recovery was not switched off and on again."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PIT-05")
def test_the_table_cannot_vanish(claim: Claim) -> None:
    """Deletion protection is on; encryption is what the policy says."""
    assert claim.holds, str(claim)
