"""Restore testing: what a plan restores, when, and what becomes of the table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import START, Bench
from .test_restore_jobs import Restores

SCHEDULE = "cron(0 6 * * ? *)"


class RestoreTesting(Restores):
    """A restore testing plan on the table's recovery points, every day at six."""

    def plan(self, selection: dict[str, Any] | None = None, **document: Any) -> str:
        points = {
            "Algorithm": "LATEST_WITHIN_WINDOW",
            "RecoveryPointTypes": ["SNAPSHOT"],
            "IncludeVaults": ["*"],
            **document.pop("points", {}),
        }
        plan = {"RestoreTestingPlanName": "daily", "ScheduleExpression": SCHEDULE, "StartWindowHours": 1, **document}
        backup = self.bench.backup
        arn: str = backup.create_restore_testing_plan(RestoreTestingPlan={**plan, "RecoveryPointSelection": points})[
            "RestoreTestingPlanArn"
        ]
        chosen = {
            "RestoreTestingSelectionName": "tables",
            "ProtectedResourceType": "DynamoDB",
            "ProtectedResourceArns": ["*"],
            "IamRoleArn": self.role,
            **(selection or {}),
        }
        backup.create_restore_testing_selection(RestoreTestingPlanName="daily", RestoreTestingSelection=chosen)
        return arn

    def jobs(self) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = self.bench.backup.list_restore_jobs()["RestoreJobs"]
        return jobs

    def tables(self) -> list[str]:
        names: list[str] = self.bench.dynamodb.list_tables()["TableNames"]
        return names


def test_it_restores_keeps_for_the_window_and_deletes(bench: Bench) -> None:
    testing = RestoreTesting(bench, tier="gold")
    arn = testing.plan({"ValidationWindowHours": 4})
    bench.clock.advance_to(START.replace(hour=8) + timedelta(days=1))
    [job] = testing.jobs()
    assert (job["Status"], job["CreatedBy"]) == ("COMPLETED", {"RestoreTestingPlanArn": arn})
    assert START.replace(hour=6) <= job["CreationDate"] - timedelta(days=1) <= START.replace(hour=7)
    assert job["RecoveryPointArn"] == testing.point
    name = job["CreatedResourceArn"].rsplit("/", 1)[-1]
    assert name.startswith("awsbackup-restore-test-")
    assert bench.dynamodb.scan(TableName=name)["Items"] == bench.dynamodb.scan(TableName="orders")["Items"]
    tags = bench.dynamodb.list_tags_of_resource(ResourceArn=job["CreatedResourceArn"])["Tags"]
    assert [tag["Key"] for tag in tags] == ["awsbackup-restore-test"]
    metadata = bench.backup.get_restore_job_metadata(RestoreJobId=job["RestoreJobId"])["Metadata"]
    assert metadata == {"deletionProtection": "false", "encryptionType": "Default", "targetTableName": name}
    bench.advance(hours=5)
    [job] = testing.jobs()
    assert (job["DeletionStatus"], "ValidationStatus" in job) == ("SUCCESSFUL", False)
    assert testing.tables() == ["orders"]
    plan = bench.backup.get_restore_testing_plan(RestoreTestingPlanName="daily")["RestoreTestingPlan"]
    assert plan["LastExecutionTime"] == START.replace(hour=6) + timedelta(days=1)
    assert bench.backup.list_restore_jobs(ByRestoreTestingPlanArn=arn)["RestoreJobs"] == [job]


def test_a_result_ends_it_early_and_cannot_be_changed(bench: Bench) -> None:
    testing = RestoreTesting(bench)
    testing.plan({"ValidationWindowHours": 24})
    bench.advance(hours=20)
    [job] = testing.jobs()
    result = {"RestoreJobId": job["RestoreJobId"], "ValidationStatus": "SUCCESSFUL", "ValidationStatusMessage": "equal"}
    bench.backup.put_restore_validation_result(**result)
    with pytest.raises(ClientError, match="is SUCCESSFUL and cannot be changed"):
        bench.backup.put_restore_validation_result(**{**result, "ValidationStatus": "FAILED"})
    bench.advance(minutes=10)
    [job] = testing.jobs()
    assert (job["ValidationStatus"], job["ValidationStatusMessage"], job["DeletionStatus"]) == (
        "SUCCESSFUL", "equal", "SUCCESSFUL",
    )  # fmt: skip
    assert testing.tables() == ["orders"]


def test_a_validation_that_was_begun_times_out(bench: Bench) -> None:
    testing = RestoreTesting(bench)
    testing.plan({"ValidationWindowHours": 1})
    bench.clock.advance_to(START.replace(hour=7) + timedelta(days=1, minutes=6))
    [job] = testing.jobs()
    bench.backup.put_restore_validation_result(RestoreJobId=job["RestoreJobId"], ValidationStatus="VALIDATING")
    bench.advance(hours=2)
    assert [job["ValidationStatus"] for job in testing.jobs()] == ["TIMED_OUT"]


def test_without_its_tag_the_table_stays(bench: Bench) -> None:
    testing = RestoreTesting(bench)
    testing.plan({"ValidationWindowHours": 24})
    bench.advance(hours=20)
    [job] = testing.jobs()
    bench.dynamodb.untag_resource(ResourceArn=job["CreatedResourceArn"], TagKeys=["awsbackup-restore-test"])
    bench.advance(hours=22)
    job = testing.jobs()[0]
    assert (job["DeletionStatus"], "does not have the tag" in job["DeletionStatusMessage"]) == ("FAILED", True)
    assert job["CreatedResourceArn"].rsplit("/", 1)[-1] in testing.tables()


@pytest.mark.parametrize(
    ("selection", "points"),
    [
        ({"ProtectedResourceArns": ["arn:aws:dynamodb:us-east-1:123456789012:table/other"]}, {}),
        ({"ProtectedResourceType": "EBS"}, {}),
        ({"ProtectedResourceConditions": {"StringEquals": [{"Key": "aws:ResourceTag/tier", "Value": "lead"}]}}, {}),
        ({"ProtectedResourceConditions": {"StringNotEquals": [{"Key": "aws:ResourceTag/tier", "Value": "gold"}]}}, {}),
        ({}, {"RecoveryPointTypes": ["CONTINUOUS"]}),
        ({}, {"IncludeVaults": ["arn:aws:backup:*:*:backup-vault:other"]}),
        ({}, {"ExcludeVaults": ["arn:aws:backup:*:*:backup-vault:va*"]}),
    ],
)
def test_what_is_not_taken(bench: Bench, selection: dict[str, Any], points: dict[str, Any]) -> None:
    testing = RestoreTesting(bench, tier="gold")
    testing.plan(selection, points=points)
    bench.advance(days=2)
    assert testing.jobs() == []


def test_points_older_than_the_window_are_not_taken(bench: Bench) -> None:
    testing = RestoreTesting(bench)
    testing.plan(points={"SelectionWindowDays": 1})
    bench.advance(days=5)
    assert len(testing.jobs()) == 1


def test_the_plan_as_it_is_now_runs_and_one_that_is_gone_does_not(bench: Bench) -> None:
    testing = RestoreTesting(bench)
    testing.plan()
    change = {"ScheduleExpression": "cron(0 6 1 * ? *)"}
    bench.backup.update_restore_testing_plan(RestoreTestingPlanName="daily", RestoreTestingPlan=change)
    bench.advance(days=20)
    assert testing.jobs() == []
    bench.backup.update_restore_testing_plan(
        RestoreTestingPlanName="daily", RestoreTestingPlan={"ScheduleExpression": SCHEDULE}
    )
    bench.advance(days=2)
    assert len(testing.jobs()) == 2
    names = {"RestoreTestingPlanName": "daily"}
    bench.backup.delete_restore_testing_selection(**names, RestoreTestingSelectionName="tables")
    bench.backup.delete_restore_testing_plan(**names)
    bench.advance(days=2)
    assert len(testing.jobs()) == 2


def test_a_role_that_may_not_fails_the_test(bench: Bench) -> None:
    testing = RestoreTesting(bench)
    testing.plan({"IamRoleArn": testing.backup_role})
    bench.advance(days=1)
    [job] = testing.jobs()
    assert (job["Status"], "DeletionStatus" in job) == ("FAILED", False)


def test_the_metadata_that_would_be_inferred(bench: Bench) -> None:
    testing = RestoreTesting(bench)
    metadata = bench.backup.get_restore_testing_inferred_metadata(
        BackupVaultName="vault", RecoveryPointArn=testing.point
    )["InferredMetadata"]
    assert sorted(metadata) == ["deletionProtection", "encryptionType", "targetTableName"]
