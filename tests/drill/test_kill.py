"""kill -9 at random points: nothing of the user's is touched, and nothing is left once `reap` has run.

Three kills; BACKCHECK_KILLS=50 for as many as a release wants.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.drill.building import Shop, policy

from backcheck.controls import examples
from backcheck.drill.reach import Patience
from backcheck.drill.reap import Reaped, reap
from backcheck.sandbox import Sandbox

KILLS = int(os.environ.get("BACKCHECK_KILLS", "3"))
PREFIX = "awsbackup-restore-test-bc-"
POLICY = f"""\
schema: backcheck/policy/v1
name: shop
account: "{examples.ACCOUNT}"
regions: {{primary: us-east-1, dr: us-west-2}}
tables: [orders]
tiers:
  daily: {{schedule: "cron(0 1 * * ? *)", retention_days: 35, copies: [dr]}}
objectives: {{rpo_hours: 27, rto_hours: 4}}
owner: ops@example.com
roles: {{restore: shop-restore}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Its clock begins two days ago, so that it is about now once the shop has its history."""
    with Sandbox(account=examples.ACCOUNT, start=datetime.now(UTC) - timedelta(days=3)) as sandbox:
        shop = Shop(sandbox=sandbox, folder=tmp_path / "out" / "ledgers", policy=policy(name_prefix=PREFIX))
        shop.table()
        shop.table(f"{PREFIX}of-somebody-else", items=2)
        shop.backed_up("shop", "shop-dr")
        yield shop


def begin(tmp_path: Path, url: str, method: str) -> subprocess.Popen[bytes]:
    """A drill in a process of its own."""
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    arguments = ["drill", "--policy", str(file), "--endpoint-url", url, "--method", method, "--allow-destructive"]
    arguments += ["--poll", "0.05", "--out", str(tmp_path / "out")]
    with (tmp_path / "told").open("wb") as told:
        return subprocess.Popen([sys.executable, "-m", "backcheck", *arguments], stdout=told, stderr=told)


def lines(folder: Path) -> int:
    """How far the ledgers are."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl"))


def kill_at(shop: Shop, process: subprocess.Popen[bytes], line: int, delay: float) -> None:
    """Let the drill run, time passing in its account, until its ledger has so many lines; then kill it."""
    until = time.monotonic() + 60
    while lines(shop.folder) < line and process.poll() is None and time.monotonic() < until:
        shop.sandbox.clock.advance(seconds=20)
        time.sleep(0.02)
    time.sleep(delay)
    process.kill()
    process.wait()


def items(shop: Shop, table: str) -> list[Any]:
    """A table's content."""
    found = shop.dynamodb.scan(TableName=table)["Items"]
    return sorted(found, key=lambda item: str(item["id"]["S"]))


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_drill_leaves_nothing_once_it_is_reaped(shop: Shop, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    method = ("pitr", "backup", "dr-copy")[seed % 3]
    owned = ["orders", f"{PREFIX}of-somebody-else"]
    before = {name: items(shop, name) for name in owned}
    process = begin(tmp_path, shop.sandbox.serve().url, method)
    try:
        kill_at(shop, process, chance.randint(1, 11), chance.random() / 5)
    finally:
        process.kill()
        process.wait()
    assert lines(shop.folder), f"the drill had not begun when it was killed: {(tmp_path / 'told').read_text()}"
    found: list[Reaped] = list(reap(shop.folder, shop.reach, shop.clock, Patience()))
    assert [one.text for one in found if not one.done] == []
    assert sorted(shop.tables()) == sorted(owned)
    assert shop.tables("us-west-2") == []
    assert {name: items(shop, name) for name in owned} == before
    assert list(reap(shop.folder, shop.reach, shop.clock, Patience())) == []
