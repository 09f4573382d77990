"""DynamoDB where moto differs from AWS, as an audit and a drill see it: counts that lag, table ids, numbers; and scans.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal, Inexact
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import IncorrectDataType
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from backcheck.sandbox import restored, tables
from backcheck.sandbox.item_text import written
from backcheck.sandbox.numbers import EXACT, canonical, normalise
from backcheck.sandbox.operations import Call, Raw, Reply, operation
from backcheck.sandbox.refusal import Refusal

COUNTED_EVERY = timedelta(hours=6)
"""'DynamoDB updates this value approximately every six hours': ItemCount and TableSizeBytes."""

PAGE_BYTES = 1024 * 1024
"""'A single Scan operation reads up to the maximum number of items set (if using the Limit parameter) or 1 MB.'"""

WRITTEN = ("Item", "Key", "ExpressionAttributeValues", "RequestItems", "TransactItems", "AttributeUpdates", "Expected",
           "ExclusiveStartKey", "Keys", "Parameters", "KeyConditions", "QueryFilter", "ScanFilter")  # fmt: skip
"""The members of requests that hold attribute values."""

PLAIN_SCAN = frozenset(
    {"TableName", "Limit", "ExclusiveStartKey", "Segment", "TotalSegments", "ConsistentRead", "ReturnConsumedCapacity"}
)


def prepare(params: dict[str, Any]) -> None:
    """Make the attribute values of a request canonical before moto stores them."""
    for member in WRITTEN:
        if member in params:
            normalise(params[member])


class FastResult(ActionResult):
    """A reply with items, written at once: moto's serializer walks every attribute through the model."""

    def execute_result(self, context: Any) -> Any:
        """Status, headers, body."""
        return 200, {"Content-Type": "application/x-amz-json-1.0"}, written(self.result)


def add(one: Any, other: Any) -> Any:
    """The sum of two numbers, exact and normalised; moto's keeps the zeroes of 1.5 + 0.5."""
    return _number(one, other, EXACT.add)


def subtract(one: Any, other: Any) -> Any:
    """The difference of two numbers."""
    return _number(one, other, EXACT.subtract)


def _number(one: Any, other: Any, operator: Callable[[Decimal, Decimal], Decimal]) -> DynamoType:
    if not (one.is_number() and other.is_number()):
        raise IncorrectDataType
    try:
        result = operator(Decimal(one.value), Decimal(other.value))
    except Inexact:
        message = "Number overflow. Attempting to store a number with more than 38 significant digits"
        raise Refusal("ValidationException", message) from None
    return DynamoType({"N": canonical(str(result))})


@operation("dynamodb", "DescribeTable")
def describetable_named(call: Call) -> Reply:
    """moto's description, with the table's id and counts that lag. While a restore makes the table, each look waits."""
    call.response.describe_table()  # refuses a table that is not there, in moto's words
    table = table_named(call, call.params["TableName"])
    if restored.in_creation(call.region, table, call.now):
        call.world.clock.advance(seconds=restored.POLL.total_seconds())
    return {"Table": described(call, table)}


def described(call: Call, table: Any) -> dict[str, Any]:
    """The table's description now."""
    count, size = _counted(call, table)
    origin = call.region.restored.get(tables.table_id(table))
    description = {
        **_pruned(table.describe(base_key="Table")["Table"]),
        "TableId": tables.table_id(table),
        "ItemCount": count,
        "TableSizeBytes": size,
    }
    if origin is None:
        return description
    status = "CREATING" if call.now < origin.active else "ACTIVE"
    return {**description, "TableStatus": status, "RestoreSummary": origin.summary(call.now)}


@operation("dynamodb", "Scan")
def scan(call: Call) -> Reply | Raw:
    """A scan without expressions reads prepared text; any other is moto's."""
    prepare(call.response.body)
    # Looking the table up refuses one that is not there, in moto's words.
    table = call.response.dynamodb_backend.get_table(call.params["TableName"])
    if call.params.keys() - PLAIN_SCAN or call.params.get("ReturnConsumedCapacity") not in (None, "NONE"):
        return Raw(written(call.response.scan().result))
    if ("Segment" in call.params) != ("TotalSegments" in call.params) or _beyond(call.params):
        return Raw(written(call.response.scan().result))  # which refuses it
    return Raw(_page(call, table))


def _beyond(params: dict[str, Any]) -> bool:
    return "Segment" in params and params["Segment"] >= params["TotalSegments"]


@dataclass(frozen=True, slots=True)
class _Row:
    order: tuple[Any, ...]
    size: int
    text: str
    item: Any


_rows: dict[str, tuple[int, list[_Row]]] = {}


def forget() -> None:
    """Drop the prepared text: another sandbox begins."""
    _rows.clear()


def _page(call: Call, table: Any) -> str:
    rows = _prepared(call, table)
    start = _start(call.params.get("ExclusiveStartKey"), table, rows)
    segment = (call.params.get("Segment"), call.params.get("TotalSegments"))
    limit, size = call.params.get("Limit"), 0
    texts: list[str] = []
    last: _Row | None = None
    for row in rows[start:]:
        if segment[1] is not None and not row.item.is_within_segment(segment):
            continue
        if len(texts) == limit or (texts and size + row.size > PAGE_BYTES):
            return _body(texts, _key_text(last, table) if last else None)
        texts.append(row.text)
        size += row.size
        last = row
    return _body(texts, None)


def _body(texts: list[str], last: str | None) -> str:
    tail = f',"LastEvaluatedKey":{last}' if last else ""
    return f'{{"Count":{len(texts)},"ScannedCount":{len(texts)},"Items":[{",".join(texts)}]{tail}}}'


def _key_text(row: _Row, table: Any) -> str:
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    return written(dict(zip(names, row.order, strict=True)))


def _start(key: dict[str, Any] | None, table: Any, rows: list[_Row]) -> int:
    if key is None:
        return 0
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    after = tuple(DynamoType(key[name]) for name in names)
    return bisect_right(rows, after, key=lambda row: row.order)


def _prepared(call: Call, table: Any) -> list[_Row]:
    """Every item's text in moto's order, made once for as long as nothing is written."""
    key, writes = tables.table_id(table), tables.writes(call.region)
    found = _rows.get(key)
    if found is None or found[0] != writes:
        found = (writes, [_row(item) for item in table.all_items()])
        _rows[key] = found
    return found[1]


def _row(item: Any) -> _Row:
    order = (item.hash_key,) if item.range_key is None else (item.hash_key, item.range_key)
    return _Row(order, item.size(), written(item.attrs), item)


def _pruned(value: Any) -> Any:
    """moto's reply without what it has no value for."""
    if isinstance(value, dict):
        return {key: _pruned(inner) for key, inner in value.items() if inner is not None}
    return [_pruned(inner) for inner in value] if isinstance(value, list) else value


def table_named(call: Call, name: str) -> Any:
    """moto's table of this name or ARN; it must be there."""
    return dynamodb_backends[call.region.account][call.region.name].tables[name.split("/")[-1]]


def _counted(call: Call, table: Any) -> tuple[int, int]:
    """Item count and size as of the last count."""
    table_id = tables.table_id(table)
    created = table.created_at.replace(tzinfo=UTC)
    at, count, size = call.region.counts.get(table_id, (created, 0, 0))
    if call.now - at >= COUNTED_EVERY:
        content = tables.content_of(call.region, table)
        at, count, size = call.now, len(content.items), content.size_bytes
    call.region.counts[table_id] = (at, count, size)
    return count, size
