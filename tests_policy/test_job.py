"""Backup jobs: they succeed, and none hangs."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("JOB-01")
def test_backup_jobs_succeed(claim: Claim) -> None:
    """None failed, aborted or expired in the last day; 99 % of a month succeeded."""
    assert claim.holds, str(claim)


@pytest.mark.controls("JOB-02")
def test_no_backup_job_hangs(claim: Claim) -> None:
    """None is past StartBy or its completion window."""
    assert claim.holds, str(claim)
