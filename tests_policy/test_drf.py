"""Drift: policy, template, account and document say the same."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("DRF-01")
def test_policy_and_account_agree(claim: Claim) -> None:
    """Each field that differs is shown with its values."""
    assert claim.holds, str(claim)


@pytest.mark.controls("DRF-02")
def test_the_document_is_the_policy(claim: Claim) -> None:
    """Rendered from the YAML, equal to the byte."""
    assert claim.holds, str(claim)
