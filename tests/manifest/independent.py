"""The manifest, recomputed from docs/manifest.md alone by someone who had not read the code. Imports nothing of ours.

Slow and obvious on purpose. `python tests/manifest/independent.py` compares it with every published vector.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from collections.abc import Iterable
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

from blake3 import blake3

VECTORS = Path(__file__).parents[2] / "docs" / "manifest-vectors.json"
LANES = 1024
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,10})?", re.ASCII)


class RefusedError(ValueError):
    """Section 1, 'What is refused'."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object names a member once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusedError("a member is named twice")
    return found


def parse(text: str) -> Any:
    """JSON, strictly."""

    def constant(name: str) -> Any:
        raise RefusedError(name)

    try:
        text.encode("utf-8")
        value = json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except (UnicodeEncodeError, json.JSONDecodeError) as error:
        raise RefusedError(str(error)) from error
    return value


def number(text: Any) -> str:
    """Section 1, 'Numbers'."""
    if not isinstance(text, str) or len(text) > 1000 or not NUMBER.fullmatch(text):
        raise RefusedError(f"number {text!r}")
    with localcontext(Context(prec=2000, Emin=-(10**12), Emax=10**12)):
        sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).lstrip("0")
    while significant.endswith("0"):
        significant, exponent = significant[:-1], exponent + 1
    if not significant:
        return "0"
    leading = len(significant) + exponent - 1  # the power of ten of the first digit
    if len(significant) > 38 or leading < -130 or leading >= 126:
        raise RefusedError("number out of range")
    if exponent >= 0:
        plain = significant + "0" * exponent
    elif leading >= 0:
        plain = significant[:exponent] + "." + significant[exponent:]
    else:
        plain = "0." + "0" * (-leading - 1) + significant
    return "-" * sign + plain


def string(text: Any) -> str:
    """A string without lone surrogates."""
    if not isinstance(text, str):
        raise RefusedError("not a string")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RefusedError("lone surrogate") from error
    return text


def binary(text: Any) -> str:
    """Base64, standard alphabet, padded; unused bits come out zero."""
    try:
        raw = base64.b64decode(string(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError("base64") from error
    if len(text) != 4 * ((len(raw) + 2) // 3):
        raise RefusedError("padding")
    return base64.b64encode(raw).decode()


def members(values: Any, canonical: Any) -> list[str]:
    """A set: not empty, no member twice, sorted by characters."""
    if not isinstance(values, list) or not values:
        raise RefusedError("empty set")
    made = sorted(canonical(value) for value in values)
    if len(set(made)) != len(made):
        raise RefusedError("a set holds a member twice")
    return made


def attributes(value: Any, depth: int) -> dict[str, Any]:
    """The attributes of an item or a map."""
    if not isinstance(value, dict) or "" in value:
        raise RefusedError("not attributes")
    return {string(name): typed(inner, depth) for name, inner in value.items()}


def typed(value: Any, depth: int) -> dict[str, Any]:
    """One value: an object with one member, the type."""
    if not isinstance(value, dict) or len(value) != 1:
        raise RefusedError("not one type")
    ((kind, inner),) = value.items()
    if kind in ("M", "L") and depth >= 64:
        raise RefusedError("too deep")
    match kind:
        case "S":
            return {kind: string(inner)}
        case "N":
            return {kind: number(inner)}
        case "B":
            return {kind: binary(inner)}
        case "BOOL" if isinstance(inner, bool):
            return {kind: inner}
        case "NULL" if inner is True:
            return {kind: True}
        case "M":
            return {kind: attributes(inner, depth + 1)}
        case "L" if isinstance(inner, list):
            return {kind: [typed(one, depth + 1) for one in inner]}
        case "SS":
            return {kind: members(inner, string)}
        case "NS":
            return {kind: members(inner, number)}
        case "BS":
            return {kind: members(inner, binary)}
    raise RefusedError(f"type {kind!r}")


def dump(value: Any) -> bytes:
    """Section 1, 'The JSON text'."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def item_of(text: str) -> dict[str, Any]:
    """A canonical item."""
    item = attributes(parse(text), 0)
    if not item:
        raise RefusedError("no attributes")
    return item


def digest_and_lanes(canonical: bytes) -> tuple[bytes, bytes]:
    """Section 2."""
    output = blake3(b"backcheck/manifest/v1/item\n" + canonical).digest(length=2080)
    return output[:32], output[32:]


def key_digest(item: dict[str, Any], key: Iterable[str]) -> bytes:
    """Section 3."""
    return blake3(b"backcheck/manifest/v1/key\n" + dump({name: item[name] for name in key})).digest()


def bucket(digest: bytes) -> int:
    """The first twelve bits."""
    return digest[0] * 16 + digest[1] // 16


def table(items: Iterable[dict[str, Any]], key: list[str] | None) -> dict[str, Any]:
    """Section 4, as a manifest has it."""
    count = size = 0
    lanes = [0] * LANES
    buckets: dict[int, tuple[int, int]] = {}
    for item in items:
        canonical = dump(item)
        digest, raw = digest_and_lanes(canonical)
        count, size = count + 1, size + len(canonical)
        for place in range(LANES):
            lanes[place] = (lanes[place] + int.from_bytes(raw[2 * place : 2 * place + 2], "little")) % 2**16
        where = bucket(key_digest(item, key) if key else digest)
        number_in, total = buckets.get(where, (0, 0))
        buckets[where] = (number_in + 1, (total + int.from_bytes(digest, "little")) % 2**256)
    packed = b"".join(lane.to_bytes(2, "little") for lane in lanes)
    head = b"backcheck/manifest/v1/table\n" + count.to_bytes(8, "little") + size.to_bytes(8, "little")
    return {
        "count": count,
        "size_bytes": size,
        "digest": blake3(head + packed).hexdigest(),
        "lanes": packed.hex(),
        "buckets": {f"{k:03x}": [n, s.to_bytes(32, "little").hex()] for k, (n, s) in buckets.items()},
    }


def text_of(vector: dict[str, Any]) -> str:
    """A vector's text, with what is repeated put in."""
    text: str = vector["text"]
    repeat = vector.get("repeat")
    return text.replace(repeat.get("placeholder", "@"), repeat["unit"] * repeat["times"]) if repeat else text


def item_problems(vector: dict[str, Any]) -> list[str]:
    """Where an item's vector and this file disagree."""
    item = item_of(text_of(vector))
    canonical = dump(item)
    digest, lanes = digest_and_lanes(canonical)
    key = key_digest(item, vector["key"])
    mine: dict[str, Any] = {
        "item_digest": digest.hex(),
        "lanes_blake3": blake3(lanes).hexdigest(),
        "key_digest": key.hex(),
        "bucket_by_key": f"{bucket(key):03x}",
        "bucket_by_item": f"{bucket(digest):03x}",
    }
    if vector.get("canonical") is None:
        mine |= {"canonical_blake3": blake3(canonical).hexdigest(), "size_bytes": len(canonical)}
    else:
        mine["canonical"] = canonical.decode()
    return [
        f"{vector['name']}: {name}: {value!r}, not {vector[name]!r}"
        for name, value in mine.items()
        if vector[name] != value
    ]


def self_digest(manifest: dict[str, Any]) -> str:
    """Section 5: what vouches for the file itself."""
    rest = {name: value for name, value in manifest.items() if name != "self_digest"}
    return blake3(b"backcheck/manifest/v1/self\n" + dump(rest)).hexdigest()


def accepted(text: str) -> bool:
    """Whether a text has a digest."""
    try:
        item_of(text)
    except RefusedError:
        return False
    return True


def problems(vectors: dict[str, Any]) -> list[str]:
    """Every disagreement with the published vectors."""
    found = [problem for vector in vectors["items"] for problem in item_problems(vector)]
    for group in vectors["same"]:
        texts = group["texts"] if isinstance(group, dict) else group
        if len({dump(item_of(text)) for text in texts}) != 1:
            found.append(f"not the same: {texts}")
    for refused in vectors["refused"]:
        text = text_of(refused) if isinstance(refused, dict) else refused
        if accepted(text):
            found.append(f"accepted: {text[:80]!r}")
    by_name = {vector["name"]: vector for vector in vectors["items"]}
    for one in vectors["tables"]:
        items = [item_of(text_of(by_name[name])) for name in one["items"]] * one.get("times", 1)
        mine = table(items, one["key"])
        found += [f"{one.get('name', one['items'])}: {name}" for name, value in mine.items() if one[name] != value]
    return found


if __name__ == "__main__":
    wrong = problems(json.loads(VECTORS.read_text(encoding="utf-8")))
    print("\n".join(wrong) or "every vector agrees")
    sys.exit(bool(wrong))
