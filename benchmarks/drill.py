"""A drill of 20,000 items in the sandbox, beside the naive way: `python -m benchmarks drill`.

The drill restores a table by PITR and proves it: the source read before and after, digests compared, settings compared,
every step in a ledger, everything taken away again. The naive way restores the same table with boto3, scans both tables
and compares dicts: no witness of T, no classes of difference, no ledger, no clean-up that survives a kill. Each runs in
a process of its own, as often as `--runs` says, and the best counts; what fills the table is in neither.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.sandbox import _item

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
TABLE = "orders"
GOAL_SECONDS = 15
Measured = tuple[float, float]
"""Seconds, and seconds of CPU."""


def _filled(sandbox: Any, items: int) -> Any:
    dynamodb = sandbox.client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for first in range(0, items, 25):
        batch = [{"PutRequest": {"Item": _item(number)}} for number in range(first, min(first + 25, items))]
        dynamodb.batch_write_item(RequestItems={TABLE: batch})
    on = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName=TABLE, PointInTimeRecoverySpecification=on)
    sandbox.clock.advance(days=1)
    return dynamodb


def _measured(work: Callable[[], None]) -> Measured:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def drill(items: int) -> Measured:
    """Plan, restore, prove, clean up; raises unless it is proven."""
    from backcheck.controls import examples
    from backcheck.drill import ledger
    from backcheck.drill.opening import SandboxClock
    from backcheck.drill.plan import plan
    from backcheck.drill.reach import Patience, Reach
    from backcheck.drill.run import Drill
    from backcheck.drill.verdict import flaws, record
    from backcheck.inventory.collect import collect
    from backcheck.inventory.collect.connect import Kind, Target
    from backcheck.policy.model import Method
    from backcheck.sandbox import Sandbox

    policy = examples.policy()
    with Sandbox(account=examples.ACCOUNT, start=START) as sandbox, tempfile.TemporaryDirectory() as folder:
        _filled(sandbox, items)
        clock = SandboxClock(sandbox.clock)
        targets = (Target(account=policy.accounts[0], session=sandbox.session(), kind=Kind.SANDBOX),)

        def work() -> None:
            inventory = collect(targets, policy, clock.now)
            made = plan(policy, inventory, now=clock.now(), suffix="bench0", methods=(Method.PITR,))
            with ledger.opened(Path(folder), made.run_id, "drill-", clock.now) as book:
                facts = list(Drill(made, Reach(targets), book, clock, Patience(), lambda _: None).perform())
            shown = record(facts[0], run_id=made.run_id, simulated=True)
            found = facts[0].compared
            if flaws(facts[0]) or not shown.passed or found is None or found.restored_items != items:
                raise AssertionError(shown.detail)

        return _measured(work)


def naive(items: int) -> Measured:
    """Restore, scan both, compare dicts, delete; raises unless they are equal."""
    from backcheck.sandbox import Sandbox

    with Sandbox(start=START) as sandbox:
        dynamodb = _filled(sandbox, items)

        def scanned(table: str) -> dict[str, Any]:
            pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
            return {item["id"]["S"]: item for page in pages for item in page["Items"]}

        def work() -> None:
            dynamodb.restore_table_to_point_in_time(
                SourceTableName=TABLE, TargetTableName="restored", UseLatestRestorableTime=True
            )
            dynamodb.get_waiter("table_exists").wait(TableName="restored", WaiterConfig={"Delay": 0, "MaxAttempts": 99})
            expected, found = scanned(TABLE), scanned("restored")
            if expected != found or len(found) != items:
                raise AssertionError(f"{len(expected)} items, {len(found)} restored")
            dynamodb.delete_table(TableName="restored")

        return _measured(work)


MEASURES = {"drill": drill, "naive": naive}


def best(name: str, items: int, runs: int) -> Measured:
    """The best of several fresh processes, each figure for itself."""
    command = [sys.executable, "-m", "benchmarks.drill", "--only", name, "--items", str(items)]
    found = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(runs)]
    walls, cpus = zip(*(json.loads(one.stdout) for one in found), strict=True)
    return min(walls), min(cpus)


def main() -> None:
    """Print both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=MEASURES, help="one measure, in this process, as JSON")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(MEASURES[given.only](given.items)))
        return
    (ours, ours_cpu), (theirs, theirs_cpu) = (best(name, given.items, given.runs) for name in MEASURES)
    print(f"{given.items:,} items restored and proven: {ours:.2f} s, {ours_cpu:.2f} s of CPU (goal {GOAL_SECONDS} s)")
    print(f"restored, scanned, compared:   {theirs:.2f} s, {theirs_cpu:.2f} s of CPU")
    print(f"ratio:                         {ours / theirs:.2f} of time, {ours_cpu / theirs_cpu:.2f} of CPU")


if __name__ == "__main__":
    main()
