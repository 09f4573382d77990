"""A drill that ends anywhere: nothing of the user's is touched, and nothing is left once `reap` has run.

Ended at every distinct point: each line of the ledger torn and whole, each call once it has taken effect. Then the
same with a network that fails, with calls that are denied, and once with a real SIGKILL; BACKCHECK_KILLS=50 for as
many of those as a release wants.
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

import pytest
from tests.drill.building import Shop, policy
from tests.drill.killing import Fuse, Killed, Line, Lost, as_run, everything, fused_ledger

from backcheck.controls import examples
from backcheck.drill.plan import DrillPlan
from backcheck.drill.reach import Patience
from backcheck.drill.reap import Reaped, reap
from backcheck.drill.verdict import record
from backcheck.policy.model import Method
from backcheck.sandbox import Sandbox

KILLS = int(os.environ.get("BACKCHECK_KILLS", "1"))
PREFIX = "awsbackup-restore-test-bc-"
HOME, AWAY = "us-east-1", "us-west-2"
THEIRS = f"{PREFIX}of-somebody-else"
POLICY = f"""\
schema: backcheck/policy/v1
name: shop
account: "{examples.ACCOUNT}"
regions: {{primary: {HOME}, dr: {AWAY}}}
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
        shop.table(items=5)
        shop.table(THEIRS, items=2)
        shop.backed_up("shop-vault", "shop-vault-dr")
        yield shop


def reaped(shop: Shop) -> list[Reaped]:
    return list(reap(shop.folder, shop.reach, shop.clock, Patience()))


def left(shop: Shop) -> list[str]:
    """What carries the prefix and is not somebody else's."""
    return [name for region in (HOME, AWAY) for name in shop.tables(region) if name.startswith(PREFIX)]


def planned(shop: Shop, method: Method, *, exported: bool) -> DrillPlan:
    return shop.plan(method, witness_bucket=shop.bucket() if exported else None)


@pytest.mark.parametrize(
    ("method", "exported", "first", "last"),
    [
        (Method.PITR, False, "ledger torn", "dynamodb.DescribeTable"),
        (Method.PITR, True, "ledger torn", "dynamodb.RestoreTableToPointInTime"),
        (Method.DR_COPY, False, "backup.StartRestoreJob", "dynamodb.DescribeTable"),
    ],
    ids=["pitr", "up to a restore, with an export", "dr-copy, from its restore on"],
)
def test_ended_at_every_point_it_leaves_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, method: Method, exported: bool, first: str, last: str
) -> None:
    made, line, whole = planned(shop, method, exported=exported), Line(shop), Fuse()
    with fused_ledger(monkeypatch, whole):
        line.drill(made, whole)
    touched = (HOME,) if method is Method.PITR else (HOME, AWAY)
    before, elsewhere = everything(shop, *touched), everything(shop, AWAY)
    end = len(whole.points) - whole.points[::-1].index(last)
    begin = whole.points.index(first) - 2  # the intent's line, torn and whole, comes before its call
    for number, what in enumerate(whole.points, start=1):
        if not begin < number <= end:
            continue
        fuse = Fuse(number)
        with fused_ledger(monkeypatch, fuse), pytest.raises(Killed):
            line.drill(as_run(made, number), fuse)
        assert [one.text for one in reaped(shop) if not one.done] == [], (number, what)
        assert everything(shop, *touched) == before, (number, what)
    assert everything(shop, AWAY) == elsewhere
    assert end - max(begin, 0) > 20
    assert "dynamodb.PutItem" not in whole.points  # without a canary nothing is written anywhere
    assert reaped(shop) == []


@pytest.mark.parametrize(
    ("method", "for_good"), [(Method.PITR, False), (Method.DR_COPY, True)], ids=["one answer", "all from then on"]
)
def test_with_answers_that_are_lost_it_says_so_and_leaves_nothing(shop: Shop, method: Method, for_good: bool) -> None:
    made, line = planned(shop, method, exported=False), Line(shop)
    before = everything(shop, HOME, AWAY)
    counted = Lost(0, for_good=False)
    assert line.drill(as_run(made, 0), counted)[0].errors == ()
    for number in range(2, counted.seen, 4):  # not the first, which asks who we are: without it nothing is begun
        lost = Lost(number, for_good=for_good)
        facts = line.drill(as_run(made, number), lost)[0]
        told = record(facts, run_id="run", simulated=True)
        assert not told.passed or lost.seen < number, number  # polls differ: the last numbers may never come
        assert told.passed or "timeout" in told.detail.lower(), told.detail
        assert facts.cleaned_up or for_good or left(shop), number
        assert [one.text for one in reaped(shop) if not one.done] == [], number
        assert everything(shop, HOME, AWAY) == before, number


@pytest.mark.parametrize(
    "denied",
    ["dynamodb:DeleteTable", "dynamodb:TagResource", "dynamodb:ListTagsOfResource", "backup:DescribeRestoreJob"],
)
@pytest.mark.parametrize("method", [Method.PITR, Method.BACKUP])
def test_what_is_denied_is_said_by_drill_and_reap_and_done_once_it_is_allowed(
    shop: Shop, method: Method, denied: str
) -> None:
    made = planned(shop, method, exported=False)
    before = everything(shop, HOME, AWAY)
    shop.sandbox.faults.deny(denied)
    facts = shop.drill(made)[0]
    if method is Method.PITR and denied.startswith("backup:"):
        assert facts.errors == ()  # PITR asks nothing of AWS Backup
        return
    operation = denied.partition(":")[2]
    assert not facts.cleaned_up
    assert operation in facts.errors[-1]
    assert [(one.done, operation in one.text) for one in reaped(shop)] == [(False, True)]
    assert made.restores[0].target in left(shop)
    shop.sandbox.faults.calls.clear()
    assert [one.done for one in reaped(shop)] == [True]
    assert everything(shop, HOME, AWAY) == before


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


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_real_kill(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    method = ("pitr", "backup", "dr-copy")[seed % 3]
    with Sandbox(account=examples.ACCOUNT, start=datetime.now(UTC) - timedelta(days=3)) as sandbox:
        shop = Shop(sandbox=sandbox, folder=tmp_path / "out" / "ledgers", policy=policy(name_prefix=PREFIX))
        shop.table(items=5)
        shop.table(THEIRS, items=2)
        shop.backed_up("shop", "shop-dr")
        # A drill waits until its T can be restored: with a clock hours behind ours, for up to a minute.
        sandbox.clock.advance(seconds=(datetime.now(UTC) - sandbox.clock.now()).total_seconds())
        before = everything(shop, HOME, AWAY)
        process = begin(tmp_path, sandbox.serve().url, method)
        try:
            kill_at(shop, process, chance.randint(5, 11), chance.random() / 5)
        finally:
            process.kill()
            process.wait()
        assert lines(shop.folder), f"the drill had not begun when it was killed: {(tmp_path / 'told').read_text()}"
        assert [one.text for one in reaped(shop) if not one.done] == []
        assert everything(shop, HOME, AWAY) == before
        assert reaped(shop) == []
