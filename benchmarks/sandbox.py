"""The sandbox beside stock moto: `python -m benchmarks sandbox`.

Three figures, each in fresh processes, the best of several runs of each so that a busy machine disturbs less:
400 days of TechModa's plan; the start of an empty account up to its first answer, against `mock_aws`; items a second of
a scan, against `mock_aws`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = 20_000


def history() -> float:
    """Seconds for 400 more days of the compliant account."""
    from backcheck.sandbox import Sandbox

    with Sandbox.from_scenario("techmoda") as sandbox:
        begin = time.perf_counter()
        sandbox.clock.advance(days=400)
        return time.perf_counter() - begin


def start_ours() -> float:
    """Seconds from nothing imported to one answer of an empty sandbox."""
    begin = time.perf_counter()
    from backcheck.sandbox import Sandbox

    with Sandbox(start=START) as sandbox:
        sandbox.client("backup").list_backup_vaults()
        return time.perf_counter() - begin


def start_stock() -> float:
    """The same of stock moto."""
    begin = time.perf_counter()
    import boto3
    from moto import mock_aws

    with mock_aws():
        boto3.client("backup", region_name="us-east-1").list_backup_vaults()
        return time.perf_counter() - begin


def scan_ours() -> float:
    """Items a second of a whole scan, page by page, the first one after the writes."""
    from backcheck.sandbox import Sandbox

    with Sandbox(start=START) as sandbox:
        return _scanned(sandbox.client("dynamodb"))


def scan_stock() -> float:
    """The same of stock moto."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        return _scanned(boto3.client("dynamodb", region_name="us-east-1"))


def _scanned(dynamodb: Any) -> float:
    dynamodb.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for first in range(0, ITEMS, 25):
        batch = [{"PutRequest": {"Item": _item(number)}} for number in range(first, first + 25)]
        dynamodb.batch_write_item(RequestItems={"items": batch})
    begin = time.perf_counter()
    count: int = sum(page["Count"] for page in dynamodb.get_paginator("scan").paginate(TableName="items"))
    assert count == ITEMS
    return count / (time.perf_counter() - begin)


def _item(number: int) -> dict[str, Any]:
    """About 400 bytes."""
    return {
        "id": {"S": f"item-{number:07d}"},
        "price": {"N": f"{number}.95"},
        "title": {"S": f"Product {number} " + "x" * 200},
        "tags": {"SS": ["a", "b", "c"]},
        "stock": {"M": {"warehouse": {"N": str(number % 50)}, "places": {"L": [{"S": "north"}, {"S": "south"}]}}},
    }


MEASURES: dict[str, Callable[[], float]] = {
    "history": history,
    "start_ours": start_ours,
    "start_stock": start_stock,
    "scan_ours": scan_ours,
    "scan_stock": scan_stock,
}


def best(name: str, runs: int, of: Callable[[list[float]], float]) -> float:
    """The best of several fresh processes."""
    values = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, __file__, "--only", name], capture_output=True, text=True, check=True)
        values.append(float(json.loads(done.stdout)))
    return of(values)


def main() -> None:
    """Print the three figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=MEASURES, help="one measure, in this process, as JSON")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(MEASURES[given.only]()))
        return
    lasted = best("history", given.runs, min)
    print(f"400 days of TechModa's plan: {lasted:.2f} s")
    ours, stock = best("start_ours", given.runs, min), best("start_stock", given.runs, min)
    print(f"start and first answer:      {ours:.2f} s, mock_aws {stock:.2f} s, {ours / stock:.2f} times")
    ours, stock = best("scan_ours", given.runs, max), best("scan_stock", given.runs, max)
    print(
        f"scan of {ITEMS:,} items:       {ours:,.0f} items/s, mock_aws {stock:,.0f} items/s, {ours / stock:.1f} times"
    )


if __name__ == "__main__":
    main()
