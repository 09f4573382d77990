"""Writes docs/manifest-vectors.json: `python -m tests.manifest.vectors`. Texts are chosen here, digests computed.

Whether the digests are right is not for this file to say: independent.py recomputes them from docs/manifest.md alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from blake3 import blake3

from backcheck.manifest.digest import (
    ITEM_PREFIX,
    OUTPUT_BYTES,
    SUM_BYTES,
    Accumulator,
    bucket_counts,
    bucket_of,
    key_digest,
)
from backcheck.manifest.encoding import encode_item, parse_object

PATH = Path(__file__).parents[2] / "docs" / "manifest-vectors.json"
MAX_DIGITS = "12345678901234567890123456789012345678"


def _nested(levels: int) -> str:
    text = '{"N":"1"}'
    for level in range(levels):
        text = f'{{"M":{{"m":{text}}}}}' if level % 2 else f'{{"L":[{text}]}}'
    return text


ITEMS: dict[str, str] = {
    "string": '{"id":{"S":"a"}}',
    "number": '{"id":{"N":"1"}}',
    "string that looks like a number": '{"id":{"S":"1"}}',
    "binary": '{"id":{"B":"AAEC/v8="}}',
    "binary that is a string's bytes": '{"id":{"B":"YQ=="}}',
    "two-part key, members out of order": '{"order":{"N":"7"},"customer":{"S":"c1"}}',
    "boolean true": '{"id":{"S":"a"},"v":{"BOOL":true}}',
    "boolean false": '{"id":{"S":"a"},"v":{"BOOL":false}}',
    "string that looks like a boolean": '{"id":{"S":"a"},"v":{"S":"true"}}',
    "null": '{"id":{"S":"a"},"v":{"NULL":true}}',
    "string set": '{"id":{"S":"a"},"v":{"SS":["red","Red","blue",""]}}',
    "number set": '{"id":{"S":"a"},"v":{"NS":["10","2","-1","0.5","1E2"]}}',
    "binary set": '{"id":{"S":"a"},"v":{"BS":["/w==","AAEC",""]}}',
    "string set that looks like a number set": '{"id":{"S":"a"},"v":{"SS":["10","2"]}}',
    "list": '{"id":{"S":"a"},"v":{"L":[{"S":"b"},{"S":"a"},{"N":"1.0"},{"NULL":true},{"L":[]},{"M":{}}]}}',
    "map": '{"id":{"S":"a"},"v":{"M":{"z":{"S":"1"},"a":{"N":"1"},"M":{"S":"x"}}}}',
    "attributes named like types": '{"S":{"S":"S"},"N":{"N":"1"},"M":{"M":{"L":{"L":[]}}}}',
    "sets in a map in a list": (
        '{"id":{"S":"a"},"v":{"L":[{"M":{"s":{"SS":["b","a"]},"n":{"NS":["2","1"]},"b":{"BS":["Yg==","YQ=="]}}}]}}'
    ),
    "empty string and binary": '{"id":{"S":"a"},"s":{"S":""},"b":{"B":""}}',
    "empty list and map": '{"id":{"S":"a"},"l":{"L":[]},"m":{"M":{}}}',
    "minus zero": '{"id":{"N":"-0"}}',
    "minus zero with a fraction and exponent": '{"id":{"N":"-0.00E+5"}}',
    "38 digits": f'{{"id":{{"N":"{MAX_DIGITS}"}}}}',
    "38 digits, the last another": f'{{"id":{{"N":"{MAX_DIGITS[:-1]}9"}}}}',
    "38 digits, a fraction and a sign": f'{{"id":{{"N":"-{MAX_DIGITS[:20]}.{MAX_DIGITS[20:]}"}}}}',
    "38 digits and zeros that do not count": f'{{"id":{{"N":"000{MAX_DIGITS}000"}}}}',
    "the greatest number": '{"id":{"N":"9.9999999999999999999999999999999999999E+125"}}',
    "the smallest number above zero": '{"id":{"N":"1E-130"}}',
    "the least number": '{"id":{"N":"-9.9999999999999999999999999999999999999E125"}}',
    "plain decimal": '{"id":{"N":"-123.4500"}}',
    "characters that JSON escapes": '{"id":{"S":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\\u007f"}}',
    "beyond ASCII, raw": '{"id":{"S":"é€😀"},"é":{"S":"ﬁ"}}',
    "beyond ASCII, escaped": '{"id":{"S":"\\u00e9\\u20AC\\ud83d\\ude00"},"\\u00e9":{"S":"\\ufb01"}}',
    "not normalised": '{"id":{"S":"e\\u0301"}}',
    "names by code point, not by UTF-16": (
        '{"id":{"S":"a"},"\\uffff":{"S":"1"},"😀":{"S":"2"},"A":{"S":"3"},"a":{"S":"4"}}'
    ),
    "a set by code point, not by UTF-16": '{"id":{"S":"a"},"v":{"SS":["😀","\\uffff"]}}',
    "white space": ' { "id" : { "S" : " a " } ,\t"v":{"L":[ {"N":"1"} , {"N":"2"} ]} } ',
    "32 levels": f'{{"id":{{"S":"a"}},"v":{_nested(32)}}}',
    "400 kB of string": '{"id":{"S":"a"},"data":{"S":"@"}}',
    "400 kB of binary": '{"id":{"S":"a"},"data":{"B":"@AA=="}}',
    "400 kB of control characters": '{"id":{"S":"a"},"data":{"S":"@"}}',
}
"""Name to text."""

KEYS: dict[str, tuple[str, ...]] = {
    "two-part key, members out of order": ("customer", "order"),
    "attributes named like types": ("S", "N"),
}
REPEATS: dict[str, dict[str, Any]] = {
    "400 kB of string": {"unit": "aé€", "times": 68_000},
    "400 kB of binary": {"unit": "AAEC/v8A", "times": 66_660},
    "400 kB of control characters": {"unit": "\\u0001", "times": 409_000},
}

SAME: list[list[str]] = [
    [f'{{"id":{{"N":"{spelling}"}}}}' for spelling in ("1", "1.0", "1E0", "+1", "001", "10e-1", "0.1E1", "1.", "1e+0")],
    [f'{{"id":{{"N":"{spelling}"}}}}' for spelling in ("0", "-0", "0.0", "+0", "0E10", "-.0", "00", "0e-99999")],
    [f'{{"id":{{"N":"{spelling}"}}}}' for spelling in ("0.5", ".5", "5e-1", "00.50", "+5E-01")],
    [f'{{"id":{{"N":"{spelling}"}}}}' for spelling in ("100", "1E2", "1E+02", "0.1e3", "100.000")],
    ['{"a":{"S":"x"},"b":{"N":"1"}}', '{"b":{"N":"1.0"},"a":{"S":"x"}}', '{ "b": {"N":"1"}, "a": {"S":"\\u0078"} }'],
    ['{"a":{"SS":["x","y"]}}', '{"a":{"SS":["y","x"]}}'],
    ['{"a":{"NS":["1","2"]}}', '{"a":{"NS":["2.0","1E0"]}}'],
    ['{"a":{"BS":["AA==","AQ=="]}}', '{"a":{"BS":["AQ==","AA=="]}}'],
    ['{"a":{"B":"AA=="}}', '{"a":{"B":"AB=="}}'],
    ['{"a":{"M":{"x":{"S":"1"},"y":{"S":"2"}}}}', '{"a":{"M":{"y":{"S":"2"},"x":{"S":"1"}}}}'],
]
"""Spellings of one item."""

REFUSED: list[str] = [
    "",
    "null",
    "[]",
    "{}",
    '{"id"',
    '{"id":{"S":"a"}',
    '{"id":{"S":"a"}}x',
    '{"id":{"S":"a"},"id":{"S":"a"}}',
    '{"id":{"S":"a"},"id":{"S":"b"}}',
    '{"id":{"S":"a","S":"a"}}',
    '{"id":{"M":{"x":{"S":"1"},"x":{"S":"1"}}}}',
    '{"id":{"S":"a"},"\\u0069d":{"S":"a"}}',
    '{"":{"S":"a"}}',
    '{"id":{"M":{"":{"S":"a"}}}}',
    '{"id":"a"}',
    '{"id":null}',
    '{"id":{}}',
    '{"id":{"S":"a","N":"1"}}',
    '{"id":{"X":"a"}}',
    '{"id":{"s":"a"}}',
    '{"id":{"S":1}}',
    '{"id":{"S":null}}',
    '{"id":{"S":"\\ud800"}}',
    '{"id":{"S":"\n"}}',
    '{"id":{"N":1}}',
    '{"id":{"N":""}}',
    '{"id":{"N":"."}}',
    '{"id":{"N":"1 "}}',
    '{"id":{"N":"1,5"}}',
    '{"id":{"N":"0x1"}}',
    '{"id":{"N":"NaN"}}',
    '{"id":{"N":"Infinity"}}',
    '{"id":{"N":"1e"}}',
    '{"id":{"N":"--1"}}',
    '{"id":{"N":"1_000"}}',
    '{"id":{"N":"\u0661"}}',
    '{"id":{"N":"123456789012345678901234567890123456789"}}',
    '{"id":{"N":"1E126"}}',
    '{"id":{"N":"9E-131"}}',
    '{"id":{"N":"1E99999999999"}}',
    '{"id":{"B":"AA"}}',
    '{"id":{"B":"A"}}',
    '{"id":{"B":"AA==\\n"}}',
    '{"id":{"B":"A A="}}',
    '{"id":{"B":"AA==AA=="}}',
    '{"id":{"B":"_w=="}}',
    '{"id":{"B":1}}',
    '{"id":{"BOOL":"true"}}',
    '{"id":{"BOOL":1}}',
    '{"id":{"NULL":false}}',
    '{"id":{"NULL":null}}',
    '{"id":{"SS":[]}}',
    '{"id":{"SS":"a"}}',
    '{"id":{"SS":["a","a"]}}',
    '{"id":{"SS":["a",1]}}',
    '{"id":{"NS":["1","1.0"]}}',
    '{"id":{"NS":["a"]}}',
    '{"id":{"NS":[1]}}',
    '{"id":{"BS":["AA==","AB=="]}}',
    '{"id":{"BS":["a"]}}',
    '{"id":{"L":{}}}',
    '{"id":{"L":["a"]}}',
    '{"id":{"L":[{}]}}',
    '{"id":{"M":[]}}',
    '{"id":{"M":{"x":"a"}}}',
    f'{{"id":{_nested(65)}}}',
]
"""Texts of which there is no digest."""

TABLES: list[dict[str, Any]] = [
    {"name": "empty", "key": None, "items": []},
    {"name": "one item", "key": ["id"], "items": ["string"]},
    {"name": "one item twice", "key": ["id"], "items": ["string", "string"]},
    {"name": "S 1 and N 1", "key": ["id"], "items": ["number", "string that looks like a number"]},
    {"name": "without a key", "key": None, "items": ["number", "string that looks like a number", "map", "list"]},
    {
        "name": "everything with the key id, bucketed by key",
        "key": ["id"],
        "items": [name for name in ITEMS if name not in KEYS],
    },
    {"name": "everything, bucketed by item", "key": None, "items": list(ITEMS)},
    {"name": "70,000 times one item: sums that carry", "key": ["id"], "items": ["null"] * 70_000},
]


def text_of(name: str) -> bytes:
    """An item's text, with what is repeated filled in."""
    repeat = REPEATS.get(name)
    text = ITEMS[name]
    return (text.replace("@", repeat["unit"] * repeat["times"]) if repeat else text).encode()


def _item(name: str) -> dict[str, Any]:
    key = KEYS.get(name, ("id",))
    item = parse_object(text_of(name))
    canonical = encode_item(item)
    output = blake3(ITEM_PREFIX + canonical).digest(OUTPUT_BYTES)
    of_key = key_digest(item, key)
    long = name in REPEATS
    return {
        "name": name,
        "text": ITEMS[name],
        **({"repeat": REPEATS[name]} if long else {}),
        "key": list(key),
        "canonical": None if long else canonical.decode(),
        "canonical_blake3": blake3(canonical).hexdigest(),
        "size_bytes": len(canonical),
        "item_digest": output[:SUM_BYTES].hex(),
        "lanes_blake3": blake3(output[SUM_BYTES:]).hexdigest(),
        "key_digest": of_key.hex(),
        "bucket_by_key": f"{bucket_of(of_key):03x}",
        "bucket_by_item": f"{bucket_of(output):03x}",
    }


def _table(table: dict[str, Any]) -> dict[str, Any]:
    total = Accumulator(tuple(table["key"]) if table["key"] else None)
    for name in table["items"]:
        item = parse_object(text_of(name))
        total.add(item, encode_item(item))
    digest = total.digest()
    names = table["items"]
    once = len(set(names)) == 1 and len(names) > 2
    return {
        **table,
        "items": names[:1] if once else names,
        "times": len(names) if once else 1,
        "count": digest.items,
        "size_bytes": digest.size_bytes,
        "digest": digest.id,
        "lanes": digest.lanes.hex(),
        "buckets": {
            f"{bucket:03x}": [count, digest.sums[bucket * SUM_BYTES :][:SUM_BYTES].hex()]
            for bucket, count in enumerate(bucket_counts(digest))
            if count
        },
    }


def vectors() -> dict[str, Any]:
    """Everything that the file holds."""
    return {
        "format": "backcheck/manifest/v1",
        "items": [_item(name) for name in ITEMS],
        "same": SAME,
        "refused": REFUSED,
        "tables": [_table(table) for table in TABLES],
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n", encoding="ascii")
