"""Recovery point objectives: computed from what is deployed, measured on what is there."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("RPO-01")
def test_the_computed_worst_case_fits(claim: Claim) -> None:
    """Gap, start window, completion window, and the copy."""
    assert claim.holds, str(claim)
