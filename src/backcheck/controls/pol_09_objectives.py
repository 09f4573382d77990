"""POL-09: the objectives can be kept by what is planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, not_applicable, unknown, verdict
from backcheck.controls.periods import protections, schedule_error
from backcheck.controls.subjects import PolicySubject, the_policy
from backcheck.finding import Severity, Verdict
from backcheck.policy.firing import fire
from backcheck.policy.model import Drill, Policy
from backcheck.policy.protection import two_years
from backcheck.policy.rpo import spell, worst_case

DAY = timedelta(days=1)


@control(
    id="POL-09",
    title="The objectives can be kept by what is planned",
    severity=Severity.HIGH,
    reads=POLICY_ONLY,
    each=the_policy,
    why="An objective that the schedule cannot meet is found out on the day on which it matters.",
    remedy="Plan more backups or shorter windows, or state the objective that the plan can keep.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",),
    maps_to=("NIST-800-53r5:CP-9", "NIST-800-53r5:CP-10", "NIST-800-53r5:CP-4"),
    passes={
        "33 h, and a drill a month": examples.world,
        "no objective for backups": lambda: examples.world(policy=_objective(backup_hours=None)),
    },
    fails={
        "an RPO of 24 h with a daily backup": lambda: examples.world(policy=_objective(backup_hours=24)),
        "PITR lags more than may be lost": lambda: examples.world(policy=_objective(pitr_minutes=10)),
        "an objective for PITR that is off": lambda: examples.world(
            policy=examples.policy(pitr=examples.pitr_promise(enabled=False))
        ),
        "a drill a month, none older than 30 days": lambda: examples.world(policy=_drilled(max_age_days=30)),
        "a drill that never runs": lambda: examples.world(policy=_drilled(schedule="cron(0 3 30 2 ? *)")),
    },
    unknown={
        "a schedule that says nothing": lambda: examples.world(
            policy=examples.policy(tiers=(examples.tier(schedule="cron(0 1 * *)"),))
        ),
    },
)
def objectives_are_feasible(subject: PolicySubject, world: World) -> Iterator[Verdict]:
    """The RPO covers the worst pair of successive firings that take effect, and drills are planned often enough."""
    yield from _backups(subject.policy, world)
    yield from _pitr(subject.policy)
    yield from _drill(subject.policy, world)


def _backups(policy: Policy, world: World) -> Iterator[Verdict]:
    objective, at = policy.objectives.rpo.backup_hours, "/objectives/rpo/backup_hours"
    if objective is None:
        yield not_applicable("the policy states no RPO for backups", resource=policy.resource(at))
        return
    for protection in protections(world):
        if isinstance(protection, Verdict):
            yield unknown(protection.message, at=protection.at, resource=protection.resource, tier=protection.tier)
            continue
        worst = worst_case(protection.calendar, zone=policy.timezone)
        yield verdict(
            worst.within(objective),
            expected=f"at most {objective} h can be lost",
            observed=spell(worst.total) if worst.total is not None else "no bound",
            at=at,
            message=f"{protection.whom}: {'; '.join(worst.lines)}",
            notes=protection.calendar.notes,
            resource=protection.resource,
        )


def _pitr(policy: Policy) -> Iterator[Verdict]:
    objective, at = policy.objectives.rpo.pitr_minutes, "/objectives/rpo/pitr_minutes"
    if objective is None:
        return
    promises = [(policy.pitr, "/pitr")]
    promises += [(table.pitr, f"/tables/{table.key}/pitr") for table in policy.tables if table.pitr]
    for pitr, pointer in promises:
        yield verdict(
            pitr.enabled and pitr.max_lag_minutes <= objective,
            expected=f"at most {objective} min can be lost",
            observed=f"{pitr.max_lag_minutes} min behind" if pitr.enabled else "off",
            at=at,
            message=f"PITR may be {pitr.max_lag_minutes} min behind, {objective} min may be lost"
            if pitr.enabled
            else "an objective is stated for PITR, which the policy does not ask for",
            resource=policy.resource(pointer),
        )


def _drill(policy: Policy, world: World) -> Iterator[Verdict]:
    drill, resource = policy.drill, policy.resource("/drill")
    if drill is None:
        yield not_applicable("the policy asks for no drill", resource=resource)
        return
    error = schedule_error(drill.schedule, drill.timezone)
    runs = () if error else fire(drill.schedule, drill.timezone, *two_years(world.now.year))
    gaps = [later - earlier for earlier, later in pairwise(runs)]
    if error or not gaps:
        yield verdict(
            False,
            expected="a schedule on which drills are performed, again and again",
            observed=drill.schedule,
            at="/drill/schedule",
            message=error or f"the drill runs {len(runs)} times in two years",
            resource=resource,
        )
        return
    yield _often_enough(drill, max(gaps), policy, resource)


def _often_enough(drill: Drill, gap: timedelta, policy: Policy, resource: str) -> Verdict:
    rto = policy.objectives.rto
    minutes = max((m for m in (rto.pitr_minutes, rto.backup_minutes, rto.dr_minutes) if m is not None), default=0)
    needed = gap + timedelta(minutes=minutes) + DAY
    days = -(-needed // DAY)
    return verdict(
        timedelta(days=drill.max_age_days) >= needed,
        expected=f"max_age_days of {days} or more",
        observed=f"{drill.max_age_days} days",
        at="/drill/max_age_days",
        message=f"drills are up to {spell(gap)} apart, + RTO {spell(timedelta(minutes=minutes))} + a day = "
        f"{days} days (rounded up); one may be {drill.max_age_days} days old",
        resource=resource,
    )


def _objective(**changes: int | None) -> Policy:
    base = examples.policy()
    return replace(base, objectives=replace(base.objectives, rpo=replace(base.objectives.rpo, **changes)))


def _drilled(**changes: Any) -> Policy:
    base = examples.policy()
    assert base.drill is not None
    return replace(base, drill=replace(base.drill, **changes))
