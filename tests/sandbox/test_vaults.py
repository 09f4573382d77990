"""Vaults: names, keys, policies, notifications, and the lock, enforced."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backcheck.sandbox import Sandbox

from .conftest import ACCOUNT, DR, Bench, rule


def deny(*actions: str, but: str = "") -> str:
    statement: dict[str, object] = {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": "*"}
    if but:
        statement["Condition"] = {"ArnNotEquals": {"aws:PrincipalArn": but}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_new_vault_is_available_unlocked_and_encrypted_with_the_managed_key(bench: Bench) -> None:
    bench.vault()
    vault = bench.backup.describe_backup_vault(BackupVaultName="vault")
    assert (vault["VaultState"], vault["VaultType"], vault["Locked"]) == ("AVAILABLE", "BACKUP_VAULT", False)
    key = bench.sandbox.client("kms").describe_key(KeyId=vault["EncryptionKeyArn"])["KeyMetadata"]
    assert (key["KeyManager"], key["KeyState"]) == ("AWS", "Enabled")
    assert "EncryptionKeyType" not in vault


def test_a_customer_key_is_kept_and_must_be_usable_here(bench: Bench) -> None:
    here = bench.sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    there = bench.sandbox.client("kms", region=DR).create_key()["KeyMetadata"]["Arn"]
    bench.backup.create_backup_vault(BackupVaultName="vault", EncryptionKeyArn=here)
    vault = bench.backup.describe_backup_vault(BackupVaultName="vault")
    assert (vault["EncryptionKeyArn"], vault["EncryptionKeyType"]) == (here, "CUSTOMER_MANAGED_KMS_KEY")
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*it is in us-west-2, not in us-east-1"):
        bench.backup.create_backup_vault(BackupVaultName="other", EncryptionKeyArn=there)


@pytest.mark.parametrize("name", ["v", "v!", "a" * 51, "with space"])
def test_a_name_that_the_pattern_forbids_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        bench.backup.create_backup_vault(BackupVaultName=name)


def test_a_name_is_taken_once(bench: Bench) -> None:
    bench.vault()
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        bench.vault()
    bench.vault(region=DR)


@pytest.mark.parametrize(
    "operation",
    [
        "describe_backup_vault",
        "delete_backup_vault",
        "get_backup_vault_access_policy",
        "list_recovery_points_by_backup_vault",
    ],
)
def test_a_vault_that_is_not_there_is_not_found(bench: Bench, operation: str) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        getattr(bench.backup, operation)(BackupVaultName="missing")


def test_there_are_at_most_300_vaults(bench: Bench) -> None:
    for number in range(300):
        bench.vault(f"vault-{number}")
    with pytest.raises(ClientError, match="LimitExceededException"):
        bench.vault("one-more")


class TestNotifications:
    def test_they_are_kept(self, bench: Bench) -> None:
        bench.vault()
        topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
        bench.backup.put_backup_vault_notifications(
            BackupVaultName="vault", SNSTopicArn=topic, BackupVaultEvents=["BACKUP_JOB_COMPLETED"]
        )
        reply = bench.backup.get_backup_vault_notifications(BackupVaultName="vault")
        assert (reply["SNSTopicArn"], reply["BackupVaultEvents"]) == (topic, ["BACKUP_JOB_COMPLETED"])

    def test_without_any_they_are_not_found(self, bench: Bench) -> None:
        bench.vault()
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            bench.backup.get_backup_vault_notifications(BackupVaultName="vault")


class TestAccessPolicy:
    def test_it_is_kept_word_for_word(self, bench: Bench) -> None:
        bench.vault()
        bench.backup.put_backup_vault_access_policy(BackupVaultName="vault", Policy=deny("backup:DeleteRecoveryPoint"))
        reply = bench.backup.get_backup_vault_access_policy(BackupVaultName="vault")
        assert reply["Policy"] == deny("backup:DeleteRecoveryPoint")

    def test_without_one_it_is_not_found(self, bench: Bench) -> None:
        bench.vault()
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            bench.backup.get_backup_vault_access_policy(BackupVaultName="vault")

    @pytest.mark.parametrize("policy", ["no json", "{}", deny("backup:Delete*"), '{"Statement": [{"Effect": "Deny"}]}'])
    def test_what_is_no_vault_policy_is_refused(self, bench: Bench, policy: str) -> None:
        bench.vault()
        with pytest.raises(ClientError, match="InvalidParameterValueException"):
            bench.backup.put_backup_vault_access_policy(BackupVaultName="vault", Policy=policy)

    def test_it_denies_all_but_the_exception(self, bench: Bench) -> None:
        bench.vault()
        arn, role = bench.table(), bench.role()
        glass = bench.role("glass")
        bench.backup.start_backup_job(BackupVaultName="vault", ResourceArn=arn, IamRoleArn=role)
        bench.advance(hours=1)
        [point] = bench.points()
        which = {"BackupVaultName": "vault", "RecoveryPointArn": point["RecoveryPointArn"]}
        bench.backup.put_backup_vault_access_policy(
            BackupVaultName="vault", Policy=deny("backup:DeleteRecoveryPoint", but=glass)
        )
        with pytest.raises(ClientError, match=r"AccessDeniedException.*explicit deny in a resource-based policy"):
            bench.backup.delete_recovery_point(**which)
        bench.sandbox.session(role="glass").client("backup").delete_recovery_point(**which)
        assert bench.points() == []


class TestLock:
    @pytest.mark.parametrize(
        ("lock", "message"),
        [
            ({"MinRetentionDays": 0}, "at least 1 day"),
            ({"MaxRetentionDays": 36_501}, "from 1 to 36500"),
            ({"MinRetentionDays": 31, "MaxRetentionDays": 30}, "cannot be greater"),
            ({"ChangeableForDays": 2}, "from 3 to 36500"),
            ({"ChangeableForDays": 36_501}, "from 3 to 36500"),
        ],
    )
    def test_bounds(self, bench: Bench, lock: dict[str, Any], message: str) -> None:
        with pytest.raises(ClientError, match=f"InvalidParameterValueException.*{message}"):
            bench.vault("vault", **lock)

    def test_governance_has_no_lock_date_and_can_be_removed(self, bench: Bench) -> None:
        bench.vault(MinRetentionDays=7, MaxRetentionDays=30)
        vault = bench.backup.describe_backup_vault(BackupVaultName="vault")
        assert (vault["Locked"], vault["MinRetentionDays"], vault["MaxRetentionDays"]) == (True, 7, 30)
        assert "LockDate" not in vault
        bench.advance(days=1000)
        bench.backup.delete_backup_vault_lock_configuration(BackupVaultName="vault")
        assert bench.backup.describe_backup_vault(BackupVaultName="vault")["Locked"] is False

    def test_compliance_is_immutable_from_its_lock_date_on(self, bench: Bench) -> None:
        bench.vault(MinRetentionDays=7, ChangeableForDays=3)
        bench.advance(days=2, hours=23)
        bench.backup.put_backup_vault_lock_configuration(
            BackupVaultName="vault", MinRetentionDays=8, ChangeableForDays=3
        )
        bench.advance(days=3)
        changes: tuple[Callable[[], Any], ...] = (
            lambda: bench.backup.delete_backup_vault_lock_configuration(BackupVaultName="vault"),
            lambda: bench.backup.put_backup_vault_lock_configuration(BackupVaultName="vault", MinRetentionDays=1),
        )
        for change in changes:
            with pytest.raises(ClientError, match=r"InvalidRequestException.*immutable"):
                change()
        assert bench.backup.describe_backup_vault(BackupVaultName="vault")["MinRetentionDays"] == 8

    @pytest.mark.parametrize(
        ("lifecycle", "state", "message"),
        [
            ({"DeleteAfterDays": 6}, "FAILED", "below the vault lock's minimum of 7 days"),
            ({"DeleteAfterDays": 7}, "COMPLETED", None),
            ({"DeleteAfterDays": 30}, "COMPLETED", None),
            ({"DeleteAfterDays": 31}, "FAILED", "exceeds the vault lock's maximum of 30 days"),
            ({}, "FAILED", "Indefinite retention exceeds"),
        ],
    )
    def test_it_fails_backup_jobs_of_other_retentions(
        self, bench: Bench, lifecycle: dict[str, int], state: str, message: str | None
    ) -> None:
        bench.vault(MinRetentionDays=7, MaxRetentionDays=30)
        bench.plan(rule(Lifecycle=lifecycle), resources=[bench.table()], role=bench.role())
        bench.advance(days=1)
        [job] = bench.jobs()
        assert job["State"] == state
        assert message is None or message in job["StatusMessage"]
        assert len(bench.points()) == (state == "COMPLETED")

    def test_nobody_deletes_or_changes_points_not_even_root(self, bench: Bench) -> None:
        bench.vault()
        bench.backup.start_backup_job(BackupVaultName="vault", ResourceArn=bench.table(), IamRoleArn=bench.role())
        bench.advance(hours=1)
        bench.backup.put_backup_vault_lock_configuration(BackupVaultName="vault", MinRetentionDays=1)
        which = {"BackupVaultName": "vault", "RecoveryPointArn": bench.points()[0]["RecoveryPointArn"]}
        with pytest.raises(ClientError, match="the vault is locked"):
            bench.backup.delete_recovery_point(**which)
        with pytest.raises(ClientError, match="the vault is locked"):
            bench.backup.update_recovery_point_lifecycle(**which, Lifecycle={"DeleteAfterDays": 1})
        assert len(bench.points()) == 1


def test_only_an_empty_vault_can_be_deleted(bench: Bench) -> None:
    bench.vault()
    bench.backup.start_backup_job(BackupVaultName="vault", ResourceArn=bench.table(), IamRoleArn=bench.role())
    bench.advance(hours=1)
    with pytest.raises(ClientError, match=r"InvalidRequestException.*contains recovery points"):
        bench.backup.delete_backup_vault(BackupVaultName="vault")
    bench.backup.delete_recovery_point(BackupVaultName="vault", RecoveryPointArn=bench.points()[0]["RecoveryPointArn"])
    bench.backup.delete_backup_vault(BackupVaultName="vault")
    assert bench.backup.list_backup_vaults()["BackupVaultList"] == []


def test_vaults_of_other_accounts_and_regions_are_apart(sandbox: Sandbox) -> None:
    bench = Bench(sandbox)
    bench.vault("here")
    assert sandbox.client("backup", region=DR).list_backup_vaults()["BackupVaultList"] == []
    assert sandbox.client("backup", account="222222222222").list_backup_vaults()["BackupVaultList"] == []
