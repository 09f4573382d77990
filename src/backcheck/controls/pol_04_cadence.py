"""POL-04: a schedule means what the tier's name says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, verdict
from backcheck.controls.periods import schedule_error
from backcheck.controls.subjects import TierSubject, tiers
from backcheck.finding import Severity, Verdict
from backcheck.policy.firing import fire, longest_gap
from backcheck.policy.protection import two_years
from backcheck.policy.rpo import spell

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

CADENCES: dict[str, tuple[timedelta, ...]] = {
    "hourly": (HOUR,),
    "daily": (DAY,),
    "weekly": (7 * DAY,),
    "monthly": (31 * DAY, 35 * DAY),
    "quarterly": (92 * DAY, 98 * DAY),
    "yearly": (365 * DAY, 366 * DAY, 371 * DAY),
}
"""The longest gap between firings that a tier of the name may have: by date, and by weekday (`MON#1`)."""

DAYLIGHT_SAVING = HOUR
"""A day in local time has 23 to 25 hours."""


@control(
    id="POL-04",
    title="Each schedule runs, as often as the tier's name says",
    severity=Severity.HIGH,
    reads=POLICY_ONLY,
    each=tiers,
    why="AWS takes many cron expressions that mean something else: a daily tier may run on one day of the week.",
    remedy="Write the schedule as minutes hours day-of-month month day-of-week year, one of the days being `?`.",
    sources=(
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "daily and monthly": examples.world,
        "daily across daylight saving": lambda: _world(timezone="Europe/Berlin"),
        "a name without a cadence": lambda: _world(name="gold", schedule="cron(0 1 ? * MON-FRI *)"),
        "the first Monday of the month": lambda: _world(name="monthly", schedule="cron(0 1 ? * MON#1 *)", kept=400),
    },
    fails={
        "five fields": lambda: _world(schedule="cron(0 1 * * ?)"),
        "daily on Sundays": lambda: _world(schedule="cron(0 1 ? * 1 *)"),
        "monthly on the 31st": lambda: _world(name="monthly", schedule="cron(0 0 31 * ? *)", kept=365),
        "weekly every day": lambda: _world(name="weekly", schedule="cron(0 1 * * ? *)"),
        "a year that is over": lambda: _world(schedule="cron(0 1 * * ? 2020)"),
        "gone before the next one": lambda: _world(name="gold", schedule="cron(0 0 1 * ? *)", kept=30),
    },
    no_unknown="the policy alone is read",
)
def schedule_means_its_cadence(subject: TierSubject, world: World) -> Verdict:
    """Over two years the longest gap between firings is the cadence that the name claims, and retention covers it."""
    tier, at = subject.rule, f"{subject.rule.pointer}/schedule"
    wanted = CADENCES.get(tier.name)
    expected = f"the longest gap is {_words(wanted)}" if wanted else "it fires, again and again"
    error = schedule_error(tier.schedule, tier.timezone)
    if error:
        return verdict(False, expected="an AWS cron expression", observed=tier.schedule, at=at, message=error)
    start, end = two_years(world.now.year)
    gap = longest_gap(tier, start, end)
    if gap is None:
        count = len(fire(tier.schedule, tier.timezone, start, end))
        message = f"{tier.id} fires {count} times in {start.year} and {start.year + 1}"
        return verdict(False, expected=expected, observed=f"{count} firings", at=at, message=message)
    as_named = wanted is None or any(abs(gap - one) <= DAYLIGHT_SAVING for one in wanted)
    kept = tier.retention_days is None or timedelta(days=tier.retention_days) >= gap - DAYLIGHT_SAVING
    message = f"{tier.id}: up to {spell(gap)} pass between firings"
    if as_named and not kept:
        message += f", and a backup is gone after {tier.retention_days} days"
    return verdict(
        as_named and kept,
        expected=f"{expected}, and retention is as long",
        observed=f"{spell(gap)}, kept {tier.retention_days} days",
        at=at if not as_named else f"{tier.pointer}/retention_days" if not kept else at,
        message=message,
    )


def _words(gaps: tuple[timedelta, ...]) -> str:
    return " or ".join(f"{gap // DAY} d" if gap >= DAY else "1 h" for gap in gaps)


def _world(*, kept: int = 30, **daily: Any) -> World:
    tier = replace(examples.tier(), retention_days=kept, **daily)
    return examples.world(policy=examples.policy(tiers=(tier,)))
