"""A plan as text, and what a drill has shown as data: phases, digests, counts, differences by key digest. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson

from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.drill.cost import NOT_VERIFIED
from backcheck.drill.plan import DrillPlan, Obstacle, Restore
from backcheck.drill.record import DrillRecord
from backcheck.drill.settings import SettingsComparison
from backcheck.drill.verdict import Compared, Facts, flaws, integrity, shown
from backcheck.finding import Run
from backcheck.policy.model import Policy

SCHEMA = "backcheck/drill-run/v1"
JUDGED = frozenset({"RST-01", "RST-02", "RST-03", "RST-04"})


def plan_text(plan: DrillPlan) -> Iterator[str]:
    """Every resource that the drill would make, and what stands in its way."""
    yield f"drill {plan.run_id} of {plan.policy}"
    for one in plan.restores:
        yield from _restore_text(one, plan)
    for obstacle in plan.obstacles:
        yield f"{obstacle.method}: {'not possible' if obstacle.known else 'not known'}: {obstacle.text}"
        yield f"  of      {obstacle.resource}"
    over = ": MORE than the ceiling, so it would not be begun" if plan.too_dear else ""
    yield f"cost at most {plan.cost_usd:.2f} of {plan.ceiling_usd:.2f} USD, an estimate from {NOT_VERIFIED}{over}"


def _restore_text(one: Restore, plan: DrillPlan) -> Iterator[str]:
    yield f"{one.method}: {one.source.arn}"
    yield f"  into    {one.target_arn}"
    yield f"  from    {one.recovery_point_arn or 'its continuous backup'}"
    yield f"  as of   {one.at.isoformat(timespec='seconds') if one.at else 'a minute after the source was first read'}"
    if one.role_arn:
        yield f"  as      {one.role_arn}"
        yield f"  key     {one.key_arn or 'AWS owned'}"
    if one.canary:
        yield f"  canary  writes {one.canary.key_value('before')} and -after into the source as {one.canary.role_arn},"
        yield "          and removes both; no item that is there is touched"
    yield f"  tags    {', '.join(f'{name}={value}' for name, value in one.tags.items())}"
    if plan.witness_bucket:
        yield f"  witness an export to s3://{plan.witness_bucket}/backcheck/{plan.run_id}/, which stays there"
    else:
        yield "  witness the source, read before and after: proves something only if nothing is written meanwhile"
    yield from (f"  note    {note}" for note in one.notes)
    yield f"  cost    {one.cost_usd:.2f} USD at most"


def judged(
    policy: Policy, plan: DrillPlan, world: World, records: tuple[DrillRecord, ...], snapshot_sha256: str
) -> Run:
    """This drill alone, by the controls that an audit reads the history with: the same findings, the same words."""
    drilled = {one.source.arn for one in plan.restores} | {one.resource for one in plan.obstacles}
    drill = policy.drill
    assert drill is not None, "a plan comes from a policy with a drill section"
    methods = {one.method for one in plan.restores} | {one.method for one in plan.obstacles}
    keys = tuple(key for key in drill.tables if _is_drilled(policy, key, drilled))
    narrowed = replace(
        policy, drill=replace(drill, tables=keys, methods=tuple(m for m in drill.methods if m in methods))
    )
    run = audit(
        World(policy=narrowed, now=world.now, inventory=world.inventory, drills=records),
        [one for one in CONTROLS if one.id in JUDGED],
        snapshot_sha256,
    )
    # What an audit lacks to be complete is no matter of a drill: these findings rest on what was restored.
    return replace(run, findings=tuple(one for one in run.findings if one.control in JUDGED), gaps=())


def _is_drilled(policy: Policy, key: str, arns: set[str]) -> bool:
    scope = next(one for one in policy.tables if one.key == key)
    if scope.arn or scope.name:
        return any(scope.arn == arn or scope.name == arn.rpartition("/")[2] for arn in arns)
    return True


def document(plan: DrillPlan, facts: Sequence[Facts], *, simulated: bool) -> bytes:
    """Everything that the drill has shown, for people and programs. No items, and of keys only digests."""
    held = {
        "schema": SCHEMA,
        "run_id": plan.run_id,
        "policy": plan.policy,
        "made_at": plan.made_at,
        "simulated": simulated,
        "cost_usd_at_most": plan.cost_usd,
        "restores": [_facts(one) for one in facts],
        "obstacles": [_obstacle(one) for one in plan.obstacles],
    }
    return orjson.dumps(held, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _facts(facts: Facts) -> dict[str, Any]:
    restore = facts.restore
    return {
        "method": str(restore.method),
        "source": restore.source.arn,
        "restored": restore.target_arn,
        "recovery_point": restore.recovery_point_arn,
        "as_of": facts.at,
        "began": facts.began,
        "ended": facts.ended,
        "requested": facts.requested,
        "active": facts.active,
        "verified": facts.verified,
        "phases": [{"name": one.name, "seconds": one.seconds} for one in facts.phases],
        "integrity": integrity(facts),
        "shown": shown(facts),
        "undetermined": facts.undetermined,
        "boundary": asdict(facts.boundary) if facts.boundary else None,
        "flaws": [str(flaw) for flaw in flaws(facts)],
        "comparison": _comparison(facts.compared) if facts.compared else None,
        "settings": _settings(facts.settings) if facts.settings else None,
        "cleaned_up": facts.cleaned_up,
        "errors": list(facts.errors),
    }


def _comparison(found: Compared) -> dict[str, Any]:
    return {
        "witness": found.witness,
        "independent": found.independent,
        "as_of": found.as_of,
        "reason": found.reason,
        "items": {"witness": found.witness_items, "restored": found.restored_items},
        "digests": {"witness": found.witness_digest, "restored": found.restored_digest},
        "missing": found.counts.missing,
        "extra": found.counts.extra,
        "changed": found.counts.changed,
        "explained": found.counts.explained,
        "first": [
            {"kind": str(one.kind), "key_digest": one.digest, "attributes": list(one.attributes)}
            for one in found.listed
        ],
        "notes": list(found.notes),
    }


def _settings(found: SettingsComparison) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "different": list(found.different),
        "to_re_apply": list(found.listed),
        "not_read": list(found.gaps),
        "runbook": list(found.runbook),
        "notes": list(found.notes),
    }


def _obstacle(one: Obstacle) -> dict[str, Any]:
    return {"method": str(one.method), "resource": one.resource, "text": one.text, "known": one.known}
