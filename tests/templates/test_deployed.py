"""The templates deployed in the sandbox, judged by the audit's own controls against policies/techmoda.yaml."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.templates.deploying import START, audited, deploy_all, techmoda
from tests.templates.reading import text

from backcheck.finding import Status
from backcheck.sandbox.sandbox import Sandbox

MUST_PASS = {
    *("PIT-01", "PIT-02", "PIT-05", "PLN-01", "PLN-02", "PLN-03", "PLN-04", "PLN-05", "PLN-06", "SEL-01", "SEL-03"),
    *("SEL-04", "VLT-01", "VLT-02", "VLT-03", "VLT-04", "VLT-05", "VLT-06", "DR-01", "DR-02", "RPO-01"),
    *("ALR-01", "ALR-02", "ALR-03", "FEA-01", "FEA-02", "IAM-01", "IAM-02", "IAM-03", "RST-01"),
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start=START) as opened:
        yield opened


def test_every_stack_deploys_under_a_long_stack_name_and_the_audit_finds_nothing(sandbox: Sandbox) -> None:
    stacks = deploy_all(sandbox)
    assert {(stack.status, stack.failure) for stack in stacks.values()} == {("CREATE_COMPLETE", "")}
    found = audited(sandbox, techmoda())
    bad = [one for one in found if one.status in (Status.FAIL, Status.UNKNOWN)]
    assert [f"{one.control} {one.tier} {one.resource}: {one.message}" for one in bad] == []
    assert {one.control for one in found if one.status is Status.PASS} >= MUST_PASS


MONTHLY = text("primary").partition("          - RuleName: MonthlyBackups\n")[2].partition("\n\n  BackupSelection")[0]
MONTHLY = f"          - RuleName: MonthlyBackups\n{MONTHLY}"
SILENT = "LessThanThreshold\n      TreatMissingData:"
MUTATIONS = {
    "PIT-01": ("primary", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    "PIT-02": ("primary", "RecoveryPeriodInDays: !Ref PitrWindowDays", "RecoveryPeriodInDays: 7"),
    "PIT-05": ("primary", "DeletionProtectionEnabled: true", "DeletionProtectionEnabled: false"),
    "PLN-02": ("primary", MONTHLY, ""),
    "PLN-03": ("primary", "Default: cron(0 1 * * ? *)", "Default: cron(0 2 * * ? *)"),
    "PLN-04": ("primary", "DeleteAfterDays: !Ref DailyRetentionDays", "DeleteAfterDays: 31"),
    "PLN-05": ("primary", "MoveToColdStorageAfterDays: !Ref MonthlyColdStorageAfterDays", "OptInToArchive: false"),
    "SEL-01": ("primary", "- !GetAtt ProductsTable.Arn\n", "- !Sub ${ProductsTable.Arn}-other\n"),
    "VLT-02": ("primary", "EnableKeyRotation: true", "EnableKeyRotation: false"),
    "VLT-03": ("primary", "MaxRetentionDays: !Ref LockMaxRetentionDays", "MaxRetentionDays: 400"),
    "VLT-04": ("dr", "              - backup:DeleteRecoveryPoint\n", ""),
    "ALR-02": (
        "primary",
        "State: ENABLED\n      Targets:\n        - Id: validate",
        "State: DISABLED\n      Targets:\n        - Id: validate",
    ),
    "ALR-03": (
        "primary",
        "LessThanThreshold\n      TreatMissingData: breaching",
        "LessThanThreshold\n      TreatMissingData: ignore",
    ),
    "FEA-01": ("primary", "MinRetentionDays: !Ref LockMinRetentionDays", "MinRetentionDays: 60"),
    "IAM-01": ("primary", "- dynamodb:StartAwsBackupJob\n", "- dynamodb:DescribeTable\n"),
    "IAM-03": ("drill", "Resource:\n                  Fn::ImportValue: !Sub ${Prefix}-TableArn", 'Resource: "*"'),
    "RST-01": ("drill", "State: ENABLED", "State: DISABLED"),
    "DR-01": ("primary", "CopyActions:\n", "AnotherName:\n"),
    "DR-02": (
        "primary",
        "                  DeleteAfterDays: !Ref WeeklyRetentionDays",
        "                  DeleteAfterDays: 89",
    ),
}
"""The template, what stands in it, and what is put there in its first place; by the control that must then fail."""


@pytest.mark.parametrize("control", MUTATIONS)
def test_a_template_that_is_spoilt_fails_the_control_it_spoils(control: str, sandbox: Sandbox) -> None:
    spoilt, old, new = MUTATIONS[control]
    assert old in text(spoilt)

    def change(name: str, content: str) -> str:
        return content.replace(old, new, 1) if name == spoilt else content

    stacks = deploy_all(sandbox, change, dict.fromkeys(("dr", "primary", spoilt)))
    assert {(stack.status, stack.failure) for stack in stacks.values()} == {("CREATE_COMPLETE", "")}
    failed = {one.control for one in audited(sandbox, techmoda()) if one.status is Status.FAIL}
    assert control in failed
