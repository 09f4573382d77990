"""Settings, checks and stubbed clients. A stub validates requests and replies against botocore's own service model."""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.stub import Stubber

from functions.check import Check, Kind, Phase
from functions.reply import ReplyTo
from functions.restore import Clients, Settings
from functions.restore_check import Settings as CheckSettings
from functions.restore_test import TIME_LIMIT

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
SOURCE_ARN = "arn:aws:dynamodb:us-east-1:111122223333:table/shop-products"
ROLE_ARN = "arn:aws:iam::111122223333:role/shop-restore"
POINT_ARN = "arn:aws:backup:us-east-1:111122223333:recovery-point:11111111-2222-3333-4444-555555555555"
KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/witness"
PREFIX = "awsbackup-restore-test"
SETTINGS = Settings(
    source_table_arn=SOURCE_ARN,
    restored_prefix="restored-",
    restore_role_arn=ROLE_ARN,
    vault_name="shop-vault",
    region="us-east-1",
)
CHECK_SETTINGS = CheckSettings(drill_prefix=PREFIX, witness_bucket="witness", witness_key_arn=KEY_ARN, max_items=1000)
REPLY_TO = ReplyTo(
    url="https://cloudformation.example/reply",
    stack_id="arn:aws:cloudformation:us-east-1:111122223333:stack/shop/guid",
    request_id="request-1",
    logical_id="TestPITRRestore",
    physical_id="shop-TestPITRRestore",
)


def check(kind: Kind = Kind.CUSTOM_RESOURCE, **changes: Any) -> Check:
    """A check that has just begun."""
    custom = kind is Kind.CUSTOM_RESOURCE
    fields: dict[str, Any] = {
        "kind": kind,
        "phase": Phase.AWAIT_PITR if custom else Phase.RESTORING,
        "source_table_arn": SOURCE_ARN,
        "target_table": f"{PREFIX}-deploy-20261122093000",
        "started": NOW,
        "deadline": NOW + TIME_LIMIT,
        "restore_job_id": "" if custom else "job-1",
        "reply_to": REPLY_TO if custom else None,
    }
    return Check(**(fields | changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stubs:
    """The functions' clients, and what makes them answer."""

    clients: Clients
    of_dynamodb: Stubber
    of_backup: Stubber


@contextmanager
def stubbed() -> Iterator[Stubs]:
    """Clients that answer only what was put in, and that everything put in was asked for."""
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    dynamodb, backup = session.client("dynamodb"), session.client("backup")
    with Stubber(dynamodb) as of_dynamodb, Stubber(backup) as of_backup:
        yield Stubs(clients=Clients(dynamodb=dynamodb, backup=backup), of_dynamodb=of_dynamodb, of_backup=of_backup)
        of_dynamodb.assert_no_pending_responses()
        of_backup.assert_no_pending_responses()


def continuous(
    *, enabled: bool = True, earliest: datetime | None = None, latest: datetime | None = None
) -> dict[str, Any]:
    """DescribeContinuousBackups' reply; ContinuousBackupsStatus is always ENABLED."""
    pitr: dict[str, Any] = {"PointInTimeRecoveryStatus": "ENABLED" if enabled else "DISABLED"}
    if earliest:
        pitr["EarliestRestorableDateTime"] = earliest
    if latest:
        pitr["LatestRestorableDateTime"] = latest
    described = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": pitr}
    return {"ContinuousBackupsDescription": described}


def export(folder: Path, content: list[dict[str, Any]], table_arn: str = SOURCE_ARN) -> str:
    """An export as DynamoDB writes one: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html"""
    name = "01693685827463-2d8752fd"
    data = gzip.compress("".join(json.dumps({"Item": item}, separators=(",", ":")) + "\n" for item in content).encode())
    base = folder / "AWSDynamoDB" / name
    (base / "data").mkdir(parents=True)
    (base / "data" / "part.json.gz").write_bytes(data)
    md5 = hashlib.md5(data).digest()
    listed = {
        "itemCount": len(content),
        "md5Checksum": b64encode(md5).decode(),
        "etag": hashlib.md5(md5).hexdigest() + "-1",
        "dataFileS3Key": f"AWSDynamoDB/{name}/data/part.json.gz",
    }
    summary = {
        "version": "2020-06-30",
        "exportArn": f"{table_arn}/export/{name}",
        "startTime": "2026-11-22T09:31:00.000Z",
        "endTime": "2026-11-22T09:35:00.000Z",
        "tableArn": table_arn,
        "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
        "exportTime": "2026-11-22T09:30:00.000Z",
        "s3Bucket": "witness",
        "s3Prefix": None,
        "s3SseAlgorithm": "KMS",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"AWSDynamoDB/{name}/manifest-files.json",
        "billedSizeBytes": 0,
        "itemCount": len(content),
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
    for file, text in (("manifest-summary", json.dumps(summary)), ("manifest-files", json.dumps(listed))):
        (base / f"{file}.json").write_text(text)
        (base / f"{file}.md5").write_text(b64encode(hashlib.md5(text.encode()).digest()).decode())
    return str(base)
