from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.functions.building import NOW, POINT_ARN, ROLE_ARN, SETTINGS, SOURCE_ARN, continuous, stubbed

from backcheck.errors import Error, UsageError
from functions.restore import FromRecoveryPoint, Request, Settings, ToPointInTime, Window, parse, pitr_call, start

EARLIEST, LATEST = NOW - timedelta(days=35), NOW - timedelta(minutes=5)
TARGET = "restored-shop-products-20261122T093000Z"
DR = replace(SETTINGS, region="us-west-2", restored_table_key_arn="arn:aws:kms:us-west-2:111122223333:key/there")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"restoreType": "PITR", "useLatestRestorableTime": True}, ToPointInTime(target_table=TARGET, at=None)),
        ({"restoreType": "PITR", "useLatestRestorableTime": "true"}, ToPointInTime(target_table=TARGET, at=None)),
        (
            {"restoreType": "PITR", "useLatestRestorableTime": "false", "restoreDateTime": "2026-11-20T00:00:00Z"},
            ToPointInTime(target_table=TARGET, at=datetime(2026, 11, 20, tzinfo=UTC)),
        ),
        (
            {"restoreType": "BACKUP", "recoveryPointArn": POINT_ARN},
            FromRecoveryPoint(target_table=TARGET, recovery_point_arn=POINT_ARN),
        ),
        (
            {"restoreType": "BACKUP", "recoveryPointArn": POINT_ARN, "targetTableName": "restored-by-hand"},
            FromRecoveryPoint(target_table="restored-by-hand", recovery_point_arn=POINT_ARN),
        ),
    ],
)
def test_the_labs_events_are_understood(event: dict[str, object], expected: Request) -> None:
    assert parse(event, SETTINGS, NOW) == expected


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "restoreType is ''"),
        ({"restoreType": "pitr"}, "restoreType is 'pitr'"),
        ({"restoreType": "PITR"}, "no time to restore to"),
        ({"restoreType": "PITR", "useLatestRestorableTime": "false"}, "no time to restore to"),
        ({"restoreType": "PITR", "useLatestRestorableTime": "maybe"}, "neither true nor false"),
        ({"restoreType": "PITR", "restoreDateTime": "2026-11-20"}, "without an offset"),
        (
            {"restoreType": "PITR", "useLatestRestorableTime": True, "restoreDateTime": "2026-11-20T00:00:00Z"},
            "contradict each other",
        ),
        ({"restoreType": "BACKUP"}, "no recoveryPointArn"),
        ({"restoreType": "BACKUP", "recoveryPointArn": "latest"}, "is no recovery point of us-east-1"),
        (
            {"restoreType": "BACKUP", "recoveryPointArn": POINT_ARN.replace("us-east-1", "us-west-2")},
            "is no recovery point of us-east-1",
        ),
        (
            {"restoreType": "BACKUP", "recoveryPointArn": POINT_ARN, "targetTableName": "shop-products"},
            "targetTableName is 'shop-products'",
        ),
        (
            {"restoreType": "BACKUP", "recoveryPointArn": POINT_ARN, "targetTableName": "restored-" + "x" * 250},
            "259 characters",
        ),
        (
            {"restoreType": "PITR", "useLatestRestorableTime": True, "targetTableName": "restored-2026-11-22T09:30"},
            "'restored-2026-11-22T09:30' is no table's name",
        ),
    ],
)
def test_an_event_that_cannot_be_carried_out_says_why(event: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(event, SETTINGS, NOW)


def test_point_in_time_is_refused_where_the_table_is_not() -> None:
    with pytest.raises(UsageError, match="works in us-east-1 only"):
        parse({"restoreType": "PITR", "useLatestRestorableTime": True}, DR, NOW)


@pytest.mark.parametrize(
    ("at", "window", "message"),
    [
        (None, Window(enabled=False, earliest=None, latest=None), "is off"),
        (NOW, Window(enabled=True, earliest=None, latest=None), "no time can be restored to yet"),
        (NOW, Window(enabled=True, earliest=EARLIEST, latest=LATEST), "outside what can be restored"),
        (EARLIEST - timedelta(seconds=1), Window(enabled=True, earliest=EARLIEST, latest=LATEST), "outside"),
    ],
)
def test_a_time_that_cannot_be_restored_to_is_refused(at: datetime | None, window: Window, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        pitr_call(ToPointInTime(target_table=TARGET, at=at), window, SETTINGS)


@pytest.mark.parametrize("at", [EARLIEST, LATEST])
def test_the_windows_ends_belong_to_it(at: datetime) -> None:
    call = pitr_call(
        ToPointInTime(target_table=TARGET, at=at), Window(enabled=True, earliest=EARLIEST, latest=LATEST), SETTINGS
    )
    assert call["RestoreDateTime"] == at


@pytest.mark.parametrize(
    ("at", "time_arguments"), [(None, {"UseLatestRestorableTime": True}), (LATEST, {"RestoreDateTime": LATEST})]
)
def test_a_time_or_the_latest_is_sent_never_both(at: datetime | None, time_arguments: dict[str, Any]) -> None:
    expected = {"SourceTableName": "shop-products", "TargetTableName": TARGET, **time_arguments}
    with stubbed() as stubs:
        stubs.of_dynamodb.add_response("describe_continuous_backups", continuous(earliest=EARLIEST, latest=LATEST))
        stubs.of_dynamodb.add_response("restore_table_to_point_in_time", {}, expected)
        started = start(ToPointInTime(target_table=TARGET, at=at), SETTINGS, stubs.clients)
    assert started == {"targetTableName": TARGET}


@pytest.mark.parametrize(
    ("settings", "encryption"),
    [
        (SETTINGS, {"encryptionType": "Default"}),
        (
            replace(SETTINGS, restored_table_key_arn="arn:aws:kms:us-east-1:111122223333:key/k"),
            {"encryptionType": "KMS", "kmsMasterKeyArn": "arn:aws:kms:us-east-1:111122223333:key/k"},
        ),
    ],
)
def test_a_recovery_point_is_restored_by_metadata_with_a_role(settings: Settings, encryption: dict[str, str]) -> None:
    described = {"ResourceArn": SOURCE_ARN, "Status": "COMPLETED"}
    expected = {
        "RecoveryPointArn": POINT_ARN,
        "Metadata": {"targetTableName": TARGET, **encryption},
        "IamRoleArn": ROLE_ARN,
        "ResourceType": "DynamoDB",
        "IdempotencyToken": TARGET,
    }
    with stubbed() as stubs:
        asked = {"BackupVaultName": "shop-vault", "RecoveryPointArn": POINT_ARN}
        stubs.of_backup.add_response("describe_recovery_point", described, asked)
        stubs.of_backup.add_response("start_restore_job", {"RestoreJobId": "job-1"}, expected)
        request = FromRecoveryPoint(target_table=TARGET, recovery_point_arn=POINT_ARN)
        assert start(request, settings, stubs.clients) == {"targetTableName": TARGET, "restoreJobId": "job-1"}


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"ResourceArn": SOURCE_ARN + "-other", "Status": "COMPLETED"}, "not of"),
        ({"ResourceArn": SOURCE_ARN, "Status": "EXPIRED"}, "is EXPIRED"),
        ({"ResourceArn": SOURCE_ARN}, "is None"),
    ],
)
def test_another_tables_point_or_an_unusable_one_is_not_restored(described: dict[str, str], message: str) -> None:
    with stubbed() as stubs:
        stubs.of_backup.add_response("describe_recovery_point", described)
        with pytest.raises(UsageError, match=message):
            start(FromRecoveryPoint(target_table=TARGET, recovery_point_arn=POINT_ARN), SETTINGS, stubs.clients)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(Error, match="no RESTORED_TABLE_PREFIX"):
        Settings.read({"SOURCE_TABLE_ARN": SOURCE_ARN})
