"""Exports: files that the manifest reader takes, whole and incremental, and what AWS refuses."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from backcheck.cli import run
from backcheck.manifest.export import ExportKind, open_export

from .conftest import ACCOUNT, START, Bench
from .test_point_in_time import content, finished, recovered, restore

ARN = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"


def exported(bench: Bench, **arguments: Any) -> dict[str, Any]:
    """The description of an export that has ended, by polling."""
    wanted = {"TableArn": ARN, "S3Bucket": "exports", **arguments}
    arn = bench.dynamodb.export_table_to_point_in_time(**wanted)["ExportDescription"]["ExportArn"]
    for _ in range(8):
        export: dict[str, Any] = bench.dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
        if export["ExportStatus"] != "IN_PROGRESS":
            return export
    raise AssertionError(f"{arn} is never done")


def incremental(start: datetime, end: datetime | None = None, view: str | None = None) -> dict[str, Any]:
    given = {"ExportFromTime": start, "ExportToTime": end, "ExportViewType": view}
    specification = {name: value for name, value in given.items() if value is not None}
    return {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": specification}


@pytest.fixture
def bucket(bench: Bench) -> Any:
    """A bucket, and a table with point-in-time recovery since START; an hour has passed."""
    s3 = bench.sandbox.client("s3")
    s3.create_bucket(Bucket="exports")
    bench.table(items=40)
    recovered(bench)
    bench.advance(hours=1)
    return s3


def keys_of(s3: Any) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket="exports").get("Contents", [])]


def read(s3: Any, key: str) -> bytes:
    found: bytes = s3.get_object(Bucket="exports", Key=key)["Body"].read()
    return found


def lines(s3: Any, export: dict[str, Any]) -> list[dict[str, Any]]:
    folder = export["ExportManifest"].rsplit("/", 1)[0]
    files = [json.loads(row) for row in read(s3, f"{folder}/manifest-files.json").splitlines()]
    parts = [gzip.decompress(read(s3, row["dataFileS3Key"])).splitlines() for row in files]
    assert [len(part) for part in parts] == [row["itemCount"] for row in files]
    return [json.loads(line) for part in parts for line in part]


class TestFull:
    def test_the_layout(self, bench: Bench, bucket: Any) -> None:
        export = exported(bench, S3Prefix="daily")
        folder = f"daily/AWSDynamoDB/{export['ExportArn'].rsplit('/', 1)[-1]}"
        names = [key.removeprefix(f"{folder}/") for key in keys_of(bucket)]
        assert sorted(name for name in names if not name.startswith("data/")) == [
            "_started", "manifest-files.json", "manifest-files.md5", "manifest-summary.json", "manifest-summary.md5",
        ]  # fmt: skip
        sizes = [len(gzip.decompress(read(bucket, key))) for key in keys_of(bucket) if "/data/" in key]
        assert (len(sizes), sizes.count(0)) == (5, 1)
        assert (export["ItemCount"], export["ExportManifest"]) == (40, f"{folder}/manifest-summary.json")

    def test_the_content_is_that_of_the_moment(self, bench: Bench, bucket: Any) -> None:
        then = content(bench, "orders")
        bench.dynamodb.delete_item(TableName="orders", Key={"id": {"S": "00001"}})
        bench.advance(minutes=30)
        old = exported(bench, ExportTime=START + timedelta(minutes=30))
        assert {line["Item"]["id"]["S"]: line["Item"] for line in lines(bucket, old)} == then
        new = exported(bench)
        assert {line["Item"]["id"]["S"] for line in lines(bucket, new)} == then.keys() - {"00001"}
        assert old["ExportTime"] == START + timedelta(minutes=30)

    def test_the_manifest_of_it_is_that_of_a_restore(self, bench: Bench, bucket: Any, tmp_path: Path) -> None:
        """The commands as they are typed; in one process, since the sandbox is in this one."""
        at = START + timedelta(minutes=30)
        bench.dynamodb.put_item(TableName="orders", Item={"id": {"S": "late"}})
        export = exported(bench, ExportTime=at)
        restore(bench, "restored", at)
        finished(bench, "restored")
        place = f"s3://exports/{export['ExportManifest'].rsplit('/', 1)[0]}/"
        runs = (
            ["manifest", "export", place, "--key", "id", "--processes", "1", "--out", str(tmp_path / "export")],
            ["manifest", "scan", "restored", "--processes", "1", "--out", str(tmp_path / "restored")],
            ["manifest", "diff", str(tmp_path / "export"), str(tmp_path / "restored")],
        )
        for arguments in runs:
            assert run(arguments) == 0

    def test_the_reader_finds_nothing_to_note(self, bench: Bench, bucket: Any) -> None:
        export = exported(bench)
        found = open_export(f"s3://exports/{export['ExportManifest'].rsplit('/', 1)[0]}/")
        assert (found.kind, found.items, found.notes, found.table.arn) == (ExportKind.FULL, 40, (), ARN)


class TestIncremental:
    def change(self, bench: Bench) -> dict[str, dict[str, Any]]:
        """Insert, update, delete, and one that comes and goes."""
        db, before = bench.dynamodb, content(bench, "orders")
        db.put_item(TableName="orders", Item={"id": {"S": "new"}})
        db.put_item(TableName="orders", Item={"id": {"S": "passing"}})
        db.update_item(
            TableName="orders",
            Key={"id": {"S": "00001"}},
            UpdateExpression="SET n = :n",
            ExpressionAttributeValues={":n": {"N": "77"}},
        )
        db.delete_item(TableName="orders", Key={"id": {"S": "00002"}})
        bench.advance(seconds=1)
        db.delete_item(TableName="orders", Key={"id": {"S": "passing"}})
        return before

    def test_what_each_operation_looks_like(self, bench: Bench, bucket: Any) -> None:
        begun = bench.clock.now()
        before = self.change(bench)
        bench.advance(hours=1)
        export = exported(bench, **incremental(begun, begun + timedelta(minutes=30)))
        found = {line["Keys"]["id"]["S"]: line for line in lines(bucket, export)}
        stamp = {"WriteTimestampMicros": str(int(begun.timestamp()) * 1_000_000)}
        now = content(bench, "orders")
        assert found == {
            "new": {"Metadata": stamp, "Keys": {"id": {"S": "new"}}, "NewImage": now["new"]},
            "00001": {
                "Metadata": stamp,
                "Keys": {"id": {"S": "00001"}},
                "OldImage": before["00001"],
                "NewImage": now["00001"],
            },
            "00002": {"Metadata": stamp, "Keys": {"id": {"S": "00002"}}, "OldImage": before["00002"]},
        }
        assert export["ItemCount"] == 3

    def test_new_images_only(self, bench: Bench, bucket: Any) -> None:
        begun = bench.clock.now()
        self.change(bench)
        bench.advance(hours=1)
        export = exported(bench, **incremental(begun, begun + timedelta(minutes=30), "NEW_IMAGE"))
        found = {line["Keys"]["id"]["S"]: sorted(line) for line in lines(bucket, export)}
        with_new = ["Keys", "Metadata", "NewImage"]
        assert found == {"new": with_new, "00001": with_new, "00002": ["Keys", "Metadata"]}

    def test_the_start_is_inside_and_the_end_is_not(self, bench: Bench, bucket: Any) -> None:
        begun = bench.clock.now()
        for name in ("start", "end"):
            bench.dynamodb.put_item(TableName="orders", Item={"id": {"S": name}})
            bench.advance(minutes=15)
        bench.advance(hours=1)
        export = exported(bench, **incremental(begun, begun + timedelta(minutes=15)))
        assert [line["Keys"]["id"]["S"] for line in lines(bucket, export)] == ["start"]

    def test_the_data_is_shared_and_the_reader_takes_it(self, bench: Bench, bucket: Any) -> None:
        begun = bench.clock.now()
        self.change(bench)
        bench.advance(hours=1)
        export = exported(bench, **incremental(begun))
        assert len([key for key in keys_of(bucket) if key.startswith("AWSDynamoDB/data/")]) == 5
        found = open_export(f"s3://exports/{export['ExportManifest'].rsplit('/', 1)[0]}/")
        assert (found.kind, found.both_images, found.since, found.items) == (ExportKind.INCREMENTAL, True, begun, 3)
        assert found.as_of == begun + timedelta(minutes=55, seconds=1)


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "code", "says"),
        [
            ({"TableArn": f"{ARN}x"}, "TableNotFoundException", "not found"),
            ({"TableArn": f"{ARN}-plain"}, "PointInTimeRecoveryUnavailableException", "not enabled for table 'orders-"),
            ({"ExportTime": START - timedelta(seconds=1)}, "InvalidExportTimeException", "is not between"),
            ({"ExportTime": START + timedelta(minutes=56)}, "InvalidExportTimeException", "is not between"),
            ({"ExportType": "INCREMENTAL_EXPORT"}, "ValidationException", "needs IncrementalExportSpecification"),
            (incremental(START, START + timedelta(minutes=14)), "ValidationException", "at least 15 minutes"),
            (incremental(START - timedelta(days=1), START), "InvalidExportTimeException", "is not between"),
            (incremental(START, START + timedelta(hours=25)), "ValidationException", "no longer than 24 hours"),
            (
                {**incremental(START), "ExportType": "FULL_EXPORT"},
                "ValidationException",
                "needs ExportType INCREMENTAL_EXPORT",
            ),
            ({**incremental(START), "ExportTime": START}, "ValidationException", "for full exports"),
            ({"ExportFormat": "ION"}, "UnsupportedOperation", "ExportFormat"),
            ({"FilterSpecification": {"FilterExpression": "n = n"}}, "UnsupportedOperation", "FilterSpecification"),
        ],
    )
    def test_it(self, bench: Bench, bucket: Any, arguments: dict[str, Any], code: str, says: str) -> None:
        bench.table("orders-plain")
        with pytest.raises(ClientError, match=says) as refused:
            exported(bench, **arguments)
        assert refused.value.response["Error"]["Code"] == code
        assert keys_of(bucket) == []

    def test_a_bucket_that_is_not_there_fails_the_export(self, bench: Bench, bucket: Any) -> None:
        export = exported(bench, S3Bucket="none-such")
        assert (export["ExportStatus"], export["FailureCode"]) == ("FAILED", "S3NoSuchBucket")

    def test_an_export_that_is_not_there(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match="ExportNotFoundException"):
            bench.dynamodb.describe_export(ExportArn=f"{ARN}/export/01695097218000-d6299cbd")


def test_a_token_is_one_export_and_only_one(bench: Bench, bucket: Any) -> None:
    first = exported(bench, ClientToken="t")
    assert exported(bench, ClientToken="t")["ExportArn"] == first["ExportArn"]
    with pytest.raises(ClientError, match="ExportConflictException"):
        exported(bench, ClientToken="t", S3Prefix="else")
    bench.advance(hours=9)
    assert exported(bench, ClientToken="t", S3Prefix="else")["ExportArn"] != first["ExportArn"]


def test_the_newest_comes_first(bench: Bench, bucket: Any) -> None:
    arns = [exported(bench)["ExportArn"] for _ in range(3)]
    first = bench.dynamodb.list_exports(TableArn=ARN, MaxResults=2)
    rest = bench.dynamodb.list_exports(TableArn=ARN, NextToken=first["NextToken"])
    rows = first["ExportSummaries"] + rest["ExportSummaries"]
    assert [row["ExportArn"] for row in rows] == arns[::-1]
    assert "NextToken" not in rest
    assert bench.dynamodb.list_exports(TableArn=f"{ARN}x")["ExportSummaries"] == []
    bench.advance(days=91)
    assert bench.dynamodb.list_exports()["ExportSummaries"] == []
