"""Scan a table, side by side with client.scan: `python -m benchmarks.manifest_scan`.

A server in a process of its own serves pages of about 1 MB, made before the clock starts, compact and with a CRC-32 as
DynamoDB sends them. Both sides make the same digest of the same pages, one process and one segment each.
"""

from __future__ import annotations

import argparse
import base64
import copy
import json
import multiprocessing
import os
import resource
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection as Pipe
from typing import Any

from backcheck.manifest.digest import Accumulator, Digest
from backcheck.manifest.encoding import encode_item
from backcheck.manifest.engine import run
from backcheck.manifest.reading import read_items
from backcheck.manifest.scan import Connection, Segment
from benchmarks.manifest_data import item

KEY = ("pk", "sk")
ITEMS_A_PAGE = 1600


def make_pages(items: int) -> list[bytes]:
    """Scan replies with all items, each but the last with where the next begins."""
    pages = []
    for start in range(0, items, ITEMS_A_PAGE):
        page = [item(number) for number in range(start, min(start + ITEMS_A_PAGE, items))]
        reply: dict[str, Any] = {"Count": len(page), "Items": page, "ScannedCount": len(page)}
        if start + ITEMS_A_PAGE < items:
            reply["LastEvaluatedKey"] = {"pk": page[-1]["pk"], "sk": {"S": str(start // ITEMS_A_PAGE + 1)}}
        pages.append(json.dumps(reply, separators=(",", ":")).encode())
    return pages


def serve(items: int, pipe: Pipe) -> None:
    """Serve the pages until killed; the port goes down the pipe."""
    pages = make_pages(items)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = pages[int(request.get("ExclusiveStartKey", {"sk": {"S": "0"}})["sk"]["S"])]
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("x-amz-crc32", str(zlib.crc32(body)))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_port)
    server.serve_forever()


def segment(port: int) -> Segment:
    connection = Connection(region="us-east-1", endpoint_url=f"http://127.0.0.1:{port}")
    return Segment(connection=connection, table_name="orders", key=KEY, number=0, segments=1, units_per_second=None)


def ours(port: int) -> Digest:
    [partial] = run(read_items, [segment(port)], processes=1)
    return partial.added


def client_scan(port: int) -> Digest:
    """client.scan, each item put back into DynamoDB's JSON, and the same digest."""
    import boto3

    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}")
    total = Accumulator(KEY)
    for page in client.get_paginator("scan").paginate(TableName="orders", ConsistentRead=True):
        for found in page["Items"]:
            as_json = _binary_as_text(found)
            total.add(as_json, encode_item(as_json))
    return total.digest()


def _binary_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _binary_as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_binary_as_text(inner) for inner in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def client_scan_no_binary(port: int) -> Digest:
    """The same, knowing that the table has no binary: the cheapest that can be made of client.scan."""
    import boto3

    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}")
    total = Accumulator(KEY)
    for page in client.get_paginator("scan").paginate(TableName="orders", ConsistentRead=True):
        for found in page["Items"]:
            total.add(found, encode_item(found))
    return total.digest()


def _measured(work: Callable[[int], Digest], port: int, pipe: Pipe) -> None:
    work(port)  # imports, connections, botocore's model
    cpu, wall = time.process_time(), time.perf_counter()
    digest = work(port)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    pipe.send((digest, cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measure(work: Callable[[int], Digest], port: int) -> tuple[Digest, float, float, float]:
    """Digest, CPU seconds, wall seconds, peak MB, in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_measured, args=(work, port, there))
    process.start()
    found: tuple[Digest, float, float, float] = here.recv()
    process.join()
    return copy.copy(found)


ROWS: tuple[tuple[str, Callable[[int], Digest]], ...] = (
    ("raw pages + digest", ours),
    ("client.scan + the same digest", client_scan),
    ("client.scan, no binary known", client_scan_no_binary),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="benchmark", AWS_SECRET_ACCESS_KEY="benchmark")
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(arguments.items, there))
    server.start()
    try:
        port = here.recv()
        print(f"{arguments.items:,} items in pages of {ITEMS_A_PAGE}, one process")
        for _ in range(arguments.rounds):
            print(f"{'':32}{'items/s':>10}{'CPU us/item':>13}{'peak MB':>9}{'x CPU':>7}")
            rows = [(name, measure(work, port)) for name, work in ROWS]
            if any(row[1][0] != rows[0][1][0] for row in rows):
                raise SystemExit("the digests differ")
            for name, (digest, cpu, wall, peak) in rows:
                ratio = cpu / rows[0][1][1]
                print(
                    f"{name:32}{digest.items / wall:>10,.0f}{cpu / digest.items * 1e6:>13.2f}{peak:>9.0f}{ratio:>7.1f}"
                )
    finally:
        server.kill()
        server.join()


if __name__ == "__main__":
    main()
