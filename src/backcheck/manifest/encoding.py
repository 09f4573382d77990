"""One encoding for one item: the canonical JSON that docs/manifest.md defines.

Canonical JSON rather than a binary format of our own: it is typed because DynamoDB's JSON is, it delimits itself,
anyone can recompute it, and orjson writes it at C speed. Names are sorted, sets sorted, numbers spelled one way, binary
re-encoded.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from itertools import chain
from typing import Any, TypeAlias

import orjson

from backcheck.errors import Error
from backcheck.manifest.number import MAX_DIGITS, SMALL_INTEGERS, canonical_number, is_canonical
from backcheck.manifest.plain import is_plain

Attributes: TypeAlias = dict[str, Any]
"""An item, or a map in one: name to typed value, as DynamoDB's JSON has it, such as `{"id": {"N": "1"}}`."""

MAX_DEPTH = 64
"""Maps and lists inside each other. DynamoDB stops at 32; twice that, so that how one counts never refuses an item."""
_WRAPPING = len('{"Item":}')
_KEY_TYPES = frozenset("SNB")
_SETS = frozenset(("SS", "NS", "BS"))
_TYPES = ("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS")


def parse_object(text: bytes) -> Attributes:
    """The JSON object in `text`. Raises Error if it is none, or names a member twice."""
    parsed = load_object(text)
    try:
        compact = orjson.dumps(parsed) == text
    except orjson.JSONEncodeError as error:
        raise Error("nested too deep") from error
    if not compact:
        refuse_repeated_names(text)
    return parsed


def parse_line(line: bytes) -> tuple[Attributes, bytes]:
    """The item in a line of a full export, `{"Item": {...}}` and nothing else, in canonical form; and its encoding."""
    record = load_object(line)
    if len(record) != 1 or "Item" not in record:
        hint = "this looks like an incremental export" if "Keys" in record else ""
        raise Error("a line that is not an object with one member, Item", hint=hint)
    item: Attributes = record["Item"]
    respelled = make_canonical(item)
    encoded = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
    if respelled or len(encoded) != len(line) - _WRAPPING:
        refuse_repeated_names(line)
    return item, encoded


def load_object(text: bytes) -> Attributes:
    """The JSON object in `text`; of members with one name the last. Raises Error if it is none."""
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Error(f"not JSON: {error.msg.partition(':')[0]}, at byte {error.pos}") from error
    if type(parsed) is not dict:
        raise Error("not a JSON object")
    return parsed


def refuse_repeated_names(text: bytes) -> None:
    """Raise Error if an object in `text` names a member twice: orjson keeps the last, and another reader may not.

    Slow, so called only where a member may have been dropped. But for numbers, no spelling of a value is shorter than
    the canonical one: where no number was respelled, an encoding as long as its text has dropped nothing.
    """
    try:
        json.loads(text, object_pairs_hook=_distinct)
    except RecursionError as error:
        raise Error("nested too deep") from error
    except ValueError as error:
        # Python's own parser refuses a few texts that orjson takes, such as a number of 5,000 digits.
        raise Error("not DynamoDB JSON") from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Error("an attribute is named twice")
    return members


def encode_item(item: Attributes) -> bytes:
    """The canonical bytes of `item`, which is made canonical in place. Raises Error for what DynamoDB cannot hold."""
    make_canonical(item)
    return orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def encode_key(item: Attributes, names: tuple[str, ...]) -> bytes:
    """The canonical bytes of the key attributes of an item that is canonical already."""
    key = {}
    try:
        for name in names:
            key[name] = item[name]
    except KeyError as error:
        raise Error(f"an item without the key attribute {error.args[0]!r}", hint="check --key") from error
    if not _KEY_TYPES.issuperset(chain.from_iterable(key.values())):
        raise Error("a key attribute that is neither string, number nor binary", hint="check --key")
    return orjson.dumps(key, option=orjson.OPT_SORT_KEYS)


def make_canonical(item: Attributes) -> bool:
    """Respell every value of an item in place; True if a number was respelled. Raises Error for what is no item."""
    if is_plain(item):
        return False
    if type(item) is not dict or "" in item:
        raise Error("an item that is not an object of named values")
    if not item:
        raise Error("an item without attributes")
    return _make_values_canonical(item.values(), 0)


def _make_values_canonical(values: Iterable[Any], depth: int) -> bool:
    """The hot loop: the commonest types are written out, and what is no object with one member fails to unpack."""
    if depth > MAX_DEPTH:
        raise Error(f"maps and lists nested deeper than {MAX_DEPTH}")
    respelled = False
    try:
        for typed in values:
            (kind,) = typed
            value = typed[kind]
            if kind == "S":
                if type(value) is not str:
                    raise Error("a value of type S that is not a string")
            elif kind == "N":
                if type(value) is not str:
                    raise Error("a value of type N that is not written as a string")
                if value not in SMALL_INTEGERS and (len(value) > MAX_DIGITS or not is_canonical(value)):
                    typed["N"] = canonical_number(value)
                    respelled = True
            elif kind == "M":
                if type(value) is not dict or "" in value:
                    raise Error("a map that is not an object of named values")
                respelled |= _make_values_canonical(value.values(), depth + 1)
            elif kind == "L":
                if type(value) is not list:
                    raise Error("a value of type L that is not a list")
                respelled |= _make_values_canonical(value, depth + 1)
            elif kind == "BOOL":
                if value is not True and value is not False:
                    raise Error("a value of type BOOL that is neither true nor false")
            else:
                typed[kind] = _canonical_value(kind, value)
                respelled |= kind == "NS"
    except (TypeError, ValueError, LookupError) as error:
        raise Error("a value that is not an object with one type") from error
    return respelled


def _canonical_value(kind: str, value: Any) -> Any:
    if kind == "NULL":
        if value is not True:
            raise Error("a value of type NULL that is not true")
    elif kind == "B":
        return _canonical_binary(value)
    elif kind in _SETS:
        return _canonical_set(kind, value)
    else:
        raise Error(f"a value of an unknown type; the types are {', '.join(_TYPES)}")
    return value


def _canonical_binary(text: Any) -> str:
    if type(text) is not str:
        raise Error("a value of type B that is not a string")
    try:
        return b2a_base64(a2b_base64(text.encode("ascii"), strict_mode=True), newline=False).decode("ascii")
    except (Base64Error, UnicodeEncodeError) as error:
        raise Error("a value of type B that is not base64") from error


def _canonical_set(kind: str, values: Any) -> list[str]:
    """Sorted by code point, which is UTF-8's byte order. DynamoDB's sets are never empty and never repeat a member."""
    if type(values) is not list or not values or type(values[0]) is not str:
        raise Error(f"a value of type {kind} that is not a list of strings with at least one member")
    if kind == "NS":
        values = map(canonical_number, values)
    elif kind == "BS":
        values = map(_canonical_binary, values)
    members = sorted(values)  # a TypeError, which the caller knows, if a later member is no string
    if len(set(members)) != len(members):
        raise Error(f"a value of type {kind} that holds a member twice")
    return members
