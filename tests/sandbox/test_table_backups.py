"""A table that is deleted with point-in-time recovery on can be brought back."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import START, Bench
from .test_point_in_time import content, finished, recovered, rich


def system_backups(bench: Bench) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bench.dynamodb.list_backups(BackupType="SYSTEM")["BackupSummaries"]
    return found


def test_it_comes_back_with_its_items(bench: Bench) -> None:
    arn = bench.table(items=3)
    recovered(bench)
    before = content(bench, "orders")
    gone = bench.dynamodb.delete_table(TableName="orders")["TableDescription"]
    assert gone["TableStatus"] == "DELETING"
    [backup] = system_backups(bench)
    assert (backup["BackupName"], backup["BackupType"]) == ("orders$DeletedTableBackup", "SYSTEM")
    assert backup["TableId"] == gone["TableId"]
    assert (backup["BackupExpiryDateTime"] - START).days == 35
    assert bench.dynamodb.list_backups()["BackupSummaries"] == []
    restored = bench.dynamodb.restore_table_from_backup(TargetTableName="orders", BackupArn=backup["BackupArn"])
    assert restored["TableDescription"]["TableStatus"] == "CREATING"
    summary = finished(bench, "orders")["RestoreSummary"]
    assert (summary["SourceBackupArn"], summary["SourceTableArn"]) == (backup["BackupArn"], arn)
    assert content(bench, "orders") == before


def test_it_is_kept_for_35_days(bench: Bench) -> None:
    bench.table()
    recovered(bench)
    bench.dynamodb.delete_table(TableName="orders")
    bench.advance(days=34, hours=23)
    assert len(system_backups(bench)) == 1
    bench.advance(hours=1)
    assert system_backups(bench) == []


def test_without_recovery_nothing_is_left(bench: Bench) -> None:
    bench.table()
    bench.dynamodb.delete_table(TableName="orders")
    assert system_backups(bench) == []


def test_a_protected_table_stays_and_leaves_no_backup(bench: Bench) -> None:
    rich(bench)
    with pytest.raises(ClientError, match="DeletionProtectionEnabled"):
        bench.dynamodb.delete_table(TableName="orders")
    assert bench.dynamodb.list_tables()["TableNames"] == ["orders"]
    assert system_backups(bench) == []


def test_a_table_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        bench.dynamodb.delete_table(TableName="orders")


def test_a_table_of_the_same_name_has_no_history_of_the_old_one(bench: Bench) -> None:
    bench.table()
    recovered(bench)
    bench.dynamodb.delete_table(TableName="orders")
    bench.table()
    [region] = [region for region in bench.sandbox.world.regions() if region.name == "us-east-1"]
    assert (region.histories, region.continuous) == ({}, {})


def test_a_backup_on_demand(bench: Bench) -> None:
    bench.table(items=2)
    before = content(bench, "orders")
    arn = bench.dynamodb.create_backup(TableName="orders", BackupName="mine")["BackupDetails"]["BackupArn"]
    bench.dynamodb.delete_item(TableName="orders", Key={"id": {"S": "00000"}})
    bench.dynamodb.restore_table_from_backup(TargetTableName="restored", BackupArn=arn)
    finished(bench, "restored")
    assert content(bench, "restored") == before
    assert [row["BackupName"] for row in bench.dynamodb.list_backups(TableName="orders")["BackupSummaries"]] == ["mine"]


def test_pages(bench: Bench) -> None:
    bench.table()
    for number in range(3):
        bench.dynamodb.create_backup(TableName="orders", BackupName=f"b-{number}")
    first = bench.dynamodb.list_backups(Limit=2)
    rest = bench.dynamodb.list_backups(ExclusiveStartBackupArn=first["LastEvaluatedBackupArn"])
    names = [row["BackupName"] for row in first["BackupSummaries"] + rest["BackupSummaries"]]
    assert (names, "LastEvaluatedBackupArn" in rest) == (["b-0", "b-1", "b-2"], False)


def test_a_backup_that_is_not_there(bench: Bench) -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/backup/01489602797149-73d8d5bc"
    with pytest.raises(ClientError, match="BackupNotFoundException"):
        bench.dynamodb.restore_table_from_backup(TargetTableName="restored", BackupArn=arn)
