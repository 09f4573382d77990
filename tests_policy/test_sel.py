"""Every table in scope is selected by its plan, and nothing of ours stands outside."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("SEL-01")
def test_each_table_is_selected(claim: Claim) -> None:
    """Resources and ListOfTags, minus NotResources, filtered by every condition; the reason is told."""
    assert claim.holds, str(claim)


@pytest.mark.controls("SEL-02")
def test_dynamodb_is_opted_in(claim: Claim) -> None:
    """Selections by tags alone honour the Region's opt-in."""
    assert claim.holds, str(claim)


@pytest.mark.controls("SEL-03")
def test_nothing_stands_unprotected(claim: Claim) -> None:
    """Every table that discovery finds is covered or waived."""
    assert claim.holds, str(claim)


@pytest.mark.controls("SEL-04")
def test_no_table_is_excluded(claim: Claim) -> None:
    """Neither by NotResources, nor by a role that does not exist."""
    assert claim.holds, str(claim)
