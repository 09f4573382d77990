"""What is taken from our templates before ministack deploys them, and what it takes and does not do. Nothing else is.

Each entry is tested: a reduction that is no longer needed, or a property that is no longer dropped, fails a test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from tests.e2e.emulators import Emulator

Template = dict[str, Any]

WITNESSES = "techmoda-witnesses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """One change of one template."""

    template: str
    lacks: str
    """What CreateStack says of the template without this change; a regular expression."""
    apply: Callable[[Template], None]


def _no_selection(template: Template) -> None:
    del template["Resources"]["BackupSelection"]


def _no_restore_testing(template: Template) -> None:
    """The rule keeps its pattern, but the ARN in it, which the plan would give: how the ARN of our plan begins."""
    resources = template["Resources"]
    del resources["RestoreTestingPlan"], resources["RestoreTestingSelection"]
    del template["Outputs"]["RestoreTestingPlanArn"]
    detail = resources["RestoreTestFinished"]["Properties"]["EventPattern"]["detail"]
    ours = "arn:${AWS::Partition}:backup:${AWS::Region}:${AWS::AccountId}:restore-testing-plan:${Prefix}_restore_test-"
    detail["restoreTestingPlanArn"] = [{"prefix": {"Fn::Sub": ours}}]


def name_the_bucket(template: Template, name: str = "${Prefix}-witnesses") -> None:
    """Of the witnesses: the sandbox writes them and ministack makes their bucket, so its name must be one in both.

    This is no lack of ministack's. tests/e2e/test_restore_test.py shows what comes of a bucket that only it has.
    """
    template["Resources"]["WitnessBucket"]["Properties"]["BucketName"] = {"Fn::Sub": name}


REDUCTIONS = {
    "no backup selection": Reduction(
        template="primary",
        lacks=r"Unrecognized resource types: \[AWS::Backup::BackupSelection\]",
        apply=_no_selection,
    ),
    "no restore testing": Reduction(
        template="restore-testing",
        lacks=r"Unrecognized resource types: \[AWS::Backup::RestoreTestingPlan, AWS::Backup::RestoreTestingSelection\]",
        apply=_no_restore_testing,
    ),
}


def _continuous(account: Emulator) -> object:
    reply = account.client("dynamodb").describe_continuous_backups(TableName="techmoda-products")
    return reply["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]


def _locked(account: Emulator) -> object:
    return account.client("backup").describe_backup_vault(BackupVaultName="techmoda-vault")["Locked"]


def _vault_policy(account: Emulator) -> object:
    backup = account.client("backup")
    try:
        return backup.get_backup_vault_access_policy(BackupVaultName="techmoda-vault")["Policy"]
    except backup.exceptions.ResourceNotFoundException:
        return None


def _encrypted(account: Emulator) -> object:
    rules = account.client("s3").get_bucket_encryption(Bucket=WITNESSES)["ServerSideEncryptionConfiguration"]["Rules"]
    return rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]


def _lifecycle(account: Emulator) -> object:
    try:
        return account.client("s3").get_bucket_lifecycle_configuration(Bucket=WITNESSES)["Rules"]
    except ClientError as error:
        return error.response["Error"]["Code"]


DROPPED: dict[str, tuple[Callable[[Emulator], object], object]] = {
    "the table's point-in-time recovery": (_continuous, "DISABLED"),
    "the vault's lock": (_locked, False),
    "the vault's access policy": (_vault_policy, None),
    "the key that a bucket encrypts with": (_encrypted, "AES256"),
    "the days that a bucket keeps": (_lifecycle, "NoSuchLifecycleConfiguration"),
}
"""What ministack accepts and does not do: how to ask, and what it answers."""
