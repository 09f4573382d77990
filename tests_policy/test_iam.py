"""Roles: those that back up and restore can, and few can destroy."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("IAM-01")
def test_the_backup_role_works(claim: Claim) -> None:
    """Its trust and its actions are what AWS Backup needs."""
    assert claim.holds, str(claim)


@pytest.mark.controls("IAM-02")
def test_the_restore_role_works(claim: Claim) -> None:
    """It is another one, and may be passed to AWS Backup only."""
    assert claim.holds, str(claim)


@pytest.mark.controls("IAM-03")
def test_roles_have_the_least_privilege(claim: Claim) -> None:
    """Wildcards only where AWS has no other form; no write on production."""
    assert claim.holds, str(claim)


@pytest.mark.controls("IAM-04")
def test_few_can_destroy(claim: Claim) -> None:
    """Only the break-glass roles, as AWS's own simulator sees it."""
    assert claim.holds, str(claim)
