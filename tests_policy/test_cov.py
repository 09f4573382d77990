"""Coverage: whatever the audit asked was answered. What it could not read, it cannot vouch for."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("COV-01")
def test_every_call_was_answered(claim: Claim) -> None:
    """A denied, failing or unsupported call makes the run undetermined, even where no other control needed it."""
    assert claim.holds, str(claim)
