"""`apply` killed anywhere and run again ends the same, and nothing of the user's is touched."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.reconcile.shop import ACCOUNT, LIVE, POLICY, START, Items, Shop, Size

from backcheck.manifest.scan import Connection
from backcheck.reconcile import ledger
from backcheck.reconcile.apply import Tally, apply
from backcheck.reconcile.document import Plan, render
from backcheck.sandbox import Sandbox


class Killed(BaseException):
    """The process has ended here."""


class Fuse:
    """Ends the run at its n-th step: before or after a call to DynamoDB, before or after a line of the ledger."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def burn(self, **_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


def connection(shop: Shop, fuse: Fuse) -> Connection:
    session = shop.sandbox.session()
    for event in ("before-call", "after-call"):
        for operation in ("GetItem", "PutItem", "UpdateItem", "Scan"):
            session.events.register(f"{event}.dynamodb.{operation}", fuse.burn)
    return Connection(region="us-east-1", session=session)


def applied(shop: Shop, plan: Plan, path: Path, fuse: Fuse, patch: pytest.MonkeyPatch) -> Tally:
    """One run, on a ledger whose every fsync is a step, too."""
    with patch.context() as patched, ledger.opened(path, plan.id) as book:
        sync = os.fsync

        def stepped(handle: int) -> None:
            fuse.burn()
            sync(handle)
            fuse.burn()

        patched.setattr("backcheck.reconcile.ledger.os.fsync", stepped)
        return apply(plan, connection(shop, fuse), book)


def reset(shop: Shop, live: Items) -> None:
    """The live table as it was before the first run."""
    now = shop.content(LIVE)
    shop.put(live[key] for key in live if now.get(key) != live[key])
    shop.delete(now.keys() - live.keys())


def test_killed_at_random_points(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, live = shop.plan(shop.bad_export()), shop.content(LIVE)
    expected, whole = shop.expected(live), Fuse(0)
    applied(shop, plan, tmp_path / "whole", whole, monkeypatch)
    steps = -whole.left
    assert shop.content(LIVE) == expected
    assert steps > 100
    draw = random.Random(7)
    for number, first in enumerate(draw.sample(range(1, steps + 1), 50)):
        reset(shop, live)
        path = tmp_path / f"{number}"
        with pytest.raises(Killed):
            applied(shop, plan, path, Fuse(first), monkeypatch)
        halfway = shop.content(LIVE)
        assert all(halfway[key] == live[key] for key in (*shop.created, *shop.updated, *shop.conflicts))
        assert not halfway.keys() & set(shop.deleted)
        tally = applied(shop, plan, path, Fuse(0), monkeypatch)
        assert shop.content(LIVE) == expected, f"killed at step {first}"
        assert (tally.skipped, tally.source_changed) == ((), 0)


def test_what_users_do_between_two_runs_stays(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Items that the first run brought back are then sold and deleted; so are some that it had not come to."""
    plan = shop.plan(shop.bad_export())
    before = shop.content(LIVE)
    with pytest.raises(Killed):
        applied(shop, plan, tmp_path / "ledger", Fuse(45), monkeypatch)
    halfway = shop.content(LIVE)
    back = sorted(key for key in halfway if halfway[key] != before.get(key))
    waiting = sorted(key for key in halfway if key in shop.damaged and key not in (*back, *shop.conflicts))
    assert len(back) >= 3
    assert len(waiting) >= 2
    shop.sell(back[0])
    shop.delete([back[1], waiting[1]])
    shop.sell(waiting[0])
    theirs = shop.content(LIVE)
    tally = applied(shop, plan, tmp_path / "ledger", Fuse(0), monkeypatch)
    after = shop.content(LIVE)
    assert after[back[0]] == theirs[back[0]]
    assert after[waiting[0]] == theirs[waiting[0]]
    assert not after.keys() & {back[1], waiting[1]}
    assert {outcome for _, outcome in tally.skipped} == {ledger.Outcome.CHANGED}
    assert len(tally.skipped) == 2


def test_a_real_kill(tmp_path: Path) -> None:
    """SIGKILL to the command as it writes to a served account; the second run finishes."""
    size = Size(products=260, damaged=120, lost=100, created=3, updated=3, conflicts=2, deleted=4, deleted_damaged=1)
    with Sandbox(account=ACCOUNT, start=START) as sandbox:
        shop = Shop(sandbox=sandbox, size=size)
        shop.happen()
        place, live = shop.bad_export(), shop.content(LIVE)
        server = sandbox.serve()
        plan = _plan_at(shop, server.url, place)
        file = tmp_path / "plan.json"
        file.write_bytes(render(plan))
        command = [sys.executable, "-m", "backcheck", "reconcile", "apply", str(file), "--policy", str(POLICY)]
        command += ["--allow-destructive", "--endpoint-url", server.url]
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": "anything", "AWS_SECRET_ACCESS_KEY": "anything"}
        book = ledger.beside(file)
        first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until = time.monotonic() + 60
        while first.poll() is None and time.monotonic() < until:
            if book.exists() and book.read_bytes().count(b"\n") > 40:
                first.send_signal(signal.SIGKILL)
            time.sleep(0.002)
        _, told = first.communicate(timeout=60)
        assert first.returncode == -signal.SIGKILL, told
        assert shop.content(LIVE) != shop.expected(live)
        second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert second.returncode == 2, second.stderr  # the conflicts are not decided on
        assert "2  not touched: no decision in the plan" in second.stdout
        assert shop.content(LIVE) == shop.expected(live)


def _plan_at(shop: Shop, url: str, place: str) -> Plan:
    """The plan as made over HTTP, where its tables will be written."""
    session = boto3.Session(aws_access_key_id="anything", aws_secret_access_key="anything", region_name="us-east-1")
    shop.over = Connection(region="us-east-1", session=session, endpoint_url=url)
    return shop.plan(place)
