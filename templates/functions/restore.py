"""Start a restore of the table into a new one: to a point in time, or from a recovery point.

The event, as in the lab: `restoreType` is PITR or BACKUP. PITR takes `restoreDateTime` (ISO 8601 with an offset) or
`useLatestRestorableTime`; BACKUP takes `recoveryPointArn`. `targetTableName` is optional. What goes wrong is raised, so
that a caller sees a failed invocation and never a reply to read between the lines of.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from backcheck.errors import Error, UsageError
from backcheck.inventory.backup import USABLE
from functions.event import Event, flag, moment, text

MAX_TABLE_NAME = 255
_is_table_name = re.compile(r"[a-zA-Z0-9_.-]{3,255}").fullmatch
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the function may restore, and into what; from its environment."""

    source_table_arn: str
    restored_prefix: str
    restore_role_arn: str
    vault_name: str
    region: str
    restored_table_key_arn: str = ""
    """Empty: AWS's own key."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raises Error for a variable that is missing."""
        try:
            return cls(
                source_table_arn=environment["SOURCE_TABLE_ARN"],
                restored_prefix=environment["RESTORED_TABLE_PREFIX"],
                restore_role_arn=environment["RESTORE_ROLE_ARN"],
                vault_name=environment["VAULT_NAME"],
                region=environment["AWS_REGION"],
                restored_table_key_arn=environment.get("RESTORED_TABLE_KEY_ARN", ""),
            )
        except KeyError as error:
            raise Error(f"the function's environment has no {error.args[0]}") from error

    @property
    def source_table(self) -> str:
        """The table's name."""
        return self.source_table_arn.rpartition("/")[2]

    @property
    def source_region(self) -> str:
        """Where the table lives: a DR function restores what another region backed up."""
        return self.source_table_arn.split(":")[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPointInTime:
    """Restore the table as of a time."""

    target_table: str
    at: datetime | None
    """None: the latest restorable time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromRecoveryPoint:
    """Restore a recovery point."""

    target_table: str
    recovery_point_arn: str


Request: TypeAlias = ToPointInTime | FromRecoveryPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """DescribeContinuousBackups: what can be restored to."""

    enabled: bool
    earliest: datetime | None
    latest: datetime | None


def parse(event: Event, settings: Settings, now: datetime) -> Request:
    """What the event asks for. Raises UsageError that says what is wrong in it."""
    match text(event, "restoreType"):
        case "PITR":
            return _to_point_in_time(event, settings, now)
        case "BACKUP":
            return _from_recovery_point(event, settings, now)
        case other:
            raise UsageError(f"restoreType is {other!r}", hint='"PITR" or "BACKUP"')


def _to_point_in_time(event: Event, settings: Settings, now: datetime) -> ToPointInTime:
    if settings.source_region != settings.region:
        raise UsageError(
            f"point-in-time recovery of {settings.source_table} works in {settings.source_region} only",
            hint='restoreType "BACKUP" with a recoveryPointArn of this region',
        )
    at, latest = moment(event, "restoreDateTime"), flag(event, "useLatestRestorableTime")
    if at is not None and latest:
        raise UsageError("restoreDateTime and useLatestRestorableTime contradict each other", hint="give one of them")
    if at is None and not latest:
        raise UsageError("no time to restore to", hint='restoreDateTime, or "useLatestRestorableTime": true')
    return ToPointInTime(target_table=_target(event, settings, now), at=at)


def _from_recovery_point(event: Event, settings: Settings, now: datetime) -> FromRecoveryPoint:
    arn = text(event, "recoveryPointArn")
    if not arn:
        raise UsageError("no recoveryPointArn", hint="'backcheck recover' lists the usable ones")
    if arn.count(":") < 5 or arn.split(":")[3] != settings.region:
        raise UsageError(f"{arn!r} is no recovery point of {settings.region}")
    return FromRecoveryPoint(target_table=_target(event, settings, now), recovery_point_arn=arn)


def _target(event: Event, settings: Settings, now: datetime) -> str:
    asked = text(event, "targetTableName")
    name = asked or f"{settings.restored_prefix}{settings.source_table}-{now:%Y%m%dT%H%M%SZ}"
    if not name.startswith(settings.restored_prefix):
        raise UsageError(f"targetTableName is {name!r}", hint=f"it must begin with {settings.restored_prefix!r}")
    if len(name) > MAX_TABLE_NAME:
        raise UsageError(f"the target's name has {len(name)} characters", hint=f"at most {MAX_TABLE_NAME}")
    if not _is_table_name(name):
        raise UsageError(
            f"{name!r} is no table's name", hint="3 or more letters, digits, underscores, dots and hyphens"
        )
    return name


def pitr_call(request: ToPointInTime, window: Window, settings: Settings) -> dict[str, Any]:
    """RestoreTableToPointInTime's arguments: a time or the latest one, never both. Raises UsageError out of reach."""
    if not window.enabled:
        raise UsageError(f"point-in-time recovery of {settings.source_table} is off", hint="restore a recovery point")
    call: dict[str, Any] = {"SourceTableName": settings.source_table, "TargetTableName": request.target_table}
    if request.at is None:
        return {**call, "UseLatestRestorableTime": True}
    if window.earliest is None or window.latest is None:
        raise UsageError("no time can be restored to yet", hint="point-in-time recovery is minutes old: wait")
    if not window.earliest <= request.at <= window.latest:
        raise UsageError(
            f"restoreDateTime {request.at.isoformat()} is outside what can be restored: "
            f"{window.earliest.isoformat()} to {window.latest.isoformat()}"
        )
    return {**call, "RestoreDateTime": request.at}


def backup_call(request: FromRecoveryPoint, settings: Settings) -> dict[str, Any]:
    """StartRestoreJob's arguments. The new table's name goes into Metadata, and the key is always said:

    two pages disagree on the default. https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-dynamodb.html
    """
    metadata = {"targetTableName": request.target_table, "encryptionType": "Default"}
    if settings.restored_table_key_arn:
        metadata |= {"encryptionType": "KMS", "kmsMasterKeyArn": settings.restored_table_key_arn}
    return {
        "RecoveryPointArn": request.recovery_point_arn,
        "Metadata": metadata,
        "IamRoleArn": settings.restore_role_arn,
        "ResourceType": "DynamoDB",
        "IdempotencyToken": request.target_table,
    }


def check_recovery_point(described: Mapping[str, Any], settings: Settings) -> None:
    """Raise UsageError unless DescribeRecoveryPoint shows a usable point of this very table."""
    resource, status = described.get("ResourceArn"), described.get("Status")
    if resource != settings.source_table_arn:
        raise UsageError(f"the recovery point is of {resource}, not of {settings.source_table_arn}")
    if status not in USABLE:
        raise UsageError(f"the recovery point is {status}", hint="only COMPLETED and AVAILABLE ones can be restored")


def start(request: Request, settings: Settings, clients: Clients) -> dict[str, str]:
    """Make the call. The reply says that a restore has begun, not that it is complete."""
    if isinstance(request, ToPointInTime):
        call = pitr_call(request, window(clients.dynamodb, settings.source_table), settings)
        clients.dynamodb.restore_table_to_point_in_time(**call)
        return {"targetTableName": request.target_table}
    described = clients.backup.describe_recovery_point(
        BackupVaultName=settings.vault_name, RecoveryPointArn=request.recovery_point_arn
    )
    check_recovery_point(described, settings)
    job = clients.backup.start_restore_job(**backup_call(request, settings))
    return {"targetTableName": request.target_table, "restoreJobId": str(job["RestoreJobId"])}


def window(dynamodb: Any, table: str) -> Window:
    """What DescribeContinuousBackups says of a table."""
    reply = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    pitr = reply.get("PointInTimeRecoveryDescription", {})
    return Window(
        enabled=pitr.get("PointInTimeRecoveryStatus") == "ENABLED",
        earliest=_whole(pitr.get("EarliestRestorableDateTime")),
        latest=_whole(pitr.get("LatestRestorableDateTime")),
    )


def _whole(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC).replace(microsecond=0) if at is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """boto3's clients, which carry no types."""

    dynamodb: Any
    backup: Any


def handler(event: Event, _context: object) -> dict[str, str]:
    """Lambda's entry. Raises Error with what was wrong; botocore's own errors pass through."""
    import boto3  # here, so that the pure part is imported without it

    settings = Settings.read(os.environ)
    try:
        request = parse(event, settings, datetime.now(UTC))
        started = start(request, settings, Clients(dynamodb=boto3.client("dynamodb"), backup=boto3.client("backup")))
    except UsageError as error:
        raise UsageError(
            error.diagnostics()
        ) from error  # all that a caller sees is the message, so the hint goes into it
    message = f"restore of {settings.source_table} started: it is complete when {request.target_table} is ACTIVE"
    return {"message": message, "restoreType": text(event, "restoreType"), **started}
