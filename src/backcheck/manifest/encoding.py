"""One encoding for one item: the canonical JSON that docs/manifest.md defines.

Canonical JSON rather than a binary format of our own: it is typed because DynamoDB's JSON is, it delimits itself,
anyone can recompute it, and orjson writes it at C speed. Names are sorted, sets sorted, numbers spelled one way, binary
re-encoded.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Any, TypeAlias

import orjson

from backcheck.errors import Error
from backcheck.manifest.number import MAX_DIGITS, canonical_number, is_canonical

Attributes: TypeAlias = dict[str, Any]
"""An item, or a map in one: name to typed value, as DynamoDB's JSON has it, such as `{"id": {"N": "1"}}`."""

MAX_DEPTH = 64
"""Maps and lists inside each other. DynamoDB stops at 32; twice that, so that how one counts never refuses an item."""
_SORTED = orjson.OPT_SORT_KEYS
_KEY_TYPES = frozenset("SNB")
_TYPES = frozenset(("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"))


def parse_object(text: bytes) -> Attributes:
    """The JSON object in `text`, refused if it names a member twice.

    A parser would keep one of the two and drop the other: two readers could then see different items in equal bytes.
    Writing the object again gives the same bytes when the text is compact and nothing was dropped, which is the usual
    case and cheap; any other text goes through a parser that looks at every member.
    """
    try:
        parsed = orjson.loads(text)
        if orjson.dumps(parsed) != text:
            json.loads(text, object_pairs_hook=_distinct)
    except orjson.JSONDecodeError as error:
        raise Error(f"not JSON: {error.msg} at byte {error.pos}") from error
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise Error("nested too deep") from error
    except UnicodeDecodeError as error:
        raise Error("not UTF-8") from error
    except ValueError as error:
        # Python's own parser refuses a few texts that orjson takes, such as a number of 5,000 digits.
        raise Error("not DynamoDB JSON") from error
    if type(parsed) is not dict:
        raise Error("not a JSON object")
    return parsed


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Error("an attribute is named twice")
    return members


def encode_item(item: Attributes) -> bytes:
    """The canonical bytes of `item`, which is made canonical in place. Raises Error for what DynamoDB cannot hold."""
    if not item:
        raise Error("an item without attributes")
    make_canonical(item)
    return orjson.dumps(item, option=_SORTED)


def encode_key(item: Attributes, names: tuple[str, ...]) -> bytes:
    """The canonical bytes of the key attributes of an item that is canonical already."""
    try:
        key = {name: item[name] for name in names}
    except KeyError as error:
        raise Error(f"an item without the key attribute {error.args[0]!r}", hint="check --key") from error
    for name, typed in key.items():
        if _KEY_TYPES.isdisjoint(typed):
            raise Error(f"the key attribute {name!r} is neither string, number nor binary", hint="check --key")
    return orjson.dumps(key, option=_SORTED)


def make_canonical(attributes: Attributes, depth: int = 0) -> None:
    """Respell every value of a map in place. The two commonest types are written out here: this loop is the hot one."""
    if type(attributes) is not dict or "" in attributes:
        raise Error("a map that is not an object of named values")
    for typed in attributes.values():
        if type(typed) is not dict or len(typed) != 1:
            raise Error("a value that is not an object with one type")
        [(kind, value)] = typed.items()
        if kind == "S":
            if type(value) is not str:
                raise Error("a value of type S that is not a string")
        elif kind == "N":
            if type(value) is not str:
                raise Error("a value of type N that is not written as a string")
            if len(value) > MAX_DIGITS or not is_canonical(value):
                typed["N"] = canonical_number(value)
        else:
            typed[kind] = _canonical_value(kind, value, depth)


def _canonical_value(kind: str, value: Any, depth: int) -> Any:
    match kind:
        case "M":
            make_canonical(value, _deeper(depth))
        case "L":
            _canonical_list(value, _deeper(depth))
        case "B":
            return _canonical_binary(value)
        case "BOOL":
            if type(value) is not bool:
                raise Error("a value of type BOOL that is neither true nor false")
        case "NULL":
            if value is not True:
                raise Error("a value of type NULL that is not true")
        case "SS" | "NS" | "BS":
            return _canonical_set(kind[0], value)
        case _:
            raise Error(f"a value of an unknown type; the types are {', '.join(sorted(_TYPES))}")
    return value


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise Error(f"maps and lists nested deeper than {MAX_DEPTH}")
    return depth + 1


def _canonical_list(values: Any, depth: int) -> None:
    if type(values) is not list:
        raise Error("a value of type L that is not a list")
    for typed in values:
        make_canonical({"element": typed}, depth)


def _canonical_binary(text: Any) -> str:
    if type(text) is not str:
        raise Error("a value of type B that is not a string")
    try:
        return b2a_base64(a2b_base64(text.encode("ascii"), strict_mode=True), newline=False).decode("ascii")
    except (Base64Error, UnicodeEncodeError) as error:
        raise Error("a value of type B that is not base64") from error


def _canonical_set(kind: str, values: Any) -> list[str]:
    """Sorted by code point, which is UTF-8's byte order. DynamoDB's sets are never empty and never repeat a member."""
    if type(values) is not list or not values or not all(type(value) is str for value in values):
        raise Error(f"a value of type {kind}S that is not a list of strings with at least one member")
    if kind == "N":
        values = [canonical_number(value) for value in values]
    elif kind == "B":
        values = [_canonical_binary(value) for value in values]
    if len(set(values)) != len(values):
        raise Error(f"a value of type {kind}S that holds a member twice")
    return sorted(values)
