"""A drill from end to end: inventory, plan, run, history, evidence."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backcheck.accounts import Taken
from backcheck.controls.control import World
from backcheck.drill import history, ledger, report, verdict
from backcheck.drill.details import DOCUMENT, EVIDENCE
from backcheck.drill.opening import Opened
from backcheck.drill.plan import DrillPlan, plan
from backcheck.drill.reach import Patience, Reach
from backcheck.drill.record import DrillRecord
from backcheck.drill.run import Drill
from backcheck.evidence.write import write_evidence
from backcheck.finding import Run
from backcheck.inventory import snapshot
from backcheck.inventory.collect import collect
from backcheck.inventory.model import Inventory
from backcheck.policy.model import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a drill leaves: findings, records, and where the evidence is."""

    run: Run
    plan: DrillPlan
    facts: tuple[verdict.Facts, ...]
    records: tuple[DrillRecord, ...]
    folder: Path

    def snapshot_after(self, policy: Policy, account: Opened) -> bytes:
        """The account as it is once the drill is over."""
        return snapshot.dumps(collect(account.targets, policy, account.clock.now))


def perform(
    policy: Policy,
    account: Opened,
    wanted: dict[str, Any],
    patience: Patience,
    out: Path,
    *,
    regions: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Done:
    """Drill what `wanted` (arguments of `plan`) names, write ledger, history and evidence below `out`.

    Each record is in the history as soon as its restore is over: a drill that dies keeps those that were done.
    """
    inventory = collect(account.targets, policy, account.clock.now, regions=regions)
    made = plan(policy, inventory, now=account.clock.now(), suffix=secrets.token_hex(3), **wanted)
    for line in report.plan_text(made):
        tell(line)
    reach = Reach(account.acting)
    records = [verdict.refused(one, made, simulated=reach.simulated) for one in made.obstacles if one.known]
    facts: list[verdict.Facts] = []
    prefix = policy.drill.name_prefix if policy.drill else ""
    with ledger.opened(out / ledger.FOLDER, made.run_id, prefix, account.clock.now) as book:
        for one in Drill(made, reach, book, account.clock, patience, tell).perform():
            facts.append(one)
            records.append(verdict.record(one, run_id=made.run_id, simulated=reach.simulated))
            history.append(out / history.FILE, records[-1:])
    history.append(out / history.FILE, records[: len(records) - len(facts)])
    return _evidence(policy, account, inventory, made, tuple(facts), tuple(records), out, simulated=reach.simulated)


def _evidence(
    policy: Policy,
    account: Opened,
    inventory: Inventory,
    made: DrillPlan,
    facts: tuple[verdict.Facts, ...],
    records: tuple[DrillRecord, ...],
    out: Path,
    *,
    simulated: bool,
) -> Done:
    taken = Taken(inventory=inventory, data=snapshot.dumps(inventory))
    world = World(policy=policy, now=account.clock.now(), inventory=inventory)
    run = report.judged(policy, made, world, records, taken.sha256)
    folder = out / EVIDENCE / made.run_id
    write_evidence(run, taken.data, folder)
    (folder / DOCUMENT).write_bytes(report.document(made, facts, simulated=simulated))
    return Done(run=run, plan=made, facts=facts, records=records, folder=folder)
