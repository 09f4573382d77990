"""Roles of a template: AWS's policies, paths, and who can assume them."""

from __future__ import annotations

import pytest
from tests.gate.building import EVERY, judged, ours, replaced

from backcheck.finding import Finding, Status

DENIED = "arn:aws:iam::aws:policy/AWSDenyAll"
ELSEWHERE = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
ROLES = {"IAM-01": "backup", "IAM-02": "restore"}


def _with_policies(role: str, *arns: str) -> Finding:
    named = f"      RoleName: !Sub ${{Prefix}}-{role}\n"
    change = replaced(named, f"{named}      ManagedPolicyArns: [{', '.join(arns)}]\n")
    found = judged(*ours("primary", change, EVERY)).run.findings
    control = next(control for control, one in ROLES.items() if one == role)
    return next(one for one in found if one.control == control and one.resource.endswith(f"role/techmoda-{role}"))


@pytest.mark.parametrize("role", ROLES.values())
def test_a_policy_of_aws_that_denies_everything_fails_the_role(role: str) -> None:
    told = _with_policies(role, DENIED)
    assert told.status is Status.FAIL
    assert "it may not " in told.message


@pytest.mark.parametrize("role", ROLES.values())
@pytest.mark.parametrize("beside", [(), ("arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",)])
def test_a_policy_of_aws_whose_text_is_not_at_hand_leaves_the_role_open(role: str, beside: tuple[str, ...]) -> None:
    told = _with_policies(role, ELSEWHERE, *beside)
    assert told.status is Status.UNKNOWN
    assert "a policy that was not read" in told.message
    assert told.location is not None
    assert told.location.file == "templates/primary.yaml"


@pytest.mark.parametrize(("control", "role"), ROLES.items())
def test_the_policy_of_aws_for_the_role_is_known(control: str, role: str) -> None:
    purpose = {"IAM-01": "Backup", "IAM-02": "Restores"}[control]
    own = f"arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor{purpose}"
    assert _with_policies(role, own).status is Status.PASS


def test_a_role_with_a_path_is_not_the_one_that_an_arn_without_it_names() -> None:
    def change(content: str) -> str:
        with_path = replaced(
            "      RoleName: !Sub ${Prefix}-backup\n", "      RoleName: !Sub ${Prefix}-backup\n      Path: /service/\n"
        )
        named = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Prefix}-backup"
        return replaced("IamRoleArn: !GetAtt BackupRole.Arn", f"IamRoleArn: !Sub {named}")(with_path(content))

    found = judged(*ours("primary", change)).run.findings
    failed = [one for one in found if one.status is Status.FAIL]
    assert {one.control for one in failed} - {"RST-01"} == {"IAM-01", "SEL-04"}
    assert any(
        "its role of that name is arn:aws:iam::123456789012:role/service/techmoda-backup" in one.message
        for one in failed
    )


def test_a_function_whose_role_lambda_cannot_assume_is_refused() -> None:
    def change(content: str) -> str:
        return replaced(
            "      Handler: functions.validate_backup.handler\n",
            "      Handler: functions.validate_backup.handler\n      Role: !GetAtt RestoreRole.Arn\n",
        )(content)

    [told] = [
        one
        for one in judged(*ours("primary", change)).run.findings
        if one.control == "TPL-01" and one.status is Status.FAIL
    ]
    assert "cannot be assumed by Lambda" in told.message
