"""Backups that DynamoDB itself keeps: those on demand, and `<table>$DeletedTableBackup`.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html: a table that is
deleted with point-in-time recovery on leaves a SYSTEM backup for 35 days.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Backup

from backcheck.sandbox import dynamodb, point_in_time, restored, tables
from backcheck.sandbox.item_text import written
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.refusal import Refusal
from backcheck.sandbox.restored import Restored, Settings
from backcheck.sandbox.world import Region

SYSTEM_KEPT = timedelta(days=35)
PAGE = 100


@operation("dynamodb", "DeleteTable")
def delete_table(call: Call) -> Reply:
    """The table is gone at once, whereas AWS takes a moment."""
    call.response.dynamodb_backend.get_table(call.params["TableName"])  # refuses one that is not there
    table = dynamodb.table_named(call, call.params["TableName"])
    description = {**dynamodb.described(call, table), "TableStatus": "DELETING"}
    known = call.region.continuous.get(tables.table_id(table))
    items = [written(item.attrs) for item in table.all_items()] if known is not None else []
    call.response.delete_table()  # refuses one that is protected
    if known is not None:
        _keep(call, table, items)
    tables.forget_table(call.region, tables.table_id(table))
    return {"TableDescription": description}


def _keep(call: Call, table: Any, items: list[str]) -> None:
    bare = copy.copy(table)
    bare.items = {}
    backup: Any = Backup(
        call.region.account, call.region.name, f"{table.name}$DeletedTableBackup", bare, type_="SYSTEM"
    )
    backup.sandbox_items = items
    backups = _backups(call.region)
    backups[backup.arn] = backup
    call.world.clock.after(SYSTEM_KEPT, lambda: backups.pop(backup.arn, None))


@operation("dynamodb", "ListBackups")
def list_backups(call: Call) -> Reply:
    """USER backups unless another type is asked for; AWS Backup's own are never among them."""
    params, wanted = call.params, call.params.get("BackupType", "USER")
    name = params.get("TableName", "").rsplit("/", 1)[-1]
    found = [
        backup
        for backup in _backups(call.region).values()
        if (wanted == "ALL" or backup.type == wanted)
        and name in ("", backup.table.name)
        and _within(backup, params.get("TimeRangeLowerBound"), params.get("TimeRangeUpperBound"))
    ]
    arns = [backup.arn for backup in found]
    start = arns.index(params["ExclusiveStartBackupArn"]) + 1 if params.get("ExclusiveStartBackupArn") in arns else 0
    end = start + params.get("Limit", PAGE)
    more = {"LastEvaluatedBackupArn": arns[end - 1]} if end < len(found) else {}
    return {"BackupSummaries": [_summary(backup) for backup in found[start:end]], **more}


@operation("dynamodb", "RestoreTableFromBackup")
def restore(call: Call) -> Reply:
    """A new table with the items and the settings of the backup."""
    params, region = call.params, call.region
    backup: Any = _backups(region).get(params["BackupArn"])
    if backup is None:
        raise Refusal("BackupNotFoundException", f"Backup not found: {params['BackupArn']}")
    settings = point_in_time.overridden(call, Settings.of(backup.table))
    restored.refuse_target(region, params["TargetTableName"], call.now)
    origin = Restored(
        source_table_arn=backup.table.table_arn,
        source_backup_arn=backup.arn,
        as_of=_created(backup),
        active=call.now + restored.duration(call.world, params["TargetTableName"]),
    )
    table = restored.create(region, params["TargetTableName"], settings, _items(backup), origin)
    return {"TableDescription": dynamodb.described(call, table)}


def _backups(region: Region) -> dict[str, Any]:
    backups: dict[str, Any] = dynamodb_backends[region.account][region.name].backups
    return backups


def _items(backup: Any) -> list[str]:
    if "sandbox_items" in backup.__dict__:
        kept: list[str] = backup.sandbox_items
        return kept
    return [written(item.attrs) for item in backup.table.all_items()]


def _created(backup: Any) -> datetime:
    created: datetime = backup.creation_date_time
    return created.replace(tzinfo=UTC)


def _within(backup: Any, lower: datetime | None, upper: datetime | None) -> bool:
    """'Start time is inclusive, but end time is exclusive.'"""
    created = _created(backup)
    return (lower is None or point_in_time.aware(lower) <= created) and (
        upper is None or created < point_in_time.aware(upper)
    )


def _summary(backup: Any) -> dict[str, Any]:
    expires = {"BackupExpiryDateTime": _created(backup) + SYSTEM_KEPT} if backup.type == "SYSTEM" else {}
    size = sum(map(len, _items(backup)))
    stated = {**backup.summary, "TableId": tables.table_id(backup.table), "BackupSizeBytes": size}
    return {**stated, "BackupCreationDateTime": _created(backup), **expires}
