"""VLT-04, where the account alone does not tell."""

from __future__ import annotations

from backcheck.controls import examples
from backcheck.controls.vlt_04_access_policy import policy_keeps_points
from backcheck.finding import Status


def test_an_organisation_that_is_spared_is_taken_for_ours_and_said_to_be() -> None:
    spared = (("StringNotEquals", "aws:PrincipalOrgID", ("o-example",)),)
    deny = examples.deny_deletion(actions=("backup:CopyFromBackupVault",), conditions=spared)
    vault = examples.vault(policy=examples.document(examples.deny_deletion(), deny))
    told = next(one for one in policy_keeps_points.judge(examples.world(primary={"vaults": (vault,)})) if one.notes)
    assert told.status is Status.PASS
    assert told.notes == ("it spares o-example, taken for this account's organisation: that was not read",)
