"""Controls of your own: those of `--controls FILE` and of installed packages. Not collected where there are none."""

import pytest

from backcheck.suite import OWN, Claim


@pytest.mark.controls(OWN)
def test_controls_of_your_own(claim: Claim) -> None:
    """Whatever your control claims."""
    assert claim.holds, str(claim)
