"""Builds DynamoDB exports on disk as S3DataExport.Output describes them, whole or broken on purpose."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
EXPORT_ID = "01700000000000-0a1b2c3d"
Item = dict[str, Any]


def order(number: int, **attributes: Any) -> Item:
    """An item with a two-part key and one of every type."""
    return {
        "customer": {"S": f"c{number % 97}"},
        "order": {"N": str(number)},
        "total": {"N": "12.5"},
        "paid": {"BOOL": number % 2 == 0},
        "note": {"NULL": True},
        "tags": {"SS": ["red", "green"]},
        "sizes": {"NS": ["3", "1", "20"]},
        "photo": {"B": "AAEC"},
        "photos": {"BS": ["AAEC", "/w=="]},
        "lines": {"L": [{"S": "a"}, {"M": {"qty": {"N": "2"}}}]},
        **attributes,
    }


def orders(count: int) -> list[Item]:
    """`count` different items."""
    return [order(number) for number in range(count)]


def line(item: Item) -> bytes:
    """An item as DynamoDB writes it: compact."""
    return json.dumps({"Item": item}, separators=(",", ":"), ensure_ascii=False).encode()


def write_export(
    folder: Path,
    files: Sequence[Sequence[bytes]],
    *,
    summary: dict[str, Any] | None = None,
    export_id: str = EXPORT_ID,
    incremental: bool = False,
) -> Path:
    """Write an export under `folder`, one data file for each list of lines; the path of its own folder is returned."""
    root = folder / "AWSDynamoDB"
    export = root / export_id
    data = root / "data" if incremental else export / "data"
    data.mkdir(parents=True, exist_ok=True)
    export.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, lines in enumerate(files):
        content = gzip.compress(b"".join(one + b"\n" for one in lines), mtime=0)
        name = f"{export_id[-4:]}part{number}.json.gz"
        (data / name).write_bytes(content)
        md5 = hashlib.md5(content)
        prefix = "AWSDynamoDB/data/" if incremental else f"AWSDynamoDB/{export_id}/data/"
        entries.append(
            {
                "itemCount": len(lines),
                "md5Checksum": base64.b64encode(md5.digest()).decode(),
                "etag": hashlib.md5(md5.digest()).hexdigest() + "-1",
                "dataFileS3Key": prefix + name,
            }
        )
    fields = {**_summary(export_id, sum(map(len, files)), incremental), **(summary or {})}
    write_manifest_files(export, {name: value for name, value in fields.items() if value is not ...}, entries)
    return export


def _summary(export_id: str, items: int, incremental: bool) -> dict[str, Any]:
    window = (
        {"exportFromTime": "2026-11-01T00:00:00.000Z", "exportToTime": "2026-11-02T00:00:00.000Z"}
        if incremental
        else {"exportTime": "2026-11-01T00:00:00.000Z"}
    )
    return {
        "version": "2020-06-30",
        "exportArn": f"{TABLE_ARN}/export/{export_id}",
        "startTime": "2026-11-02T07:28:34.028Z",
        "endTime": "2026-11-02T07:33:43.897Z",
        "tableArn": TABLE_ARN,
        "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
        **window,
        "s3Bucket": "exports",
        "s3Prefix": None,
        "s3SseAlgorithm": "AES256",
        "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"AWSDynamoDB/{export_id}/manifest-files.json",
        "billedSizeBytes": 0,
        "itemCount": items,
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "INCREMENTAL_EXPORT" if incremental else "FULL_EXPORT",
        **({"outputView": "NEW_AND_OLD_IMAGES"} if incremental else {}),
    }


def write_manifest_files(export: Path, summary: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    """Write both manifest files of an export, with their checksums."""
    texts = {
        "manifest-summary": json.dumps(summary, indent=3).encode(),
        "manifest-files": b"".join(json.dumps(entry).encode() + b"\n" for entry in entries),
    }
    for name, text in texts.items():
        (export / f"{name}.json").write_bytes(text)
        (export / f"{name}.checksum").write_bytes(base64.b64encode(hashlib.md5(text).digest()))
    (export / "_started").write_bytes(b"")
