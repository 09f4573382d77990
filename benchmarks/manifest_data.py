"""The data of the manifest benchmarks: an export of orders, the same on every machine. About 650 bytes an item."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import multiprocessing
import random
from pathlib import Path

FILES = 16
TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
EXPORT_ID = "01700000000000-be4c4a11"
_WORDS = [
    "alder",
    "birch",
    "cedar",
    "elder",
    "fir",
    "hazel",
    "holly",
    "larch",
    "linden",
    "maple",
    "oak",
    "pine",
    "poplar",
    "rowan",
    "spruce",
    "walnut",
    "willow",
    "yew",
]


def item(number: int) -> dict[str, object]:
    """One order: thirteen attributes, of most types, in no particular order."""
    source = random.Random(number)
    words = source.choices(_WORDS, k=14)
    attributes: dict[str, object] = {
        "pk": {"S": f"CUSTOMER#{source.randrange(10**7):07d}"},
        "sk": {"S": f"ORDER#{number:010d}"},
        "total": {"N": f"{source.randrange(100, 10**6) / 100:.2f}".rstrip("0").rstrip(".")},
        "quantity": {"N": str(source.randrange(1, 50))},
        "createdAt": {
            "S": f"2026-{source.randrange(1, 13):02d}-{source.randrange(1, 29):02d}T{source.randrange(24):02d}:00:00Z"
        },
        "status": {"S": source.choice(("NEW", "PAID", "SHIPPED", "RETURNED"))},
        "gift": {"BOOL": number % 9 == 0},
        "tags": {"SS": sorted(set(words[:3]))},
        "address": {
            "M": {
                "street": {"S": f"{words[3]} street {source.randrange(200)}"},
                "city": {"S": words[4]},
                "zip": {"S": str(source.randrange(10**5))},
            }
        },
        "lines": {
            "L": [
                {"M": {"sku": {"S": f"SKU-{source.randrange(10**6):06d}"}, "n": {"N": str(source.randrange(1, 9))}}}
                for _ in range(2)
            ]
        },
        "note": {"S": " ".join(words[5:10])},
        "etag": {"S": source.randbytes(16).hex()},
        "checksum": {"S": base64.b64encode(source.randbytes(96)).decode()},
    }
    names = list(attributes)
    source.shuffle(names)
    return {name: attributes[name] for name in names}


def line(number: int) -> bytes:
    """One order as a line of an export."""
    return json.dumps({"Item": item(number)}, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _write_file(task: tuple[Path, list[int]]) -> tuple[str, int, bytes]:
    path, numbers = task
    content = gzip.compress(b"".join(map(line, numbers)), compresslevel=6, mtime=0)
    path.write_bytes(content)
    return path.name, len(numbers), hashlib.md5(content).digest()


def export(folder: Path, items: int, *, shuffled: bool = False) -> Path:
    """Write an export of `items` orders below `folder`, unless it is there; `shuffled` spreads the same lines anew."""
    place = folder / f"{items}{'-shuffled' if shuffled else ''}" / "AWSDynamoDB" / EXPORT_ID
    if (place / "manifest-summary.json").exists():
        return place
    (place / "data").mkdir(parents=True, exist_ok=True)
    numbers = list(range(items))
    if shuffled:
        random.Random(1).shuffle(numbers)
    tasks = [(place / "data" / f"part{n:02d}.json.gz", numbers[n::FILES]) for n in range(FILES)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        written = pool.map(_write_file, tasks)
    entries = [
        {
            "itemCount": count,
            "md5Checksum": base64.b64encode(md5).decode(),
            "etag": hashlib.md5(md5).hexdigest() + "-1",
            "dataFileS3Key": f"AWSDynamoDB/{EXPORT_ID}/data/{name}",
        }
        for name, count, md5 in written
    ]
    (place / "manifest-files.json").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    (place / "manifest-summary.json").write_text(json.dumps(_summary(items)))
    return place


def _summary(items: int) -> dict[str, object]:
    return {
        "version": "2020-06-30",
        "exportArn": f"{TABLE_ARN}/export/{EXPORT_ID}",
        "tableArn": TABLE_ARN,
        "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
        "exportTime": "2026-11-01T00:00:00.000Z",
        "itemCount": items,
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
