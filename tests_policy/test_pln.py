"""The deployed backup plan does what each tier of the policy says."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("PLN-01")
def test_the_plan_exists_once(claim: Claim) -> None:
    """Exactly one plan of the account has the name that the policy gives it."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PLN-04")
def test_backups_are_kept_as_long_as_promised(claim: Claim) -> None:
    """DeleteAfterDays is the tier's retention; without one AWS keeps backups for ever."""
    assert claim.holds, str(claim)
