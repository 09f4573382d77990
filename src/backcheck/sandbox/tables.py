"""DynamoDB tables, as AWS Backup sees them: what exists, its tags, and its content at this moment."""

from __future__ import annotations

import copy
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from backcheck import selection
from backcheck.sandbox import item_text
from backcheck.sandbox.world import Region

TYPE = "DynamoDB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a table held at one moment. Shared by every backup taken while the table was not written to."""

    table_id: str
    table: Any
    """moto's table as it stood, without items: schema, indexes, settings."""
    items: tuple[str, ...]
    """Each item's text."""
    size_bytes: int


_contents: dict[str, tuple[int, Content]] = {}
_writes: dict[tuple[str, str], int] = {}
_born = itertools.count()


def forget() -> None:
    """Drop what is shared: another sandbox begins."""
    global _born
    _contents.clear()
    _writes.clear()
    _born = itertools.count()


def table_id(table: Any) -> str:
    """The table's id: a table that is created again under the same name has another one."""
    attributes = table.__dict__
    if "sandbox_id" not in attributes:
        attributes["sandbox_id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{table.table_arn}/{next(_born)}"))
    known: str = attributes["sandbox_id"]
    return known


def written(account: str, region: str) -> None:
    """Note that something in DynamoDB may have changed."""
    _writes[(account, region)] = _writes.get((account, region), 0) + 1


def writes(region: Region) -> int:
    """A number that changes whenever something in the Region's DynamoDB may have changed."""
    return _writes.get((region.account, region.name), 0)


def content_of(region: Region, table: Any) -> Content:
    """The table's content now, copied only if something was written since it was last asked for."""
    key, generation = table_id(table), writes(region)
    found = _contents.get(key)
    if found is None or found[0] != generation:
        found = (generation, _copy(table))
        _contents[key] = found
    return found[1]


def table_of(region: Region, arn: str) -> Any:
    """moto's table of this ARN, or None."""
    name = arn.split("/", 1)[-1]
    table = dynamodb_backends[region.account][region.name].tables.get(name)
    return table if table is not None and table.table_arn == arn else None


def delete(region: Region, arn: str) -> None:
    """Take a table away, as AWS Backup does at the end of a restore test."""
    table = table_of(region, arn)
    if table is not None:
        del dynamodb_backends[region.account][region.name].tables[table.name]
        forget_table(region, table_id(table))
        written(region.account, region.name)


def forget_table(region: Region, table_id: str) -> None:
    """What the sandbox adds to a table that is gone."""
    for kept in (region.continuous, region.histories, region.restored, region.counts):
        kept.pop(table_id, None)
    _contents.pop(table_id, None)


def resources(region: Region) -> Iterator[selection.Resource]:
    """Every table of the Region, for a selection to judge."""
    for table in list(dynamodb_backends[region.account][region.name].tables.values()):
        yield selection.Resource(arn=table.table_arn, type=TYPE, tags=tags_of(table))


def tags_of(table: Any) -> dict[str, str]:
    """The table's tags."""
    return {tag["Key"]: tag["Value"] for tag in table.tags}


def _copy(table: Any) -> Content:
    items = table.all_items()
    bare = copy.copy(table)
    bare.items = {}
    return Content(
        table_id=table_id(table),
        table=copy.deepcopy(bare),
        items=tuple(item_text.written(item.attrs) for item in items),
        size_bytes=sum(item.size() for item in items),
    )
