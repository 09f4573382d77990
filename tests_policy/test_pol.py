"""The policy itself: it can be kept, and nothing in it contradicts what AWS does."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("POL-01")
def test_the_policy_is_valid(claim: Claim) -> None:
    """The schema has no objection, formats included."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-02")
def test_what_goes_cold_stays_ninety_days(claim: Claim) -> None:
    """Retention is at least 90 days more than the move to cold storage, or AWS refuses the rule."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-03")
def test_windows_are_at_least_an_hour(claim: Claim) -> None:
    """AWS takes no start window below 60 minutes."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-04")
def test_schedules_mean_their_cadence(claim: Claim) -> None:
    """Over 400 days the largest gap is what the tier's name says, and points outlive it."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-05")
def test_copies_go_elsewhere(claim: Claim) -> None:
    """A copy in the same Region is lost with it."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-06")
def test_a_replacing_rule_makes_the_same_copies(claim: Claim) -> None:
    """Where start windows overlap only the longest-kept backup is taken, so it must carry the others' copies."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-07")
def test_retentions_fit_the_locks(claim: Claim) -> None:
    """A job whose retention is outside its vault's lock fails."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-08")
def test_what_is_named_exists(claim: Claim) -> None:
    """Every vault, tier and table that the policy refers to is in it."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-09")
def test_objectives_can_be_kept(claim: Claim) -> None:
    """The RPO is not smaller than the worst pair of successive firings."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-10")
def test_the_validation_looks_after_the_windows(claim: Claim) -> None:
    """Earlier there is nothing to see."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-11")
def test_waivers_have_an_owner_and_an_end(claim: Claim) -> None:
    """No wildcard, no exception for ever."""
    assert claim.holds, str(claim)


@pytest.mark.controls("POL-12")
def test_the_policy_is_reviewed(claim: Claim) -> None:
    """Its review is not overdue, its duties have evidence."""
    assert claim.holds, str(claim)
