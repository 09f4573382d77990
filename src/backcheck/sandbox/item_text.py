"""Items as text that cannot change: what history, recovery points, scans and exports share.

moto's UpdateItem changes a stored item in place, so nothing may be shared but text; equal items have equal text as long
as their attributes come in the same order.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import orjson
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict


def written(value: Any) -> str:
    """JSON of moto's items and attribute values."""
    return orjson.dumps(value, default=_plain).decode()


def fill(table: Any, texts: Iterable[str]) -> None:
    """Put the items of these texts into moto's table, past its checks: they passed when they were written."""
    for text in texts:
        item = _item(table, orjson.loads(text))
        if item.range_key is None:
            table.items[item.hash_key] = item
        else:
            table.items[item.hash_key][item.range_key] = item


def _item(table: Any, attributes: dict[str, Any]) -> Any:
    item: Any = object.__new__(Item)
    item.attrs = LimitedSizeDict()
    for name, value in attributes.items():
        # LimitedSizeDict measures the whole item again at each attribute.
        dict.__setitem__(item.attrs, name, DynamoType(value))
    item.hash_key = DynamoType(attributes[table.hash_key_attr])
    item.range_key = DynamoType(attributes[table.range_key_attr]) if table.range_key_attr else None
    return item


def _plain(value: Any) -> Any:
    if isinstance(value, DynamoType):
        return {value.type: value.value}
    if isinstance(value, Item):
        return value.attrs
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")
