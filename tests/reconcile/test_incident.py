"""The incident that backcheck was founded on, at its size and in one sequence: restore, export, plan, decide, apply."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from tests.reconcile.shop import ACCOUNT, LIVE, POLICY, RESTORED, START, Shop, Size

from backcheck.cli import run
from backcheck.sandbox import Sandbox


def test_the_founding_incident(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(account=ACCOUNT, start=START) as sandbox:
        shop = Shop(sandbox=sandbox, size=Size())
        shop.happen()
        live = shop.content(LIVE)
        plan = tmp_path / "plan.json"
        window = ["--bad-from", shop.window.start.isoformat(), "--bad-until", shop.window.end.isoformat()]
        tables = ["--restored", RESTORED, "--live", LIVE, "--region", "us-east-1"]
        export = ["--export", shop.bad_export()]
        assert run(["reconcile", "plan", *tables, *window, *export, "--show-keys", "--out", str(plan)]) == 2
        held = json.loads(plan.read_bytes())
        assert held["counts"] == {"restore": 930, "keep": 250, "conflict": 50, "deleted": 50, "undetermined": 0}
        by_class: dict[str, set[str]] = {}
        for entry in held["entries"]:
            by_class.setdefault(entry["class"], set()).add(json.loads(entry["key"])["id"]["S"])
        assert by_class == {
            "restore": (set(shop.damaged) | set(shop.lost)) - set(shop.conflicts) - set(shop.deleted),
            "keep": set(shop.created) | set(shop.updated),
            "conflict": set(shop.conflicts),
            "deleted": set(shop.deleted),
        }

        apply = ["reconcile", "apply", str(plan), "--policy", str(POLICY), "--allow-destructive"]
        assert run(apply) == 2
        assert "50  not touched: no decision in the plan" in capsys.readouterr().out
        after = shop.content(LIVE)
        assert after == shop.expected(live)
        assert Counter(key in after for key in shop.deleted) == {False: 50}
        assert all(after[key] == live[key] for key in (*shop.created, *shop.updated, *shop.conflicts))

        _decide(plan, {shop.conflicts[0]: "restore"})
        assert run(apply) == 0
        assert shop.content(LIVE) == after | {shop.conflicts[0]: shop.before[shop.conflicts[0]]}


def _decide(plan: Path, decisions: dict[str, str]) -> None:
    """Every conflict stays as it is but those named."""
    held = json.loads(plan.read_bytes())
    for entry in held["entries"]:
        if entry["decision"] is None:
            entry["decision"] = decisions.get(json.loads(entry["key"])["id"]["S"], "keep")
    plan.write_text(json.dumps(held))
