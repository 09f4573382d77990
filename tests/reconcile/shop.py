"""The founding incident in a sandbox, in any size, and the model that its end is held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backcheck.manifest.scan import Connection
from backcheck.reconcile.build import Request, build
from backcheck.reconcile.classify import Window
from backcheck.reconcile.document import Plan
from backcheck.sandbox import Sandbox

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
ACCOUNT = "123456789012"
LIVE, RESTORED, BUCKET = "techmoda-products", "techmoda-products-before", "exports"
Items = dict[str, dict[str, Any]]

POLICY = Path(__file__).parents[2] / "policies" / "techmoda.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of what happens. The legitimate deletes are of undamaged items and, a part, of damaged ones."""

    products: int = 5000
    damaged: int = 800
    lost: int = 200
    created: int = 150
    updated: int = 100
    conflicts: int = 50
    deleted: int = 50
    deleted_damaged: int = 20


SMALL = Size(products=60, damaged=14, lost=9, created=3, updated=3, conflicts=2, deleted=4, deleted_damaged=1)


def product(number: int, **attributes: Any) -> dict[str, Any]:
    """A product with a map, a list, a set and binary, so that conditions meet each."""
    return {
        "id": {"S": f"p{number:05d}"},
        "title": {"S": f"Jacket {number}"},
        "price": {"N": f"{number}.50"},
        "sizes": {"SS": ["M", "L", "S"]},
        "photo": {"B": bytes([number % 256, 255])},
        "stock": {"M": {"Bern": {"N": "3"}, "tags": {"L": [{"S": "new"}, {"BOOL": True}]}}},
        **attributes,
    }


@dataclass
class Shop:
    """The account during the incident."""

    sandbox: Sandbox
    size: Size
    before: Items = field(default_factory=dict)
    bad: Window | None = None
    over: Connection | None = None
    """How the plan reads, if not in this process."""
    damaged: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dynamodb = self.sandbox.client("dynamodb")
        self.clock = self.sandbox.clock

    @property
    def connection(self) -> Connection:
        """As commands in the sandbox have it."""
        return Connection(region="us-east-1", session=self.sandbox.session())

    def happen(self) -> None:
        """From the first product to the moment when somebody sits down to reconcile."""
        self._open()
        begin = self.clock.now()
        self.clock.advance(minutes=2)
        self._deploy()
        self.clock.advance(minutes=20)
        self.bad = Window(start=begin, end=self.clock.now())
        self.clock.advance(minutes=2)
        self._trade()
        self.clock.advance(hours=1)
        self.restore(begin)

    def _open(self) -> None:
        self.dynamodb.create_table(
            TableName=LIVE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        on = {"PointInTimeRecoveryEnabled": True}
        self.dynamodb.update_continuous_backups(TableName=LIVE, PointInTimeRecoverySpecification=on)
        self.put(product(number) for number in range(self.size.products))
        self.before = self.content(LIVE)
        self.clock.advance(hours=2)

    def _deploy(self) -> None:
        """Titles are emptied, prices dropped, products deleted."""
        keys, size = sorted(self.before), self.size
        self.damaged, self.lost = keys[: size.damaged], keys[size.damaged :][: size.lost]
        self.put({**_without(self.before[key], "price"), "title": {"S": ""}} for key in self.damaged)
        self.delete(self.lost)

    def _trade(self) -> None:
        """What customers and staff do from then on."""
        size = self.size
        untouched = sorted(self.before)[size.damaged + size.lost :]
        self.updated = untouched[: size.updated]
        self.conflicts = self.damaged[: size.conflicts]
        self.deleted = untouched[size.updated :][: size.deleted - size.deleted_damaged]
        self.deleted += self.damaged[size.conflicts :][: size.deleted_damaged]
        new = [product(number) for number in range(90000, 90000 + size.created)]
        self.created = [one["id"]["S"] for one in new]
        self.put(new)
        for key in (*self.updated, *self.conflicts):
            self.sell(key)
        self.delete(self.deleted)

    def put(self, items: Iterable[dict[str, Any]]) -> None:
        """Write products."""
        self._batch({"PutRequest": {"Item": item}} for item in items)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete products."""
        self._batch({"DeleteRequest": {"Key": {"id": {"S": key}}}} for key in keys)

    def _batch(self, requests: Iterable[dict[str, Any]]) -> None:
        waiting = list(requests)
        for start in range(0, len(waiting), 25):
            self.dynamodb.batch_write_item(RequestItems={LIVE: waiting[start : start + 25]})

    def sell(self, key: str) -> None:
        """A legitimate update: one piece less in Bern."""
        self.dynamodb.update_item(
            TableName=LIVE,
            Key={"id": {"S": key}},
            UpdateExpression="SET stock.Bern = :n, seen = :n",
            ExpressionAttributeValues={":n": {"N": "2"}},
        )

    def restore(self, at: datetime) -> None:
        """The table as of a moment, beside the live one."""
        self.dynamodb.restore_table_to_point_in_time(SourceTableName=LIVE, TargetTableName=RESTORED, RestoreDateTime=at)
        while self.dynamodb.describe_table(TableName=RESTORED)["Table"]["TableStatus"] != "ACTIVE":
            self.clock.advance(minutes=5)

    def export(self, start: datetime, end: datetime, view: str = "NEW_AND_OLD_IMAGES") -> str:
        """An incremental export's place."""
        s3 = self.sandbox.client("s3")
        if not s3.list_buckets()["Buckets"]:
            s3.create_bucket(Bucket=BUCKET)
        arn = self.dynamodb.describe_table(TableName=LIVE)["Table"]["TableArn"]
        wanted = {"ExportFromTime": start, "ExportToTime": end, "ExportViewType": view}
        export = self.dynamodb.export_table_to_point_in_time(
            TableArn=arn, S3Bucket=BUCKET, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=wanted
        )["ExportDescription"]
        while export["ExportStatus"] == "IN_PROGRESS":
            self.clock.advance(minutes=5)
            export = self.dynamodb.describe_export(ExportArn=export["ExportArn"])["ExportDescription"]
        assert export["ExportStatus"] == "COMPLETED"
        return f"s3://{BUCKET}/AWSDynamoDB/{export['ExportArn'].rsplit('/', 1)[-1]}/"

    @property
    def window(self) -> Window:
        """The deployment's."""
        assert self.bad is not None
        return self.bad

    def bad_export(self) -> str:
        """Of the bad window."""
        return self.export(self.window.start, self.window.end)

    def plan(self, *exports: str, bad: Window | None = None, keys: Path | None = None, **more: Any) -> Plan:
        """The plan, with keys shown so that tests can tell them."""
        request = Request(
            restored=RESTORED,
            live=LIVE,
            bad=bad or (None if keys else self.window),
            keys=keys,
            exports=exports,
            show_keys=True,
            **more,
        )
        return build(self.over or self.connection, request, self.clock.now())

    def content(self, table: str) -> Items:
        """A table's items by key; a set has no order."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        found = {item["id"]["S"]: item for page in pages for item in page["Items"]}
        return {key: {**item, "sizes": {"SS": sorted(item["sizes"]["SS"])}} for key, item in found.items()}

    def expected(self, live: Items) -> Items:
        """What the live table holds once all is done, from what it held before."""
        back = set(self.damaged) | set(self.lost)
        back -= set(self.conflicts) | set(self.deleted)
        return live | {key: self.before[key] for key in back}


def _without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}
