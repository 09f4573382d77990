"""POL-10: the validation looks when there is something to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, verdict
from backcheck.controls.periods import Protection, protections, schedule_error
from backcheck.controls.subjects import PolicySubject
from backcheck.finding import Severity, Verdict
from backcheck.policy.firing import fire
from backcheck.policy.model import Policy, Tier, Validation
from backcheck.policy.protection import two_years
from backcheck.policy.rpo import spell

LEFT_OUT = 2
"""Runs in two years that daylight saving may leave out: one each spring, for a schedule between 2 and 3 at night."""


def _validation(world: World) -> Iterable[PolicySubject]:
    if world.policy.validation:
        yield PolicySubject(policy=world.policy, pointer="/validation")


@control(
    id="POL-10",
    title="The validation looks when there is something to see",
    severity=Severity.LOW,
    reads=POLICY_ONLY,
    each=_validation,
    why="A validation that never runs misses everything; one that expects a backup before it can be there cries wolf.",
    remedy="Move validation.schedule behind the latest completion, and let max_backup_age_hours cover the windows.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "after the windows": examples.world,
        "while the monthly backup may still run: a note": lambda: examples.world(
            policy=_policy(schedule="cron(0 5 * * ? *)")
        ),
    },
    fails={
        "never": lambda: examples.world(policy=_policy(schedule="cron(0 5 31 2 ? *)")),
        "five fields": lambda: examples.world(policy=_policy(schedule="cron(0 5 * * ?)")),
        "less often than the backups": lambda: examples.world(policy=_policy(schedule="cron(0 10 ? * SUN *)")),
        "younger than the windows allow": lambda: examples.world(policy=_policy(max_backup_age_hours=2)),
    },
    unknown={
        "a schedule that says nothing": lambda: examples.world(
            policy=examples.policy(tiers=(examples.tier(schedule="cron(0 1 * *)"),))
        ),
    },
)
def validation_is_after_the_windows(subject: PolicySubject, world: World) -> Iterator[Verdict]:
    """It runs as often as backups do, allows each its windows, and what may still be running then is a note."""
    validation = world.policy.validation
    assert validation is not None
    error = schedule_error(validation.schedule, validation.timezone)
    runs = () if error else fire(validation.schedule, validation.timezone, *two_years(world.now.year))
    if not runs:
        yield verdict(
            False,
            expected="a schedule that runs",
            observed=validation.schedule,
            at="/validation/schedule",
            message=error or "the validation never runs",
        )
        return
    for protection in protections(world):
        yield from (protection,) if isinstance(protection, Verdict) else _judge(validation, runs, protection)


def _judge(validation: Validation, runs: tuple[datetime, ...], protection: Protection) -> Iterator[Verdict]:
    yield _as_often(runs, protection)
    for tier in protection.calendar.tiers:
        yield _allows_the_windows(validation, tier)
    yield _looks_afterwards(runs, protection)


def _as_often(runs: tuple[datetime, ...], protection: Protection) -> Verdict:
    backups = len(protection.calendar.effective)
    daily = min(backups, (protection.calendar.end - protection.calendar.start).days) - LEFT_OUT
    return verdict(
        len(runs) >= daily,
        expected=f"at least {daily} runs in two years: as often as backups are taken, or once a day",
        observed=f"{len(runs)} runs, {backups} backups",
        at="/validation/schedule",
        message=f"{protection.whom}: the validation runs {len(runs)} times in two years, backups {backups} times",
    )


def _allows_the_windows(validation: Validation, tier: Tier) -> Verdict:
    windows = timedelta(minutes=tier.start_window_minutes + tier.completion_window_minutes)
    return verdict(
        timedelta(hours=validation.max_backup_age_hours) >= windows,
        expected=f"max_backup_age_hours covers the windows of {tier.id}: {spell(windows)}",
        observed=f"{validation.max_backup_age_hours} h",
        at="/validation/max_backup_age_hours",
        message=f"a backup of {tier.id} may be {spell(windows)} old when it is due; "
        f"{validation.max_backup_age_hours} h are allowed",
    )


def _looks_afterwards(runs: tuple[datetime, ...], protection: Protection) -> Verdict:
    """Info: a run inside some window tolerates a job that is still running."""
    inside: dict[str, int] = {}
    outcomes = iter(protection.calendar.effective)
    outcome = next(outcomes, None)
    for run in runs:
        while outcome is not None and outcome.deadline <= run:
            outcome = next(outcomes, None)
        if outcome is not None and outcome.firing.at < run:
            inside[outcome.firing.tier.id] = inside.get(outcome.firing.tier.id, 0) + 1
    notes = tuple(
        f"{count} of {len(runs)} runs come before {tier} must be complete: a job still running then is not missing"
        for tier, count in inside.items()
    )
    return verdict(
        True,
        expected="runs after the latest completion, or tolerates running jobs",
        observed=f"{sum(inside.values())} of {len(runs)} runs within a window",
        at="/validation/schedule",
        message=f"{protection.whom}: the validation's times fit the windows",
        notes=notes,
    )


def _policy(**changes: Any) -> Policy:
    base = examples.policy()
    assert base.validation is not None
    return replace(base, validation=replace(base.validation, **changes))
