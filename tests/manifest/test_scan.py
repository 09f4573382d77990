"""Scans: against moto over HTTP, and against a server that lies the way networks and proxies do."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from moto.server import ThreadedMotoServer
from tests.manifest.exports import line, order, orders, write_export
from tests.manifest.test_engine import Killed, KillsAfter
from tests.manifest.test_export import digested

from backcheck.errors import Error, UsageError
from backcheck.manifest.build import export_tasks
from backcheck.manifest.differences import Data, Kind, find_differences
from backcheck.manifest.digest import BUCKETS
from backcheck.manifest.document import TableRef, WitnessKind
from backcheck.manifest.engine import RunOptions
from backcheck.manifest.export import open_export
from backcheck.manifest.scan import Connection, Pace, ScanOptions, Segment, TableFacts, _units_per_second, scan_manifest

KEY = ("customer", "order")
ONE_PROCESS = RunOptions(processes=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach an account, or wait between retries."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def put(endpoint: str, name: str, items: list[dict[str, Any]]) -> None:
    client = boto3.client(
        "dynamodb", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "order", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "order", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in items:
        client.put_item(TableName=name, Item=_for_boto(item))


def _for_boto(value: Any) -> Any:
    """The same value with binary as bytes, as boto3 wants it."""
    import base64

    if isinstance(value, dict):
        return {
            name: base64.b64decode(inner)
            if name == "B"
            else [base64.b64decode(one) for one in inner]
            if name == "BS"
            else _for_boto(inner)
            for name, inner in value.items()
        }
    return [_for_boto(inner) for inner in value] if isinstance(value, list) else value


def scanned(endpoint: str, name: str, scan: ScanOptions | None = None, options: RunOptions = ONE_PROCESS) -> Any:
    connection = Connection(region="us-east-1", endpoint_url=endpoint)
    return scan_manifest(connection, name, scan or ScanOptions(segments=3), options, lambda: NOON)


def test_a_scanned_table_equals_its_export(moto: str, tmp_path: Path) -> None:
    put(moto, "orders", orders(40))
    expected = digested(write_export(tmp_path, [[line(item) for item in orders(40)]]))
    found = scanned(moto, "orders")
    assert found.digest == expected.digest
    assert found.key == KEY
    assert found.table.name == "orders"
    witness = found.witness
    assert (witness.kind, witness.consistent, witness.as_of, witness.endpoint) == (WitnessKind.SCAN, True, NOON, moto)
    two = scanned(moto, "orders", ScanOptions(), RunOptions(processes=2))
    assert two.digest == expected.digest


def test_a_table_that_is_not_there_is_an_error(moto: str) -> None:
    with pytest.raises(Error, match="dynamodb:DescribeTable failed"):
        scanned(moto, "nothing")


class Liar(BaseHTTPRequestHandler):
    """Serves one table in pages of two; `lies` decides what becomes of each Scan reply."""

    items: ClassVar[list[dict[str, Any]]] = []
    lies: ClassVar[list[str]] = []
    requests: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        if operation == "DescribeTable":
            self._reply(json.dumps({"Table": _described()}).encode())
            return
        type(self).requests.append(body)
        lie = self.lies.pop(0) if self.lies else ""
        self._reply(_page(self.items, body, lie), lie)

    def _reply(self, body: bytes, lie: str = "") -> None:
        self.send_response(500 if lie == "error" else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("x-amz-crc32", str(zlib.crc32(body) ^ (lie == "crc")))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:-7] if lie == "short" else body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _described() -> dict[str, Any]:
    return {
        "TableName": "orders",
        "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/orders",
        "TableId": "12345a12-abcd-123a-ab12-1234abc12345",
        "TableSizeBytes": 0,
        "KeySchema": [
            {"AttributeName": "order", "KeyType": "RANGE"},
            {"AttributeName": "customer", "KeyType": "HASH"},
        ],
        "ProvisionedThroughput": {"ReadCapacityUnits": 100},
    }


def _page(items: list[dict[str, Any]], request: dict[str, Any], lie: str) -> bytes:
    mine = items[request["Segment"] :: request["TotalSegments"]]
    start = int(request["ExclusiveStartKey"]["order"]["N"]) + 1 if "ExclusiveStartKey" in request else 0
    at = next((n for n, item in enumerate(mine) if int(item["order"]["N"]) >= start), len(mine))
    page = mine[at : at + 2]
    reply: dict[str, Any] = {"Count": len(page), "ScannedCount": len(page), "Items": page}
    if at + 2 < len(mine):
        reply["LastEvaluatedKey"] = {name: page[-1][name] for name in KEY}
    if lie == "count":
        reply["Items"] = page[:-1]
    if lie == "filtered":
        reply["ScannedCount"] += 1
    if lie == "no items":
        del reply["Items"]
    if lie == "bad key":
        reply["LastEvaluatedKey"] = {"order": {"B": "%%"}}
    if lie == "bad item":
        reply["Items"] = [{**page[0], "x": {"N": "one"}}, *page[1:]]
    text = json.dumps(reply, separators=(",", ":")).encode()
    return text[:-7] if lie == "cut" else text


@pytest.fixture
def liar() -> Iterator[str]:
    Liar.items, Liar.lies, Liar.requests = orders(12), [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def expected(tmp_path: Path) -> Any:
    return digested(write_export(tmp_path, [[line(item) for item in orders(12)]])).digest


def test_a_live_table_is_data_at_hand(liar: str, tmp_path: Path) -> None:
    """A restored table against the export of its source: the keys that differ, without a copy of either."""
    export = open_export(str(write_export(tmp_path, [[line(item) for item in orders(12)]])))
    Liar.items = [*orders(10), order(10, total={"N": "13"}), order(20)]
    connection = Connection(region="us-east-1", endpoint_url=liar)
    segments = [
        Segment(connection=connection, table_name="orders", key=KEY, number=n, segments=2, units_per_second=None)
        for n in range(2)
    ]
    found = find_differences(
        Data(sources=export_tasks(export, KEY), digest=None, name="A"),
        Data(sources=segments, digest=scanned(liar, "orders").digest, name="B"),
        range(BUCKETS),
        [1] * BUCKETS,
        limit=9,
        show_keys=True,
        processes=1,
    )
    assert sorted((one.kind, one.key, one.attributes) for one in found.listed) == [
        (Kind.CHANGED, '{"customer":{"S":"c10"},"order":{"N":"10"}}', ("total",)),
        (Kind.EXTRA, '{"customer":{"S":"c20"},"order":{"N":"20"}}', ()),
        (Kind.MISSING, '{"customer":{"S":"c11"},"order":{"N":"11"}}', ()),
    ]


def test_every_page_of_every_segment_is_read(liar: str, expected: Any) -> None:
    assert scanned(liar, "orders").digest == expected
    assert len(Liar.requests) == 3 * 2
    assert all(request["ConsistentRead"] is True for request in Liar.requests)
    assert not any({"FilterExpression", "Limit", "IndexName"} & request.keys() for request in Liar.requests)


@pytest.mark.parametrize("lie", ["crc", "short", "error"])
def test_a_reply_that_breaks_once_is_asked_for_again(liar: str, expected: Any, lie: str) -> None:
    Liar.lies = ["", lie]
    assert scanned(liar, "orders").digest == expected
    assert len(Liar.requests) == 3 * 2 + 1


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ("crc", "a page whose CRC-32 is wrong, after every retry"),
        ("short", "a page whose CRC-32 is wrong, after every retry"),
        ("error", "dynamodb:Scan failed"),
        ("cut", "a page that cannot be read: not JSON"),
        ("count", "a page whose Count, ScannedCount and items differ"),
        ("filtered", "a page whose Count, ScannedCount and items differ"),
        ("no items", "a page whose Count, ScannedCount and items differ"),
        ("bad key", "a page whose LastEvaluatedKey is not a key"),
        ("bad item", "not a number"),
    ],
)
def test_a_reply_that_stays_broken_is_an_error_and_no_digest(liar: str, lie: str, message: str) -> None:
    Liar.lies = [lie] * 99
    with pytest.raises(Error, match=message):
        scanned(liar, "orders")


def test_a_killed_scan_goes_on_from_the_segments_it_had_finished(liar: str, expected: Any, tmp_path: Path) -> None:
    checkpoint = tmp_path / "m.partial"
    killed = RunOptions(processes=1, checkpoint=checkpoint, progress=KillsAfter(2))
    with pytest.raises(Killed):
        scanned(liar, "orders", options=killed)
    assert b"customer" not in checkpoint.read_bytes()
    Liar.requests.clear()
    with pytest.raises(UsageError, match="the scan that is resumed has 3 segments"):
        scanned(liar, "orders", ScanOptions(segments=4), RunOptions(processes=1, checkpoint=checkpoint))
    connection = Connection(region="us-east-1", endpoint_url=liar)
    later = scan_manifest(
        connection,
        "orders",
        ScanOptions(),
        RunOptions(processes=1, checkpoint=checkpoint),
        lambda: NOON + timedelta(hours=1),
    )
    assert later.digest == expected
    assert {request["Segment"] for request in Liar.requests} == {2}
    assert (later.witness.as_of, later.witness.until) == (NOON, NOON + timedelta(hours=1))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_scan_keeps_to_its_share() -> None:
    clock = Clock()
    pace = Pace(50.0, clock, clock.sleep)
    for _ in range(10):
        pace.wait()
        clock.now += 0.1
        pace.used(128)
    pace.wait()
    assert 10 * 128 / clock.now <= 50


def test_a_slow_spell_is_not_caught_up_with_a_burst() -> None:
    clock = Clock()
    pace = Pace(100.0, clock, clock.sleep)
    clock.now = 60.0
    pace.used(100)
    pace.wait()
    assert clock.now == 61.0


def test_without_a_limit_nothing_waits() -> None:
    clock = Clock()
    pace = Pace(None, clock, clock.sleep)
    pace.used(1_000_000)
    pace.wait()
    assert clock.now == 0


@pytest.mark.parametrize(
    ("read_units", "scan", "expected_units"),
    [
        (100, ScanOptions(), 50.0),
        (100, ScanOptions(read_share=0.1), 10.0),
        (100, ScanOptions(max_read_units=20), 20.0),
        (None, ScanOptions(max_read_units=20), 20.0),
        (None, ScanOptions(), None),
    ],
)
def test_the_rate_is_the_smaller_limit(read_units: int | None, scan: ScanOptions, expected_units: float | None) -> None:
    facts = TableFacts(table=TableRef(), key=("id",), size_bytes=0, read_units=read_units)
    assert _units_per_second(facts, scan) == expected_units


@pytest.mark.parametrize("spelled", [b'{"N":"12.5"}', b'{"N":"1.25E1"}'])
def test_a_page_that_names_an_attribute_twice_is_refused(spelled: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from backcheck.manifest.scan import _page

    item = b'{"customer":{"S":"c"},"order":{"N":"1"},"x":' + spelled + b',"x":' + spelled + b"}"
    body = b'{"Count":1,"Items":[' + item + b'],"ScannedCount":1}'
    page = _page({"RawBody": body, "RawBodyIsWhole": True}, "here")
    segment = Segment(connection=Connection(), table_name="t", key=KEY, number=0, segments=1, units_per_second=None)
    monkeypatch.setattr(Segment, "_pages", lambda _: [page])
    with pytest.raises(Error, match="named twice"):
        list(segment.items())


def test_a_binary_key_starts_the_next_page(liar: str) -> None:
    from backcheck.manifest.scan import _start_key

    assert _start_key({"id": {"B": "AAE="}, "n": {"N": "1"}}, "x") == {"id": {"B": b"\0\1"}, "n": {"N": "1"}}


def test_an_item_is_named_by_its_segment(liar: str) -> None:
    Liar.lies = ["bad item"]
    with pytest.raises(Error) as caught:
        scanned(liar, "orders", ScanOptions(segments=1))
    assert caught.value.where == "orders, segment 0 of 1, item 1"
    assert order(0)["customer"]["S"] not in caught.value.diagnostics().split()
