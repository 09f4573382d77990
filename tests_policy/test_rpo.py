"""Recovery point objectives: computed from what is deployed, measured on what is there."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("RPO-01")
def test_the_computed_worst_case_fits(claim: Claim) -> None:
    """Gap, start window, completion window, and the copy."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RPO-02")
def test_the_measured_worst_case_fits(claim: Claim) -> None:
    """The longest gap between usable points of the last 30 days."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RPO-03")
def test_our_calendar_is_awss(claim: Claim) -> None:
    """The next runs are the ones that AWS previews."""
    assert claim.holds, str(claim)
