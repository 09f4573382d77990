"""The request that brings one item back, under a condition that fails if anything in it was written meanwhile. Pure.

An item that is there is updated, not put: a put would also wipe out an attribute that somebody adds between our read
and our write, which no condition can name. An update touches what its condition has compared, and nothing else.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from __future__ import annotations

import copy
from base64 import b64decode, b64encode
from typing import Any

from backcheck.manifest.encoding import Attributes

EXPRESSION_BYTES = 4096
"""'The maximum length of any expression string is 4 KB', of 1024 bytes each.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
The same page allows 2 MB of names and values together: two items have 400 KB each at most, so that is never reached."""
MAX_OPERATORS = 300
"""Operators and functions in one expression (the same page). A comparator, a function and each AND count as one: a
condition on n attributes has 2n - 1. The `=` of a SET action counts for nothing."""


def put_request(table: str, restored: Attributes, key: tuple[str, ...]) -> dict[str, Any]:
    """PutItem for an item that is not there. Fails if one of its key has come meanwhile."""
    return {
        "TableName": table,
        "Item": to_client(restored),
        "ConditionExpression": "attribute_not_exists(#k)",
        "ExpressionAttributeNames": {"#k": key[0]},
    }


def update_request(table: str, restored: Attributes, live: Attributes, key: tuple[str, ...]) -> dict[str, Any] | None:
    """UpdateItem that makes `live` into `restored`, on condition that each attribute is as it was read.

    Both are canonical. None where there are too many attributes for one expression.
    """
    names = {name: f"#{number}" for number, name in enumerate(sorted(live.keys() | restored.keys()))}
    condition = " AND ".join(
        f"{place}=:l{place[1:]}" if name in live else f"attribute_not_exists({place})" for name, place in names.items()
    )
    changed = [name for name in names if name in restored and restored[name] != live.get(name)]
    dropped = [name for name in names if name not in restored]
    parts = [f"SET {', '.join(f'{names[n]}=:r{names[n][1:]}' for n in changed)}"] if changed else []
    parts += [f"REMOVE {', '.join(names[n] for n in dropped)}"] if dropped else []
    update = " ".join(parts)
    if 2 * len(names) - 1 > MAX_OPERATORS or max(len(condition), len(update)) > EXPRESSION_BYTES:
        return None
    values = {f":l{names[name][1:]}": value for name, value in live.items()}
    values |= {f":r{names[name][1:]}": restored[name] for name in changed}
    return {
        "TableName": table,
        "Key": to_client({name: restored[name] for name in key}),
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {place: name for name, place in names.items()},
        "ExpressionAttributeValues": to_client(values),
        "ReturnValues": "ALL_NEW",
    }


def to_client(attributes: Attributes) -> dict[str, Any]:
    """DynamoDB JSON as boto3's client takes it: binary as bytes."""
    return {name: _to_client(typed) for name, typed in attributes.items()}


def _to_client(typed: dict[str, Any]) -> dict[str, Any]:
    ((kind, value),) = typed.items()
    match kind:
        case "B":
            return {"B": b64decode(value)}
        case "BS":
            return {"BS": [b64decode(one) for one in value]}
        case "M":
            return {"M": to_client(value)}
        case "L":
            return {"L": [_to_client(one) for one in value]}
        case _:
            return {kind: copy.copy(value)}


def from_client(attributes: dict[str, Any]) -> Attributes:
    """What boto3's client gives as DynamoDB JSON: binary as base64."""
    return {name: _from_client(typed) for name, typed in attributes.items()}


def _from_client(typed: dict[str, Any]) -> dict[str, Any]:
    ((kind, value),) = typed.items()
    match kind:
        case "B":
            return {"B": b64encode(value).decode()}
        case "BS":
            return {"BS": [b64encode(one).decode() for one in value]}
        case "M":
            return {"M": from_client(value)}
        case "L":
            return {"L": [_from_client(one) for one in value]}
        case _:
            return {kind: copy.copy(value)}
