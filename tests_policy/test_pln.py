"""The deployed backup plan does what each tier of the policy says."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("PLN-01")
def test_the_plan_exists_once(claim: Claim) -> None:
    """Exactly one plan has the name that the policy gives it."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PLN-02")
def test_each_tier_has_its_rule(claim: Claim) -> None:
    """By name, or by schedule; a rule that is not the policy's is a note."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PLN-03")
def test_rules_run_when_the_policy_says(claim: Claim) -> None:
    """Schedule, time zone and windows mean the same."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PLN-04")
def test_backups_are_kept_as_long_as_promised(claim: Claim) -> None:
    """DeleteAfterDays is the tier's retention; without one AWS keeps backups for ever."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PLN-05")
def test_backups_go_cold_when_the_policy_says(claim: Claim) -> None:
    """And stay there 90 days at least."""
    assert claim.holds, str(claim)


@pytest.mark.controls("PLN-06")
def test_no_overlap_costs_a_copy(claim: Claim) -> None:
    """POL-06, on the rules that are deployed."""
    assert claim.holds, str(claim)
