"""VLT-04, where the account alone does not tell."""

from __future__ import annotations

from backcheck.controls.vlt_04_access_policy import policy_keeps_points
from backcheck.finding import Status


def test_an_organisation_that_is_spared_is_ours_where_the_policy_names_it() -> None:
    build = policy_keeps_points.unknown["only an organisation may copy from it, which the policy does not name"]
    told = next(one for one in policy_keeps_points.judge(build()) if one.status is Status.UNKNOWN)
    assert told.message == (
        "shop-vault: its policy may deny backup:CopyFromBackupVault to those who need it; "
        "if o-example is this account's organisation, name it in the vault's allowed_principals"
    )
