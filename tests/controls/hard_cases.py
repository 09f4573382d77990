"""The worlds that the hard cases are judged in, and what is said of them."""

from __future__ import annotations

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import World
from backcheck.evaluate import evaluate
from backcheck.finding import Finding, Status
from backcheck.inventory.backup import RecoveryPoint
from backcheck.policy.model import Policy

NOW = examples.NOW

FAIL, PASS, UNKNOWN, NOT_APPLICABLE = Status.FAIL, Status.PASS, Status.UNKNOWN, Status.NOT_APPLICABLE

BY_ID = {one.id: one for one in CONTROLS}


def judged(world: World, *ids: str) -> tuple[Finding, ...]:
    return evaluate(world, [BY_ID[one] for one in ids])


def verdict(world: World, control: str, tier: str | None = None, resource: str = "") -> Finding:
    """The one finding of a control on a tier."""
    found = [f for f in judged(world, control) if f.tier == tier and resource in f.resource]
    assert len(found) == 1, [(f.resource, f.tier, f.status) for f in found]
    return found[0]


def worst(world: World, control: str) -> Status:
    statuses = {finding.status for finding in judged(world, control)}
    return next(status for status in (FAIL, UNKNOWN, PASS, NOT_APPLICABLE) if status in statuses)


def selecting(**changes: object) -> World:
    tags = changes.pop("table_tags", {"team": "shop"})
    plan = examples.plan(selections=(examples.selection(**changes),))
    return examples.world(primary={"plans": (plan,), "tables": (examples.table(tags=tags),)})


def holding(points: tuple[RecoveryPoint, ...]) -> World:
    return examples.world(primary={"vaults": (examples.vault(recovery_points=points),)})


def ruled(policy: Policy | None = None, **changes: object) -> World:
    return examples.world(policy=policy, primary={"plans": (examples.plan(rules=examples.rules(**changes)),)})
