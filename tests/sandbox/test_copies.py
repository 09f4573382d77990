"""Copy jobs: where they go, when, and what refuses them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, DR, DR_VAULT, OTHER, Bench, rule, start


class TestCopies:
    def bench_with_copies(self, bench: Bench, **copy: Any) -> None:
        action = {"DestinationBackupVaultArn": DR_VAULT, **copy}
        bench.vault()
        bench.plan(rule(CopyActions=[action]), resources=[bench.table()], role=bench.role())

    def test_each_backup_arrives_in_the_other_region(self, bench: Bench) -> None:
        bench.vault("dr", region=DR)
        self.bench_with_copies(bench, Lifecycle={"DeleteAfterDays": 60})
        bench.advance(days=3)
        jobs, copied = bench.copy_jobs(), bench.points("dr", region=DR)
        assert [job["State"] for job in jobs] == ["COMPLETED"] * 3
        assert [job["DestinationRecoveryPointArn"] for job in jobs] == [point["RecoveryPointArn"] for point in copied]
        point = copied[0]
        vault = bench.sandbox.client("backup", region=DR).describe_backup_vault(BackupVaultName="dr")
        assert point["EncryptionKeyArn"] == vault["EncryptionKeyArn"]
        assert point["Lifecycle"] == {"DeleteAfterDays": 60}
        assert point["SourceBackupVaultArn"].endswith("backup-vault:vault")
        assert point["ResourceArn"].startswith("arn:aws:dynamodb:us-east-1:")
        assert point["CreatedBy"] == bench.points()[0]["CreatedBy"]

    def test_without_a_lifecycle_a_copy_follows_its_source(self, bench: Bench) -> None:
        bench.vault("dr", region=DR)
        self.bench_with_copies(bench)
        bench.advance(days=1)
        assert bench.points("dr", region=DR)[0]["Lifecycle"] == {"DeleteAfterDays": 30}

    def test_a_missing_vault_fails_the_copy_not_the_backup(self, bench: Bench) -> None:
        self.bench_with_copies(bench)
        bench.advance(days=1)
        [job] = bench.copy_jobs()
        assert (job["State"], bench.jobs()[0]["State"]) == ("FAILED", "COMPLETED")
        assert "does not exist" in job["StatusMessage"]

    def test_the_destinations_lock_fails_the_copy(self, bench: Bench) -> None:
        bench.vault("dr", region=DR, MinRetentionDays=31)
        self.bench_with_copies(bench)
        bench.advance(days=1)
        assert "minimum of 31 days" in bench.copy_jobs()[0]["StatusMessage"]

    def test_cold_points_are_not_copied_to_another_region(self, bench: Bench) -> None:
        bench.vault()
        bench.vault("dr", region=DR)
        role = bench.role()
        start(bench, bench.table(), role, Lifecycle={"MoveToColdStorageAfterDays": 1, "DeleteAfterDays": 91})
        bench.advance(days=2)
        bench.backup.start_copy_job(
            RecoveryPointArn=bench.points()[0]["RecoveryPointArn"],
            SourceBackupVaultName="vault",
            DestinationBackupVaultArn=DR_VAULT,
            IamRoleArn=role,
        )
        bench.advance(hours=1)
        assert "cold storage cannot be copied" in bench.copy_jobs()[0]["StatusMessage"]

    @pytest.mark.parametrize(
        ("organized", "enabled", "allowed", "customer_keys", "problem"),
        [
            (True, True, True, True, None),
            (False, True, True, True, "do not belong to the same organization"),
            (True, False, True, True, "is not enabled in the organization"),
            (True, True, False, True, "does not allow backup:CopyIntoBackupVault"),
            (True, True, True, False, "is managed by AWS"),
        ],
    )
    def test_across_accounts(
        self, bench: Bench, organized: bool, enabled: bool, allowed: bool, customer_keys: bool, problem: str | None
    ) -> None:
        bench.sandbox.organize(OTHER)
        if enabled:
            bench.backup.update_global_settings(GlobalSettings={"isCrossAccountBackupEnabled": "true"})
        if not organized:
            bench.sandbox.world.organization = frozenset()
        there = bench.sandbox.client("backup", account=OTHER)
        for backup, kms, name in (
            (bench.backup, bench.sandbox.client("kms"), "vault"),
            (there, bench.sandbox.client("kms", account=OTHER), "theirs"),
        ):
            key = {"EncryptionKeyArn": kms.create_key()["KeyMetadata"]["Arn"]} if customer_keys else {}
            backup.create_backup_vault(BackupVaultName=name, **key)
        if allowed:
            statement = {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "backup:CopyIntoBackupVault",
                "Resource": "*",
            }
            there.put_backup_vault_access_policy(
                BackupVaultName="theirs", Policy=json.dumps({"Statement": [statement]})
            )
        action = {"DestinationBackupVaultArn": f"arn:aws:backup:us-east-1:{OTHER}:backup-vault:theirs"}
        bench.plan(rule(CopyActions=[action]), resources=[bench.table()], role=bench.role())
        bench.advance(days=1)
        [job] = bench.copy_jobs()
        if problem is None:
            assert job["State"] == "COMPLETED"
            assert len(bench.points("theirs", account=OTHER)) == 1
        else:
            assert job["State"] == "FAILED"
            assert problem in job["StatusMessage"]

    def test_faults(self, bench: Bench) -> None:
        bench.vault("dr", region=DR)
        self.bench_with_copies(bench)
        bench.sandbox.faults.copy_jobs("FAILED", on=datetime(2026, 1, 2).date(), message="no room")
        bench.sandbox.faults.copy_jobs("LOST", on=datetime(2026, 1, 3).date())
        bench.sandbox.faults.copy_lag = timedelta(hours=30)
        bench.advance(days=4)
        assert [(job["State"], job.get("StatusMessage")) for job in bench.copy_jobs()] == [
            ("FAILED", "no room"),
            ("COMPLETED", None),
            ("RUNNING", None),
        ]

    def test_a_wrong_vault_or_point_is_not_found(self, bench: Bench) -> None:
        bench.vault()
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            bench.backup.start_copy_job(
                RecoveryPointArn="arn:aws:backup:us-east-1:1:recovery-point:x",
                SourceBackupVaultName="vault",
                DestinationBackupVaultArn=DR_VAULT,
                IamRoleArn=bench.role(),
            )
