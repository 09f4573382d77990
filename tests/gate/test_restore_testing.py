"""restore-testing.yaml as the only thing that drills: RST-01 asks it what it restores, from where, and how often."""

from __future__ import annotations

import pytest
from tests.gate.building import Change, judged, only, ours, text

from backcheck.finding import Finding, Status

WITHOUT_DRILL = ("dr", "primary", "restore-testing", "auditor")
VAULTS = "        IncludeVaults:\n          - Fn::ImportValue: !Sub ${Prefix}-VaultArn\n"
ROLE = "      IamRoleArn:\n        Fn::ImportValue: !Sub ${Prefix}-RestoreRoleArn\n"
ARNS = "      ProtectedResourceArns:\n        - Fn::ImportValue: !Sub ${Prefix}-TableArn\n"
SCHEDULE = "      ScheduleExpression: !Ref RestoreTestSchedule\n"
ANOTHER = "arn:aws:backup:us-east-1:123456789012:backup-vault:legacy"


def replaced(old: str, new: str) -> Change:
    def change(content: str) -> str:
        assert content.count(old) == 1, old
        return content.replace(old, new)

    return change


def drilled(change: Change) -> Finding:
    found = judged(*ours("restore-testing", change, WITHOUT_DRILL)).run.findings
    return only(found, "RST-01")


def test_it_is_the_drill_where_there_is_no_other() -> None:
    assert drilled(str).status is Status.PASS


@pytest.mark.parametrize(
    ("change", "status", "words", "at"),
    [
        (
            replaced(VAULTS, f"        IncludeVaults: ['{ANOTHER}']\n"),
            Status.FAIL,
            "takes no recovery point of the policy's vaults in us-east-1",
            "RecoveryPointSelection:",
        ),
        (
            replaced(VAULTS, f"{VAULTS}        ExcludeVaults: ['*']\n"),
            Status.FAIL,
            "takes no recovery point of the policy's vaults in us-east-1",
            "RecoveryPointSelection:",
        ),
        (
            replaced("[SNAPSHOT]", "[CONTINUOUS]"),
            Status.FAIL,
            "takes no snapshots, but CONTINUOUS",
            "RecoveryPointTypes: [CONTINUOUS]",
        ),
        (
            replaced(SCHEDULE, "      ScheduleExpression: cron(0 7 3 1 ? *)\n"),
            Status.FAIL,
            "runs at cron(0 7 3 1 ? *) (Etc/UTC): more than max_age_days (35) pass without a restore",
            "ScheduleExpression: cron(0 7 3 1 ? *)",
        ),
        (
            replaced(ROLE, "      IamRoleArn: arn:aws:iam::123456789012:role/other\n"),
            Status.UNKNOWN,
            "role/other, which is no restore role of the policy",
            "IamRoleArn: arn:aws:iam::123456789012:role/other",
        ),
        (
            replaced(
                ARNS,
                "      ProtectedResourceArns: ['*']\n"
                "      ProtectedResourceConditions: {StringEquals: [{Key: aws:ResourceTag/test, Value: 'yes'}]}\n",
            ),
            Status.UNKNOWN,
            "has conditions on tags of recovery points",
            "ProtectedResourceArns: ['*']",
        ),
    ],
)
def test_one_that_would_not_restore_our_points_in_time_is_no_drill(
    change: Change, status: Status, words: str, at: str
) -> None:
    found = drilled(change)
    assert (found.status, words in found.message) == (status, True), found.message
    assert found.location is not None
    assert found.location.file == "templates/restore-testing.yaml"
    assert at in change(text("restore-testing")).splitlines()[found.location.line - 1]
