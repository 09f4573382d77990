"""Recovery points: one for each firing that took effect, sound, encrypted, and kept as long as promised."""

import pytest

from backcheck.suite import Claim


@pytest.mark.controls("RP-01")
def test_the_latest_of_each_tier_is_there(claim: Claim) -> None:
    """Usable, for the latest effective firing whose deadline has passed."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RP-02")
def test_none_within_retention_is_missing(claim: Claim) -> None:
    """Unless another rule replaced it, or the table did not exist yet."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RP-03")
def test_each_is_kept_as_long_as_its_tier_says(claim: Claim) -> None:
    """On the point itself: a changed plan does not change old points."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RP-04")
def test_each_is_encrypted_with_its_vaults_key(claim: Claim) -> None:
    """IsEncrypted, and the vault's EncryptionKeyArn."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RP-05")
def test_none_is_in_a_bad_state(claim: Claim) -> None:
    """No EXPIRED, PARTIAL or STOPPED one, none DELETING for a day."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RP-06")
def test_lifecycles_are_carried_out(claim: Claim) -> None:
    """What should be cold is cold, what should be gone is gone."""
    assert claim.holds, str(claim)


@pytest.mark.controls("RP-07")
def test_the_newest_is_as_large_as_they_are(claim: Claim) -> None:
    """Half the median of seven at least: less hints at a wiped table."""
    assert claim.holds, str(claim)
