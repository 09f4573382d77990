"""The restore function, run by ministack's Lambda; what it starts is carried out by the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.emulators import ACCOUNT, DR, PRIMARY, until
from tests.e2e.stacks import Stack
from tests.e2e.stage import PRODUCTS, Stage, active, invoke

pytestmark = pytest.mark.e2e

NEVER = f"arn:aws:backup:{PRIMARY}:{ACCOUNT}:recovery-point:11111111-1111-1111-1111-111111111111"


def newest_point(played: Stage, vault: str, region: str) -> str:
    backup = played.aws.client("backup", region)
    points = backup.list_recovery_points_by_backup_vault(BackupVaultName=vault)["RecoveryPoints"]
    newest = max((one for one in points if one["Status"] == "COMPLETED"), key=lambda one: one["CreationDate"])
    return str(newest["RecoveryPointArn"])


def test_the_latest_restorable_time_comes_back(stacks: dict[str, Stack], played: Stage) -> None:
    came_back, said = invoke(
        played, "techmoda-restore-backup", {"restoreType": "PITR", "useLatestRestorableTime": "true"}
    )
    assert came_back, said
    assert said["targetTableName"].startswith("restored-techmoda-products-")
    assert active(played, said["targetTableName"]) == PRODUCTS


def job_ended(played: Stage, job_id: str, region: str) -> dict[str, Any]:
    """A restore job that is over; looking lets the sandbox's time pass."""
    backup = played.aws.client("backup", region)

    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = backup.describe_restore_job(RestoreJobId=job_id)
        return None if job["Status"] in ("PENDING", "RUNNING") else job

    return until(look, f"the end of restore job {job_id}")


def test_a_recovery_point_comes_back(stacks: dict[str, Stack], played: Stage) -> None:
    event = {"restoreType": "BACKUP", "recoveryPointArn": newest_point(played, "techmoda-vault", PRIMARY)}
    came_back, said = invoke(played, "techmoda-restore-backup", {**event, "targetTableName": "restored-from-a-point"})
    assert came_back, said
    job = job_ended(played, said["restoreJobId"], PRIMARY)
    assert job["Status"] == "COMPLETED", job
    assert active(played, "restored-from-a-point") == PRODUCTS


@pytest.fixture
def same_key(stacks: dict[str, Stack], played: Stage) -> None:
    """Keys have random ids: the DR region's function is told the one that the vault has in the account it calls."""
    functions = played.ministack.client("lambda", DR)
    made = functions.get_function_configuration(FunctionName="techmoda-restore-backup-dr")["Environment"]["Variables"]
    vault = played.aws.client("backup", DR).describe_backup_vault(BackupVaultName="techmoda-vault-dr")
    variables = {**made, "RESTORED_TABLE_KEY_ARN": vault["EncryptionKeyArn"]}
    functions.update_function_configuration(
        FunctionName="techmoda-restore-backup-dr", Environment={"Variables": variables}
    )


@pytest.mark.usefixtures("same_key")
def test_a_copy_comes_back_in_the_dr_region(played: Stage) -> None:
    event = {"restoreType": "BACKUP", "recoveryPointArn": newest_point(played, "techmoda-vault-dr", DR)}
    came_back, said = invoke(played, "techmoda-restore-backup-dr", event, DR)
    assert came_back, said
    job = job_ended(played, said["restoreJobId"], DR)
    assert job["Status"] == "COMPLETED", job
    assert active(played, said["targetTableName"], DR) == PRODUCTS


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({}, "restoreType is ''"),
        ({"restoreType": "PITR"}, "no time to restore to"),
        ({"restoreType": "PITR", "restoreDateTime": "2020-01-01T00:00:00Z"}, "is outside what can be restored: 20"),
        ({"restoreType": "BACKUP", "recoveryPointArn": NEVER}, NEVER),
        ({"restoreType": "PITR", "useLatestRestorableTime": True, "targetTableName": "techmoda-products"}, "restored-"),
    ],
)
def test_a_restore_that_cannot_be_is_a_failed_invocation_with_the_reason(
    event: dict[str, object], says: str, stacks: dict[str, Stack], played: Stage
) -> None:
    came_back, said = invoke(played, "techmoda-restore-backup", event)
    assert not came_back
    assert says in said["errorMessage"]


def test_a_table_that_is_not_there_is_named(orphan: Stack, played: Stage) -> None:
    came_back, said = invoke(played, "orphan-restore-backup", {"restoreType": "PITR", "useLatestRestorableTime": True})
    assert not came_back
    assert "TableNotFoundException" in said["errorMessage"]
    assert "orphan-products" in said["errorMessage"]


def test_the_dr_regions_function_restores_no_point_in_time(stacks: dict[str, Stack], played: Stage) -> None:
    event = {"restoreType": "PITR", "useLatestRestorableTime": True}
    came_back, said = invoke(played, "techmoda-restore-backup-dr", event, DR)
    assert not came_back
    assert f"point-in-time recovery of techmoda-products works in {PRIMARY} only" in said["errorMessage"]
