"""Restores from recovery points: the content of the backup, the metadata's rules, and jobs that fail."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, DR, PRIMARY, RESTORE_POLICY, START, Bench
from .test_point_in_time import GLOBAL


class Restores:
    """A table with a recovery point in each Region, and a role that restores."""

    def __init__(self, bench: Bench, *, advanced: bool = True, copied: bool = False, **tags: str) -> None:
        self.bench = bench
        for region in (PRIMARY, DR):
            backup = bench.sandbox.client("backup", region=region)
            backup.update_region_settings(ResourceTypeManagementPreference={"DynamoDB": advanced})
        self.table = bench.table(items=3, **tags)
        bench.vault()
        self.dr_vault = bench.vault("dr", region=DR)
        self.backup_role = bench.role()
        self.role = bench.role("restore", policy=RESTORE_POLICY)
        bench.backup.start_backup_job(BackupVaultName="vault", ResourceArn=self.table, IamRoleArn=self.backup_role)
        bench.advance(hours=1)
        [point] = bench.points()
        self.point: str = point["RecoveryPointArn"]
        if copied:
            bench.backup.start_copy_job(
                RecoveryPointArn=self.point,
                SourceBackupVaultName="vault",
                DestinationBackupVaultArn=self.dr_vault,
                IamRoleArn=self.backup_role,
            )
            bench.advance(hours=1)

    def start(self, point: str = "", *, region: str = PRIMARY, **arguments: Any) -> str:
        wanted = {
            "RecoveryPointArn": point or self.point,
            "IamRoleArn": self.role,
            "Metadata": {"targetTableName": "restored", "encryptionType": "Default"},
            **arguments,
        }
        wanted = {name: value for name, value in wanted.items() if value is not None}
        job: str = self.bench.sandbox.client("backup", region=region).start_restore_job(**wanted)["RestoreJobId"]
        return job

    def ended(self, job: str, *, region: str = PRIMARY) -> dict[str, Any]:
        """Poll as a client does that knows nothing of the sandbox's clock."""
        backup = self.bench.sandbox.client("backup", region=region)
        for _ in range(9):
            reply: dict[str, Any] = backup.describe_restore_job(RestoreJobId=job)
            if reply["Status"] in ("COMPLETED", "FAILED", "ABORTED"):
                return reply
        raise AssertionError(f"restore job {job} is never done")


@pytest.mark.parametrize("advanced", [True, False])
def test_the_content_is_that_of_the_backup(bench: Bench, advanced: bool) -> None:
    restores = Restores(bench, advanced=advanced)
    assert restores.point.split(":")[2] == ("backup" if advanced else "dynamodb")
    before = bench.dynamodb.scan(TableName="orders")["Items"]
    bench.dynamodb.delete_item(TableName="orders", Key={"id": {"S": "00000"}})
    bench.dynamodb.update_item(
        TableName="orders",
        Key={"id": {"S": "00001"}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "99"}},
    )
    job = restores.start()
    assert bench.backup.list_restore_jobs()["RestoreJobs"][0]["Status"] == "PENDING"
    done = restores.ended(job)
    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/restored"
    assert (done["Status"], done["CreatedResourceArn"], done["SourceResourceArn"]) == ("COMPLETED", arn, restores.table)
    assert bench.dynamodb.scan(TableName="restored")["Items"] == before
    table = bench.dynamodb.describe_table(TableName="restored")["Table"]
    assert table["TableStatus"] == "ACTIVE"
    summary = table["RestoreSummary"]
    assert (summary["SourceBackupArn"], summary["SourceTableArn"]) == (restores.point, restores.table)
    assert not summary["RestoreInProgress"]
    assert "SSEDescription" not in table


def test_in_the_other_region_from_a_copy(bench: Bench) -> None:
    restores = Restores(bench, copied=True)
    [copy] = bench.points("dr", region=DR)
    done = restores.ended(restores.start(copy["RecoveryPointArn"], region=DR), region=DR)
    assert done["CreatedResourceArn"] == f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/restored"
    there = bench.sandbox.client("dynamodb", region=DR)
    assert there.scan(TableName="restored")["Items"] == bench.dynamodb.scan(TableName="orders")["Items"]
    assert bench.backup.list_restore_jobs()["RestoreJobs"] == []
    with pytest.raises(ClientError, match="ResourceNotFound"):
        restores.start(copy["RecoveryPointArn"])


def test_the_indexes_are_those_of_the_backup(bench: Bench) -> None:
    restores = Restores(bench)
    definitions = [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}]
    bench.dynamodb.update_table(
        TableName="orders", AttributeDefinitions=definitions, GlobalSecondaryIndexUpdates=[{"Create": GLOBAL}]
    )
    restores.ended(restores.start())
    table = bench.dynamodb.describe_table(TableName="restored")["Table"]
    assert table["GlobalSecondaryIndexes"] == []
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


class TestMetadata:
    @pytest.mark.parametrize(
        ("metadata", "code", "says"),
        [
            ({}, "MissingParameterValueException", "targetTableName is missing"),
            ({"encryptionType": "Default"}, "MissingParameterValueException", "targetTableName is missing"),
            ({"targetTableName": "t", "newTableName": "u"}, "InvalidParameterValueException", "newTableName is not"),
            ({"targetTableName": "t", "TargetTableName": "u"}, "InvalidParameterValueException", "given twice"),
            ({"targetTableName": "t", "encryptionType": "AES"}, "InvalidParameterValueException", "AES is neither"),
            (
                {"targetTableName": "t", "encryptionType": "Default", "kmsMasterKeyArn": "k"},
                "InvalidParameterValueException",
                "kmsMasterKeyArn needs encryptionType KMS",
            ),
        ],
    )
    def test_what_is_refused(self, bench: Bench, metadata: dict[str, str], code: str, says: str) -> None:
        restores = Restores(bench)
        with pytest.raises(ClientError, match=says) as refused:
            restores.start(Metadata=metadata)
        assert refused.value.response["Error"]["Code"] == code
        assert bench.backup.list_restore_jobs()["RestoreJobs"] == []

    def test_names_in_any_case_and_a_key_of_ours(self, bench: Bench) -> None:
        restores = Restores(bench)
        key = bench.sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
        metadata = {"TARGETTABLENAME": "restored", "EncryptionType": "KMS", "KmsMasterKeyArn": key}
        job = restores.start(Metadata={**metadata, "aws:backup:request-id": "x"})
        assert restores.ended(job)["Status"] == "COMPLETED"
        table = bench.dynamodb.describe_table(TableName="restored")["Table"]
        assert table["SSEDescription"]["KMSMasterKeyArn"] == key

    def test_what_the_point_itself_says_is_not_enough(self, bench: Bench) -> None:
        restores = Restores(bench)
        metadata = bench.backup.get_recovery_point_restore_metadata(
            BackupVaultName="vault", RecoveryPointArn=restores.point
        )["RestoreMetadata"]
        with pytest.raises(ClientError, match="originalTableName is not supported"):
            restores.start(Metadata=metadata)

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            ({"IamRoleArn": None}, "MissingParameterValueException"),
            ({"IamRoleArn": "arn:aws:iam::123456789012:user/x"}, "InvalidParameterValueException"),
            ({"ResourceType": "EBS"}, "InvalidParameterValueException"),
            (
                {"RecoveryPointArn": "arn:aws:backup:us-east-1:123456789012:recovery-point:X"},
                "ResourceNotFoundException",
            ),
        ],
    )
    def test_other_arguments(self, bench: Bench, arguments: dict[str, Any], code: str) -> None:
        restores = Restores(bench)
        with pytest.raises(ClientError) as refused:
            restores.start(**arguments)
        assert refused.value.response["Error"]["Code"] == code


class TestFailures:
    def failed(self, restores: Restores, **arguments: Any) -> str:
        done = restores.ended(restores.start(**arguments))
        assert done["Status"] == "FAILED"
        assert "CreatedResourceArn" not in done
        message: str = done["StatusMessage"]
        return message

    def test_a_role_that_is_not_there(self, bench: Bench) -> None:
        role = f"arn:aws:iam::{ACCOUNT}:role/none"
        assert self.failed(Restores(bench), IamRoleArn=role) == f"IAM role {role} does not exist"

    def test_a_role_that_may_not(self, bench: Bench) -> None:
        restores = Restores(bench)
        says = self.failed(restores, IamRoleArn=restores.backup_role)
        assert "does not have sufficient permissions: dynamodb:RestoreTableFromAwsBackup" in says

    def test_a_role_that_does_not_trust(self, bench: Bench) -> None:
        role = bench.role("other", trusts="ec2.amazonaws.com", policy=RESTORE_POLICY)
        assert "cannot be assumed by AWS Backup" in self.failed(Restores(bench), IamRoleArn=role)

    def test_a_name_that_is_taken(self, bench: Bench) -> None:
        metadata = {"targetTableName": "orders"}
        assert "Table already exists: orders" in self.failed(Restores(bench), Metadata=metadata)

    def test_a_key_that_is_disabled(self, bench: Bench) -> None:
        restores = Restores(bench)
        key = bench.sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
        bench.sandbox.client("kms").disable_key(KeyId=key)
        metadata = {"targetTableName": "restored", "encryptionType": "KMS", "kmsMasterKeyArn": key}
        assert "The key of the restored table cannot be used" in self.failed(restores, Metadata=metadata)

    def test_a_fault(self, bench: Bench) -> None:
        restores = Restores(bench)
        bench.sandbox.faults.restore_jobs("FAILED", message="Insufficient capacity")
        assert self.failed(restores) == "Insufficient capacity"
        assert bench.dynamodb.list_tables()["TableNames"] == ["orders"]

    def test_one_that_never_ends(self, bench: Bench) -> None:
        restores = Restores(bench)
        bench.sandbox.faults.restore_jobs("STUCK")
        job = restores.start()
        bench.advance(days=3)
        assert bench.backup.describe_restore_job(RestoreJobId=job)["Status"] == "RUNNING"

    def test_a_vault_that_denies(self, bench: Bench) -> None:
        restores = Restores(bench)
        policy = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",'
            ' "Action": "backup:StartRestoreJob", "Resource": "*"}]}'
        )
        bench.backup.put_backup_vault_access_policy(BackupVaultName="vault", Policy=policy)
        with pytest.raises(ClientError, match="AccessDenied"):
            restores.start()


def test_tags_come_along_only_if_asked(bench: Bench) -> None:
    restores = Restores(bench, tier="gold")
    restores.ended(restores.start())
    metadata = {"targetTableName": "tagged"}
    done = restores.ended(restores.start(Metadata=metadata, CopySourceTagsToRestoredResource=True))
    plain = done["CreatedResourceArn"].replace("tagged", "restored")
    tags = [
        bench.dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] for arn in (plain, done["CreatedResourceArn"])
    ]
    assert tags == [[], [{"Key": "tier", "Value": "gold"}]]


def test_the_same_token_is_the_same_job(bench: Bench) -> None:
    restores = Restores(bench)
    assert restores.start(IdempotencyToken="t") == restores.start(IdempotencyToken="t")
    assert len(bench.backup.list_restore_jobs()["RestoreJobs"]) == 1


def test_lists_are_filtered(bench: Bench) -> None:
    restores = Restores(bench)
    done = restores.ended(restores.start())
    failed = restores.ended(restores.start())
    assert done["Status"] == "COMPLETED"

    def listed(**filters: Any) -> list[str]:
        return [job["RestoreJobId"] for job in bench.backup.list_restore_jobs(**filters)["RestoreJobs"]]

    both = [done["RestoreJobId"], failed["RestoreJobId"]]
    assert listed() == both
    assert listed(ByStatus="FAILED") == both[1:]
    assert listed(ByResourceType="EBS") == []
    assert listed(ByCreatedBefore=START) == []
    by_resource = bench.backup.list_restore_jobs_by_protected_resource
    assert len(by_resource(ResourceArn=restores.table)["RestoreJobs"]) == 2
    assert by_resource(ResourceArn=f"{restores.table}x")["RestoreJobs"] == []
    metadata = bench.backup.get_restore_job_metadata(RestoreJobId=both[0])["Metadata"]
    assert metadata == {"targetTableName": "restored", "encryptionType": "Default"}


def test_a_job_on_demand_takes_no_validation(bench: Bench) -> None:
    restores = Restores(bench)
    done = restores.ended(restores.start())
    with pytest.raises(ClientError, match="is not a restore testing job"):
        bench.backup.put_restore_validation_result(RestoreJobId=done["RestoreJobId"], ValidationStatus="SUCCESSFUL")
