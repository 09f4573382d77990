"""The functions whole: real requests, real tables, exports in a real bucket. moto restores what a table has *now*.

So these show that the parts fit together; what AWS restores for a time is the sandbox's and AWS's own matter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.functions.building import PREFIX, REPLY_TO, export
from tests.functions.machine import run
from tests.templates.reading import resources

from backcheck.errors import UsageError
from functions import restore, restore_check
from functions.check import Check, Kind, NotProven, Phase
from functions.restore import Clients
from functions.restore_check import STEPS, Settings
from functions.restore_test import TIME_LIMIT
from functions.seed_products import write

SOURCE = "arn:aws:dynamodb:us-east-1:123456789012:table/shop-products"
TARGET = f"{PREFIX}-deploy-1"
DEFINITION = resources("restore-testing")["RestoreCheck"]["Properties"]["Definition"]
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "SOURCE_TABLE_ARN": SOURCE,
    "RESTORED_TABLE_PREFIX": "restored-",
    "RESTORE_ROLE_ARN": "arn:aws:iam::123456789012:role/shop-restore",
    "VAULT_NAME": "shop-vault",
}


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account with ten products, point-in-time recovery and a bucket."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="shop-products",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        client.update_continuous_backups(
            TableName="shop-products", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        boto3.client("s3").create_bucket(Bucket="witness")
        write("shop-products", 10, delete=False, dynamodb=client)
        yield client


@pytest.mark.parametrize("latest", [True, "true"])
def test_the_labs_event_restores_the_table(dynamodb: Any, latest: object) -> None:
    started = restore.handler({"restoreType": "PITR", "useLatestRestorableTime": latest}, None)
    assert started["targetTableName"].startswith("restored-shop-products-")
    assert dynamodb.scan(TableName=started["targetTableName"])["Count"] == 10
    assert "it is complete when" in started["message"]


@pytest.mark.usefixtures("dynamodb")
def test_a_time_before_the_window_is_refused_with_the_window() -> None:
    with pytest.raises(UsageError, match="is outside what can be restored: 20"):
        restore.handler({"restoreType": "PITR", "restoreDateTime": "2020-01-01T00:00:00Z"}, None)


@pytest.mark.usefixtures("dynamodb")
def test_a_caller_sees_what_to_try() -> None:
    """Lambda hands the message of an error on, and nothing else of it."""
    with pytest.raises(UsageError) as raised:
        restore.handler(
            {"restoreType": "PITR", "useLatestRestorableTime": True, "targetTableName": "shop-products"}, None
        )
    assert str(raised.value) == "targetTableName is 'shop-products'\n  try: it must begin with 'restored-'"


class Exporting:
    """DynamoDB with complete exports: the source's content as AWS lays it out, in the bucket that was asked for."""

    def __init__(self, dynamodb: Any, folder: Path) -> None:
        self._dynamodb = dynamodb
        self._folder = folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def export_table_to_point_in_time(self, **asked: Any) -> dict[str, Any]:
        """Written at once."""
        found = self._dynamodb.scan(TableName=asked["TableArn"].rpartition("/")[2])["Items"]
        written = Path(export(self._folder, found, asked["TableArn"]))
        s3 = boto3.client("s3")
        for file in (one for one in written.rglob("*") if one.is_file()):
            s3.upload_file(str(file), asked["S3Bucket"], str(file.relative_to(self._folder)))
        self._manifest = str(written.relative_to(self._folder) / "manifest-summary.json")
        return {"ExportDescription": {"ExportArn": f"{asked['TableArn']}/export/{written.name}"}}

    def describe_export(self, **_: Any) -> dict[str, Any]:
        """Complete."""
        done = {"ExportStatus": "COMPLETED", "S3Bucket": "witness", "ExportManifest": self._manifest}
        return {"ExportDescription": done}


def played(
    dynamodb: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, before_compare: Callable[[], None] = lambda: None
) -> list[tuple[bool, str]]:
    """Run a check of a deployment through the deployed definition. Returns what CloudFormation was told."""
    replies: list[tuple[bool, str]] = []

    def told(_to: object, *, success: bool, reason: str, data: object) -> None:
        replies.append((success, reason))

    monkeypatch.setattr(restore_check, "send", told)
    clients = Clients(dynamodb=Exporting(dynamodb, folder), backup=boto3.client("backup"))
    settings = Settings(drill_prefix=PREFIX, witness_bucket="witness", witness_key_arn="alias/aws/s3", max_items=1000)
    started = datetime.now(UTC) - timedelta(seconds=5)
    given = Check(
        kind=Kind.CUSTOM_RESOURCE,
        phase=Phase.AWAIT_PITR,
        source_table_arn=SOURCE,
        target_table=TARGET,
        started=started,
        deadline=started + TIME_LIMIT,
        reply_to=REPLY_TO,
    )

    def call(event: dict[str, Any]) -> Any:
        if "waited" in event:
            return None
        if event["step"] == "compare":
            before_compare()
        check = Check.from_json(json.loads(json.dumps(event["check"])))
        return STEPS[event["step"]](check, settings, clients, started + timedelta(minutes=1)).to_json()

    run(DEFINITION, given.to_json(), call)
    return replies


def test_a_deployments_restore_is_compared_with_an_export_and_removed(
    dynamodb: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = played(dynamodb, tmp_path, monkeypatch)
    assert told == [(True, "10 items restored, all equal to the source's export")]
    assert dynamodb.list_tables()["TableNames"] == ["shop-products"]


def test_an_item_that_is_missing_from_a_restored_table_is_found(
    dynamodb: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_one() -> None:
        dynamodb.delete_item(TableName=TARGET, Key={"id": {"S": "seed-product-0003"}})

    with pytest.raises(NotProven, match="9 items restored: 1 missing, 0 extra, 0 changed"):
        played(dynamodb, tmp_path, monkeypatch, lose_one)
    assert dynamodb.list_tables()["TableNames"] == ["shop-products"]
