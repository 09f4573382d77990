"""The snapshot file: an Inventory as gzipped JSON, the same bytes for the same inventory. It holds no item data."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import orjson

from backcheck.errors import UsageError
from backcheck.inventory.codec import Unreadable, codec
from backcheck.inventory.contradictions import contradictions
from backcheck.inventory.model import Inventory

SCHEMA = "backcheck/inventory/v1"

LEVEL = 1
"""gzip's quickest: the columns already say each repeated string once."""

TOLD_AT_MOST = 3
"""Contradictions named in a message."""

BYTES_AT_MOST = 2 * 1024**3
"""Unpacked. A larger file is refused before it fills the memory."""


def dumps(inventory: Inventory) -> bytes:
    """The file's bytes."""
    document = {"schema": SCHEMA, "inventory": codec(Inventory).encode(inventory)}
    return gzip.compress(orjson.dumps(document), LEVEL, mtime=0)


def loads(data: bytes, file: str = "snapshot") -> Inventory:
    """An equal Inventory. Raises UsageError for what is not a snapshot of this version."""
    try:
        document = orjson.loads(_unpacked(data))
    except (zlib.error, orjson.JSONDecodeError, ValueError) as error:
        raise UsageError(f"not a snapshot: {error}", where=file, hint="backcheck snapshot writes one") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"not a snapshot of schema {SCHEMA}", where=file, hint="take it anew with this version")
    try:
        inventory: Inventory = codec(Inventory).decode(document.get("inventory"))
    except Unreadable as error:
        raise UsageError(f"a damaged snapshot: {error}", where=file, hint="take it anew") from error
    return inventory


def write(inventory: Inventory, path: Path) -> str:
    """Write the file and return the sha256 of its bytes."""
    data = dumps(inventory)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> Inventory:
    """Read the file. Raises UsageError where it cannot be read, or says what cannot be true of any account."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # such as /dev/zero, which has no end
            raise UsageError("cannot be read: it is no regular file", where=str(path))
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where=str(path), hint="name a file that `backcheck snapshot` wrote"
        ) from error
    inventory = loads(data, str(path))
    wrong = list(contradictions(inventory))
    if wrong:
        more = f", and {len(wrong) - TOLD_AT_MOST} more" if len(wrong) > TOLD_AT_MOST else ""
        raise UsageError(
            f"a snapshot that cannot be true: {'; '.join(wrong[:TOLD_AT_MOST])}{more}",
            where=str(path),
            hint="it was damaged or changed since it was written: take it anew",
        )
    return inventory


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    text = unpacker.decompress(data, BYTES_AT_MOST)
    if unpacker.unconsumed_tail:
        raise ValueError(f"more than {BYTES_AT_MOST} bytes unpacked")
    if not unpacker.eof:
        raise ValueError("the file ends early")
    return text
