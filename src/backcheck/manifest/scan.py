"""A live table read by a parallel scan: raw pages, consistent reads, at a share of the table's capacity.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html
"""

from __future__ import annotations

import time
import zlib
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from backcheck.errors import Error, UsageError
from backcheck.manifest.checkpoint import Checkpoint
from backcheck.manifest.document import Manifest, TableRef, Witness, WitnessKind, parse_time
from backcheck.manifest.encoding import Attributes, load_object, make_canonical, refuse_repeated_names
from backcheck.manifest.engine import RunOptions, add_up, cores
from backcheck.manifest.export import table_of
from backcheck.manifest.location import client_of
from backcheck.manifest.reading import read_items

SEGMENT_BYTES = 128 << 20
"""About what a segment holds: the unit in which a killed scan is resumed."""
MAX_SEGMENTS = 1_000_000
"""Scan's own limit on TotalSegments."""
DEFAULT_SHARE = 0.5
"""Of the provisioned read capacity: the other half is the application's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach DynamoDB. Fit to be sent to another process; credentials stay where boto3 finds them."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    session: Any = None
    """A boto3 session to use instead of the profile's, such as an assumed role's; it cannot leave this process."""

    def client(self) -> Any:
        """A client whose Scan replies are raw: see `_keep_raw`.

        Raises Error without a profile or Region, UsageError for an endpoint that is no URL.
        """
        import boto3
        from botocore.config import Config

        config = Config(retries={"mode": "standard", "max_attempts": 10}, user_agent_extra="backcheck")
        with client_of("DynamoDB"):
            session = self.session or boto3.Session(profile_name=self.profile)
            client = session.client("dynamodb", region_name=self.region, endpoint_url=self.endpoint_url, config=config)
        client.meta.events.register("before-parse.dynamodb.Scan", _keep_raw)
        return client


def _keep_raw(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Keep a Scan reply's body as it came, and give botocore an empty one to parse, which was most of a scan's cost.

    Signing, retries, time-outs and errors stay botocore's. It also retries a reply whose CRC-32 is wrong, but once out
    of attempts it hands the reply over all the same: so the CRC-32 is looked at here, too.
    """
    if response_dict["status_code"] != 200:
        return
    body = response_dict["body"]
    stated = response_dict["headers"].get("x-amz-crc32")
    customized_response_dict["RawBody"] = body
    customized_response_dict["RawBodyIsWhole"] = stated is None or stated == str(zlib.crc32(body))
    response_dict["body"] = b"{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What DescribeTable says that a scan needs."""

    table: TableRef
    key: tuple[str, ...]
    size_bytes: int
    """Updated by DynamoDB about every six hours."""
    read_units: int | None
    """Provisioned, or the limit set for on demand; None without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One reply to a scan."""

    body: bytes
    items: list[Attributes]
    items_bytes: int
    """Length of the items' text in a body without white space: what is left once all else and the commas are off."""
    start: dict[str, Any] | None
    """Where the next page begins; None on the last."""
    units: float
    """Read capacity that it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment of a parallel scan."""

    connection: Connection
    table_name: str
    key: tuple[str, ...]
    number: int
    """From 0."""
    segments: int
    units_per_second: float | None
    """Read capacity that this segment may use while it is read; None for no limit."""

    @property
    def name(self) -> str:
        """Its number, as text."""
        return str(self.number)

    def at(self, number: int) -> str:
        """Table, segment and item."""
        return f"{self.table_name}, segment {self.number} of {self.segments}, item {number}"

    def fingerprint(self) -> str:
        """Nothing: a table has no version. The manifest states from when to when it was read."""
        return ""

    def items(self) -> Iterator[tuple[int, Attributes, bytes]]:
        """The segment's items. Raises Error unless the last page was read."""
        number = 0
        try:
            for page in self._pages():
                respelled, size_bytes = False, 0
                for number, item in enumerate(page.items, start=number + 1):  # noqa: B020  it goes on counting
                    respelled |= make_canonical(item)
                    encoded = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
                    size_bytes += len(encoded)
                    yield number, item, encoded
                if respelled or size_bytes != page.items_bytes:
                    refuse_repeated_names(page.body)
        except Error as error:
            raise Error(error.message, where=error.where or self.at(number), hint=error.hint) from error

    def _pages(self) -> Iterator[Page]:
        """The pages; the next one is fetched while this one is worked on."""
        client = self.connection.client()
        pace = Pace(self.units_per_second)
        with ThreadPoolExecutor(1) as fetcher:
            reply: dict[str, Any] | None = self._fetch(client, None)
            while reply is not None:
                page = _page(reply, self.at(0))
                pace.used(page.units)
                following = fetcher.submit(self._paced, client, pace, page.start) if page.start else None
                yield page
                reply = following.result() if following else None

    def _paced(self, client: Any, pace: Pace, start: dict[str, Any]) -> dict[str, Any]:
        pace.wait()
        return self._fetch(client, start)

    def _fetch(self, client: Any, start: dict[str, Any] | None) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        request: dict[str, Any] = {
            "TableName": self.table_name,
            "ConsistentRead": True,
            "ReturnConsumedCapacity": "TOTAL",
            "Segment": self.number,
            "TotalSegments": self.segments,
        }
        if start:
            request["ExclusiveStartKey"] = start
        try:
            reply: dict[str, Any] = client.scan(**request)
        except (ClientError, BotoCoreError) as error:
            raise Error(f"dynamodb:Scan failed: {error}", where=self.table_name, hint="run again to go on") from error
        return reply


def _page(reply: dict[str, Any], where: str) -> Page:
    """A reply taken apart. Raises Error unless it is whole."""
    if not reply["RawBodyIsWhole"]:
        raise Error("a page whose CRC-32 is wrong, after every retry", where=where, hint="run again to go on")
    body: bytes = reply["RawBody"]
    try:
        page = load_object(body)
    except Error as error:
        raise Error(f"a page that cannot be read: {error.message}", where=where) from error
    items, last = page.get("Items"), page.get("LastEvaluatedKey")
    if not isinstance(items, list) or not len(items) == page.get("Count") == page.get("ScannedCount"):
        raise Error("a page whose Count, ScannedCount and items differ", where=where)
    capacity = page.get("ConsumedCapacity") or {}
    around = len(orjson.dumps({**page, "Items": []})) + max(0, len(items) - 1)
    return Page(
        body=body,
        items=items,
        items_bytes=len(body) - around,
        start=_start_key(last, where) if last else None,
        units=float(capacity.get("CapacityUnits", 0)),
    )


def _start_key(last: Any, where: str) -> dict[str, Any]:
    """LastEvaluatedKey as boto3's client takes it: binary as bytes."""
    try:
        return {
            name: {"B": a2b_base64(typed["B"], strict_mode=True)} if "B" in typed else dict(typed)
            for name, typed in last.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise Error("a page whose LastEvaluatedKey is not a key", where=where) from error


class Pace:
    """Keeps what is used under a rate, on average, without saving up for a burst."""

    def __init__(
        self,
        units_per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = units_per_second
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()

    def used(self, units: float) -> None:
        """So many units were used just now."""
        if self._rate:
            self._free_at = max(self._free_at, self._clock()) + units / self._rate

    def wait(self) -> None:
        """Return when the next request may go out."""
        if (delay := self._free_at - self._clock()) > 0:
            self._sleep(delay)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """How much of a table's capacity a scan may take, and in how many segments."""

    segments: int | None = None
    """None: by the table's size."""
    read_share: float = DEFAULT_SHARE
    max_read_units: float | None = None
    """Units a second; for a table on demand, which has no provisioned capacity to take a share of."""


def scan_manifest(
    connection: Connection, table_name: str, scan: ScanOptions, options: RunOptions, now: Callable[[], datetime]
) -> Manifest:
    """The manifest of a live table. Raises Error where a page cannot be read; what was finished is then kept."""
    client = connection.client()
    facts = describe_table(client, table_name)
    processes = options.processes or cores()
    identity = f"scan\n{client.meta.endpoint_url}\n{facts.table.arn}\n{facts.table.id}\n{facts.key}"
    plan = {"segments": str(scan.segments or _segments(facts, processes)), "started": now().isoformat()}
    checkpoint = Checkpoint(options.checkpoint, identity, plan)
    segments = int(checkpoint.plan["segments"])
    if scan.segments not in (None, segments):
        raise UsageError(f"the scan that is resumed has {segments} segments", hint=f"remove {options.checkpoint}")
    sources = segments_of(connection, facts, scan, segments=segments, processes=processes)
    digest, _ = add_up(read_items, sources, checkpoint, options)
    witness = Witness(
        kind=WitnessKind.SCAN,
        as_of=parse_time(checkpoint.plan["started"]),
        until=now(),
        consistent=True,
        endpoint=client.meta.endpoint_url,
    )
    return Manifest(table=facts.table, key=facts.key, witness=witness, digest=digest)


def segments_of(
    connection: Connection, facts: TableFacts, scan: ScanOptions, *, segments: int, processes: int
) -> list[Segment]:
    """Every segment of a table's scan, each at its share of the capacity."""
    units = _units_per_second(facts, scan)
    return [
        Segment(
            connection=connection,
            table_name=facts.table.name or "",
            key=facts.key,
            number=number,
            segments=segments,
            units_per_second=None if units is None else units / min(processes, segments),
        )
        for number in range(segments)
    ]


def describe_table(client: Any, table_name: str) -> TableFacts:
    """What DescribeTable says. Raises Error where it cannot be called."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = client.describe_table(TableName=table_name)["Table"]
    except (ClientError, BotoCoreError) as error:
        raise Error(f"dynamodb:DescribeTable failed: {error}", where=table_name) from error
    by_type = {entry["KeyType"]: entry["AttributeName"] for entry in found["KeySchema"]}
    provisioned = found.get("ProvisionedThroughput", {}).get("ReadCapacityUnits", 0)
    on_demand = found.get("OnDemandThroughput", {}).get("MaxReadRequestUnits", -1)
    return TableFacts(
        table=table_of(found["TableArn"], found.get("TableId")),
        key=tuple(by_type[kind] for kind in ("HASH", "RANGE") if kind in by_type),
        size_bytes=found.get("TableSizeBytes", 0),
        read_units=provisioned or (on_demand if on_demand > 0 else None),
    )


def _segments(facts: TableFacts, processes: int) -> int:
    return min(max(2 * processes, facts.size_bytes // SEGMENT_BYTES), MAX_SEGMENTS)


def _units_per_second(facts: TableFacts, scan: ScanOptions) -> float | None:
    limits = [scan.max_read_units] if scan.max_read_units else []
    if facts.read_units:
        limits.append(facts.read_units * scan.read_share)
    return min(limits, default=None)
