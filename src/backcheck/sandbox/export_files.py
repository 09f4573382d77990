"""The files of an export, as they lie in S3.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
The page names the checksum files both `.checksum` and `.md5`: here `.md5`. It shows WriteTimestampMicros as a string.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from backcheck.sandbox.history import Change

PARTITIONS = 4
"""'At least 1 file per partition': here as many as this, and one for a partition that is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Every object of one export by its key, `_started` included."""

    objects: Mapping[str, bytes]
    items: int
    size_bytes: int


def item_line(image: str) -> str:
    """An item of a full export."""
    return f'{{"Item":{image}}}\n'


def change_line(change: Change, *, old_images: bool) -> str:
    """An item of an incremental export: insert, update or delete, by which images there are."""
    micros = int(change.written.timestamp() * 1_000_000)
    keys = orjson.dumps(change.key).decode()
    old = f',"OldImage":{change.before}' if old_images and change.before is not None else ""
    new = f',"NewImage":{change.after}' if change.after is not None else ""
    return f'{{"Metadata":{{"WriteTimestampMicros":"{micros}"}},"Keys":{keys}{old}{new}}}\n'


def lay_out(lines: Iterable[str], summary: Mapping[str, Any], *, root: str, export_id: str, shared: bool) -> Files:
    """Data files, both manifests, their checksums, and `_started`, under `root` (`<prefix>/AWSDynamoDB`).

    `shared`: the data lies in the folder that all incremental exports share.
    """
    folder = f"{root}/{export_id}"
    data = f"{root}/data" if shared else f"{folder}/data"
    contents = {f"{data}/{name}.json.gz": part for name, part in _parts(list(lines), export_id)}
    rows = [_row(key, count, content) for key, (count, content) in contents.items()]
    items = sum(count for count, _ in contents.values())
    size = sum(len(content) for _, content in contents.values())
    stated = {**summary, "manifestFilesS3Key": f"{folder}/manifest-files.json", "billedSizeBytes": size}
    files = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    objects = {f"{folder}/_started": b"", **{key: content for key, (_, content) in contents.items()}}
    objects.update(_with_checksum(f"{folder}/manifest-files", files))
    objects.update(_with_checksum(f"{folder}/manifest-summary", json.dumps({**stated, "itemCount": items}).encode()))
    return Files(objects=objects, items=items, size_bytes=size)


def moment(at: datetime) -> str:
    """As the manifests write it: `2020-11-04T07:28:34.028Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _parts(lines: list[str], export_id: str) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """File name to item count and compressed text; the last one is always empty."""
    partitions: list[list[str]] = [[] for _ in range(PARTITIONS + 1)]
    for line in lines:
        partitions[zlib.crc32(line.encode()) % PARTITIONS].append(line)
    for number, part in enumerate(partitions):
        name = hashlib.sha256(f"{export_id}/{number}".encode()).hexdigest()[:26]
        yield name, (len(part), gzip.compress("".join(part).encode(), compresslevel=1, mtime=0))


def _row(key: str, count: int, content: bytes) -> dict[str, Any]:
    md5 = _md5(content)
    etag = _md5(md5).hex() + "-1"
    return {"itemCount": count, "md5Checksum": base64.b64encode(md5).decode(), "etag": etag, "dataFileS3Key": key}


def _with_checksum(name: str, content: bytes) -> dict[str, bytes]:
    return {f"{name}.json": content, f"{name}.md5": base64.b64encode(_md5(content))}


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()
