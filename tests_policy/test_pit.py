"""Point-in-time recovery: each table in scope can be brought back to any second of the window that the policy names."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("PIT-01")
def test_point_in_time_recovery_is_on(claim: Claim) -> None:
    """DescribeContinuousBackups says ENABLED for PointInTimeRecoveryStatus; ContinuousBackupsStatus always does."""
    assert claim.holds, str(claim)
