"""Backup jobs and recovery points on the clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backcheck.errors import UsageError

from .conftest import ACCOUNT, DR, DR_VAULT, OTHER, START, Bench, rule, start


def state(bench: Bench, job_id: str) -> str:
    found: str = bench.backup.describe_backup_job(BackupJobId=job_id)["State"]
    return found


class TestOnDemand:
    def test_it_goes_from_created_over_running_to_completed(self, bench: Bench) -> None:
        bench.vault()
        job_id = start(bench, bench.table(items=3), bench.role(), Lifecycle={"DeleteAfterDays": 35})
        assert state(bench, job_id) == "CREATED"
        bench.advance(minutes=2.5)
        assert state(bench, job_id) == "RUNNING"
        assert bench.points()[0]["Status"] == "CREATING"
        bench.advance(minutes=20)
        job = bench.backup.describe_backup_job(BackupJobId=job_id)
        assert (job["State"], job["MessageCategory"]) == ("COMPLETED", "SUCCESS")
        assert job["StartBy"] == START + timedelta(hours=8)
        [point] = bench.points()
        assert (point["Status"], point["RecoveryPointArn"]) == ("COMPLETED", job["RecoveryPointArn"])
        assert point["CalculatedLifecycle"]["DeleteAt"] == point["CreationDate"] + timedelta(days=35)
        assert point["BackupSizeInBytes"] > 0
        assert "CreatedBy" not in point

    def test_a_table_that_does_not_exist_is_refused(self, bench: Bench) -> None:
        bench.vault()
        with pytest.raises(ClientError, match="Table not found"):
            start(bench, f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/none", bench.role())

    def test_another_kind_of_resource_is_unsupported(self, bench: Bench) -> None:
        bench.vault()
        with pytest.raises(ClientError, match="UnsupportedOperation"):
            start(bench, "arn:aws:ec2:us-east-1:123456789012:volume/vol-1", bench.role())

    def test_the_same_token_starts_it_once(self, bench: Bench) -> None:
        bench.vault()
        arn, role = bench.table(), bench.role()
        assert start(bench, arn, role, IdempotencyToken="t") == start(bench, arn, role, IdempotencyToken="t")
        bench.advance(hours=1)
        assert len(bench.points()) == 1

    def test_it_can_be_stopped_while_it_runs(self, bench: Bench) -> None:
        bench.vault()
        job_id = start(bench, bench.table(), bench.role())
        bench.advance(minutes=2.5)
        bench.backup.stop_backup_job(BackupJobId=job_id)
        bench.advance(hours=1)
        assert (state(bench, job_id), bench.points()) == ("ABORTED", [])
        with pytest.raises(ClientError, match=r"InvalidRequestException.*ABORTED"):
            bench.backup.stop_backup_job(BackupJobId=job_id)


class TestWhatMakesAJobFail:
    def run(self, bench: Bench, role: str) -> dict[str, Any]:
        bench.vault()
        job_id = start(bench, bench.table(), role)
        bench.advance(hours=1)
        job: dict[str, Any] = bench.backup.describe_backup_job(BackupJobId=job_id)
        assert bench.points() == []
        return job

    def test_a_role_that_does_not_exist(self, bench: Bench) -> None:
        job = self.run(bench, f"arn:aws:iam::{ACCOUNT}:role/none")
        assert (job["State"], job["MessageCategory"]) == ("FAILED", "ACCESSDENIED")
        assert "does not exist" in job["StatusMessage"]

    def test_a_role_that_backup_cannot_assume(self, bench: Bench) -> None:
        job = self.run(bench, bench.role(trusts="lambda.amazonaws.com"))
        assert "cannot be assumed by AWS Backup" in job["StatusMessage"]

    def test_a_role_without_permissions(self, bench: Bench) -> None:
        role = bench.role()
        policy = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
        bench.sandbox.client("iam").detach_role_policy(RoleName="backup", PolicyArn=policy)
        assert "dynamodb:StartAwsBackupJob" in self.run(bench, role)["StatusMessage"]

    def test_a_key_that_is_disabled(self, bench: Bench) -> None:
        kms = bench.sandbox.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        bench.backup.create_backup_vault(BackupVaultName="sealed", EncryptionKeyArn=key)
        kms.disable_key(KeyId=key)
        job_id = start(bench, bench.table(), bench.role(), BackupVaultName="sealed")
        bench.advance(hours=1)
        assert "its state is Disabled" in bench.backup.describe_backup_job(BackupJobId=job_id)["StatusMessage"]

    def test_a_table_that_is_gone_when_it_starts(self, bench: Bench) -> None:
        bench.vault()
        job_id = start(bench, bench.table(), bench.role())
        bench.dynamodb.delete_table(TableName="orders")
        bench.advance(hours=1)
        assert state(bench, job_id) == "FAILED"


class TestScheduled:
    def test_each_point_tells_its_plan_and_rule_and_starts_in_its_window(self, bench: Bench) -> None:
        bench.vault()
        plan_id = bench.plan(rule(), resources=[bench.table()], role=bench.role())
        bench.advance(days=10)
        reply = bench.backup.get_backup_plan(BackupPlanId=plan_id)
        points = bench.points()
        assert len(points) == 10
        for number, point in enumerate(points):
            fires = datetime(2026, 1, 2 + number, 1, tzinfo=UTC)
            assert fires <= point["CreationDate"] < fires + timedelta(hours=1)
            created_by = point["CreatedBy"]
            assert created_by["BackupPlanId"] == plan_id
            assert created_by["BackupRuleId"] == reply["BackupPlan"]["Rules"][0]["RuleId"]
            assert created_by["BackupPlanVersion"] == reply["VersionId"]
        assert reply["LastExecutionDate"] == datetime(2026, 1, 11, 1, tzinfo=UTC)

    def test_history_is_the_same_for_the_same_seed(self, bench: Bench) -> None:
        bench.vault()
        bench.plan(rule(), resources=[bench.table()], role=bench.role())
        bench.advance(days=3)
        starts = [point["CreationDate"] for point in bench.points()]
        assert len({start.minute for start in starts}) > 1
        chance = [bench.sandbox.world.chance("a", "b").random() for _ in range(2)]
        assert chance[0] == chance[1]

    def test_jobs_are_listed_for_thirty_days_and_described_for_ever(self, bench: Bench) -> None:
        bench.vault()
        bench.plan(rule(), resources=[bench.table()], role=bench.role())
        bench.advance(days=1)
        [first] = bench.jobs()
        bench.advance(days=40)
        assert len(bench.jobs()) == 30
        assert state(bench, first["BackupJobId"]) == "COMPLETED"


class TestAgeing:
    def test_a_point_goes_cold_and_then_goes(self, bench: Bench) -> None:
        bench.vault()
        start(
            bench,
            bench.table(),
            bench.role(),
            Lifecycle={"MoveToColdStorageAfterDays": 10, "DeleteAfterDays": 100},
        )
        bench.advance(hours=1)
        which = {"BackupVaultName": "vault", "RecoveryPointArn": bench.points()[0]["RecoveryPointArn"]}
        assert bench.backup.describe_recovery_point(**which)["StorageClass"] == "WARM"
        bench.advance(days=10)
        assert bench.backup.describe_recovery_point(**which)["StorageClass"] == "COLD"
        with pytest.raises(ClientError, match="cannot be changed after"):
            bench.backup.update_recovery_point_lifecycle(
                **which, Lifecycle={"MoveToColdStorageAfterDays": 20, "DeleteAfterDays": 110}
            )
        bench.advance(days=89)
        assert len(bench.points()) == 1
        bench.advance(days=1, hours=8)
        assert bench.points() == []
        [protected] = bench.backup.list_protected_resources()["Results"]
        assert protected["LastRecoveryPointArn"] == which["RecoveryPointArn"]

    def test_without_a_lifecycle_it_stays(self, bench: Bench) -> None:
        bench.vault()
        start(bench, bench.table(), bench.role())
        bench.advance(days=3650)
        [point] = bench.points()
        assert "CalculatedLifecycle" not in point
        assert "Lifecycle" not in point

    def test_it_expires_but_stays_when_its_role_is_gone(self, bench: Bench) -> None:
        bench.vault()
        start(bench, bench.table(), bench.role(), Lifecycle={"DeleteAfterDays": 1})
        bench.advance(hours=1)
        iam = bench.sandbox.client("iam")
        policy = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
        iam.detach_role_policy(RoleName="backup", PolicyArn=policy)
        iam.delete_role(RoleName="backup")
        bench.advance(days=3)
        assert [point["Status"] for point in bench.points()] == ["EXPIRED"]

    def test_a_legal_hold_keeps_it(self, bench: Bench) -> None:
        bench.vault()
        start(bench, bench.table(), bench.role(), Lifecycle={"DeleteAfterDays": 1})
        bench.advance(hours=1)
        hold = bench.backup.create_legal_hold(
            Title="case", Description="d", RecoveryPointSelection={"VaultNames": ["vault"]}
        )
        which = {"BackupVaultName": "vault", "RecoveryPointArn": bench.points()[0]["RecoveryPointArn"]}
        with pytest.raises(ClientError, match="under legal hold"):
            bench.backup.delete_recovery_point(**which)
        bench.advance(days=3)
        assert len(bench.points()) == 1
        bench.backup.cancel_legal_hold(LegalHoldId=hold["LegalHoldId"], CancelDescription="over")
        bench.backup.delete_recovery_point(**which)
        assert bench.points() == []

    def test_a_changed_lifecycle_counts(self, bench: Bench) -> None:
        bench.vault()
        start(bench, bench.table(), bench.role(), Lifecycle={"DeleteAfterDays": 5})
        bench.advance(hours=1)
        bench.backup.update_recovery_point_lifecycle(
            BackupVaultName="vault",
            RecoveryPointArn=bench.points()[0]["RecoveryPointArn"],
            Lifecycle={"DeleteAfterDays": 10},
        )
        bench.advance(days=6)
        assert len(bench.points()) == 1
        bench.advance(days=5)
        assert bench.points() == []


class TestAdvancedFeatures:
    def off(self, bench: Bench) -> None:
        bench.backup.update_region_settings(ResourceTypeManagementPreference={"DynamoDB": False})

    def test_on_points_are_of_backup_with_the_vaults_key_and_the_tables_tags(self, bench: Bench) -> None:
        bench.vault()
        start(bench, bench.table(team="shop"), bench.role(), RecoveryPointTags={"by": "hand"})
        bench.advance(hours=1)
        [point] = bench.points()
        assert point["RecoveryPointArn"].startswith(f"arn:aws:backup:us-east-1:{ACCOUNT}:recovery-point:")
        vault = bench.backup.describe_backup_vault(BackupVaultName="vault")
        assert point["EncryptionKeyArn"] == vault["EncryptionKeyArn"]
        tags = bench.backup.list_tags(ResourceArn=point["RecoveryPointArn"])["Tags"]
        assert tags == {"team": "shop", "by": "hand"}

    def test_off_points_are_of_dynamodb_never_go_cold_and_are_not_copied(self, bench: Bench) -> None:
        bench.vault()
        bench.vault("dr", region=DR)
        self.off(bench)
        lifecycle = {"MoveToColdStorageAfterDays": 1, "DeleteAfterDays": 91}
        copied = rule(Lifecycle=lifecycle, CopyActions=[{"DestinationBackupVaultArn": DR_VAULT}])
        bench.plan(copied, resources=[bench.table()], role=bench.role())
        bench.advance(days=3)
        points = bench.points()
        assert all(
            p["RecoveryPointArn"].startswith(f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders/backup/")
            for p in points
        )
        assert all("EncryptionKeyArn" not in p for p in points)
        assert "MoveToColdStorageAt" not in points[0]["CalculatedLifecycle"]
        [job] = {json.dumps([j["State"], j["StatusMessage"]]) for j in bench.copy_jobs()}
        assert "without advanced features are not supported" in job
        with pytest.raises(ClientError, match="not managed by AWS Backup"):
            bench.backup.list_tags(ResourceArn=points[0]["RecoveryPointArn"])


class TestFaults:
    @pytest.mark.parametrize(
        ("outcome", "state", "points", "category"),
        [
            ("FAILED", "FAILED", [], "FAILED"),
            ("EXPIRED", "EXPIRED", [], "EXPIRED"),
            ("ABORTED", "ABORTED", [], "ABORTED"),
            ("PARTIAL", "PARTIAL", ["PARTIAL"], "SUCCESS"),
            ("ISSUES", "COMPLETED", ["COMPLETED"], "PARTIALLY_BACKED_UP"),
            ("STUCK", "RUNNING", ["CREATING"], None),
        ],
    )
    def test_a_backup_job_that_ends_otherwise(
        self, bench: Bench, outcome: str, state: str, points: list[str], category: str | None
    ) -> None:
        bench.vault()
        bench.plan(rule(), resources=[bench.table()], role=bench.role())
        bench.sandbox.faults.backup_jobs(outcome, rule="daily")
        bench.advance(days=1)
        [job] = bench.jobs()
        assert (job["State"], job.get("MessageCategory")) == (state, category)
        assert [point["Status"] for point in bench.points()] == points

    def test_a_job_that_is_lost_leaves_nothing(self, bench: Bench) -> None:
        bench.vault()
        bench.plan(rule(), resources=[bench.table()], role=bench.role())
        bench.sandbox.faults.backup_jobs("LOST", on=datetime(2026, 1, 3).date())
        bench.advance(days=3)
        assert [job["CreationDate"].day for job in bench.jobs()] == [2, 4]

    def test_an_expired_job_ends_with_its_window(self, bench: Bench) -> None:
        bench.vault()
        bench.plan(rule(), resources=[bench.table()], role=bench.role())
        bench.sandbox.faults.backup_jobs("EXPIRED")
        bench.advance(days=1)
        assert bench.jobs()[0]["CompletionDate"] == datetime(2026, 1, 2, 2, tzinfo=UTC)


def test_a_point_can_vanish_from_a_locked_vault(bench: Bench) -> None:
    bench.vault(MinRetentionDays=1)
    start(bench, bench.table(), bench.role(), Lifecycle={"DeleteAfterDays": 35})
    bench.advance(hours=1)
    arn = bench.points()[0]["RecoveryPointArn"]
    bench.sandbox.delete_point(arn)
    assert bench.points() == []
    with pytest.raises(UsageError, match="there is no recovery point"):
        bench.sandbox.delete_point(arn)


def test_a_recreated_table_has_another_id_and_the_old_points_stay(bench: Bench) -> None:
    bench.vault()
    arn = bench.table()
    before = bench.dynamodb.describe_table(TableName="orders")["Table"]["TableId"]
    start(bench, arn, bench.role())
    bench.advance(hours=1)
    bench.dynamodb.delete_table(TableName="orders")
    bench.table()
    assert bench.dynamodb.describe_table(TableName="orders")["Table"]["TableId"] != before
    assert [point["ResourceArn"] for point in bench.points()] == [arn]


def test_filters(bench: Bench) -> None:
    bench.vault()
    bench.vault("dr", region=DR)
    arn = bench.table()
    action = {"DestinationBackupVaultArn": DR_VAULT}
    plan_id = bench.plan(rule(CopyActions=[action]), resources=[arn], role=bench.role())
    bench.advance(days=4)
    noon = datetime(2026, 1, 3, 12, tzinfo=UTC)

    def jobs(**by: Any) -> int:
        return len(bench.backup.list_backup_jobs(**by)["BackupJobs"])

    def copies(**by: Any) -> int:
        return len(bench.backup.list_copy_jobs(**by)["CopyJobs"])

    def points(**by: Any) -> int:
        return len(bench.backup.list_recovery_points_by_backup_vault(BackupVaultName="vault", **by)["RecoveryPoints"])

    for count in (jobs, copies):
        assert count(ByCreatedAfter=noon) == 2
        assert count(ByCreatedBefore=noon) == 2
        assert count(ByCompleteAfter=noon) == 2
        assert count(ByState="COMPLETED") == 4
        assert count(ByState="FAILED") == 0
        assert count(ByResourceArn=arn) == 4
        assert count(ByResourceArn=arn + "x") == 0
        assert count(ByResourceType="EBS") == 0
        assert count(ByAccountId=OTHER) == 0
        assert count(ByMessageCategory="SUCCESS") == 4
        assert count(ByMessageCategory="ACCESSDENIED") == 0
    assert (jobs(ByBackupVaultName="vault"), jobs(ByBackupVaultName="other")) == (4, 0)
    assert (copies(ByDestinationVaultArn=DR_VAULT), copies(ByDestinationVaultArn="x")) == (4, 0)
    assert (points(ByCreatedAfter=noon), points(ByBackupPlanId=plan_id), points(ByResourceType="EBS")) == (2, 4, 0)
    assert len(bench.backup.list_recovery_points_by_resource(ResourceArn=arn)["RecoveryPoints"]) == 4
