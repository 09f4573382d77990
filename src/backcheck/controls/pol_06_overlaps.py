"""POL-06: a rule that replaces another makes its copies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, verdict
from backcheck.controls.periods import Protection, protections
from backcheck.finding import Severity, Verdict
from backcheck.policy.calendar import Calendar
from backcheck.policy.model import Policy
from backcheck.policy.overlap import Violation, violations
from backcheck.policy.rpo import spell

SHOWN_DATES = 5


@control(
    id="POL-06",
    title="A rule that replaces another makes its copies",
    severity=Severity.CRITICAL,
    reads=POLICY_ONLY,
    each=protections,
    why=(
        "Where start windows overlap, AWS takes one backup, for the rule with the longer retention. "
        "If that rule has no copy, the DR vault gets nothing on those days, while every job is green."
    ),
    remedy="Give the longer-kept tier the copies of the one that it replaces, or move the schedules apart.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",),
    maps_to=("NIST-800-53r5:CP-9", "NIST-800-53r5:CP-6(1)"),
    passes={
        "both copy": examples.world,
        "moved apart": lambda: examples.world(policy=_policy(schedule="cron(0 4 1 * ? *)", copies=())),
    },
    fails={
        "monthly without a copy": lambda: examples.world(policy=_policy(copies=())),
        "kept less long": lambda: examples.world(
            policy=_policy(copies=(replace(examples.tier("monthly").copies[0], retention_days=7),))
        ),
    },
    unknown={
        "a schedule that says nothing": lambda: examples.world(policy=_policy(schedule="cron(0 0 1 * *)")),
    },
)
def overlaps_keep_the_copies(protection: Protection, world: World) -> Iterator[Verdict]:
    """Wherever a longer-kept rule replaces another, it makes the other's copies and keeps them as long."""
    found = violations(protection.calendar)
    for violation in found:
        yield _fail(violation, protection)
    if not found:
        lost = sum(1 for outcome in protection.calendar.outcomes if not outcome.effective)
        yield verdict(
            True,
            expected="no copy is lost to an overlap",
            observed=f"{lost} overlapping firings, no copy lost",
            at="/plans",
            message=f"{protection.whom}: overlaps cost no copy",
            notes=protection.calendar.notes,
        )


def _fail(violation: Violation, protection: Protection) -> Verdict:
    winner, loser = violation.winner, violation.loser
    vaults = [copy.vault for copy in violation.missing]
    years = _by_year(violation)
    replaced_by = ", ".join(tier.id for tier in violation.also)
    also = f"; so must {replaced_by}, which replace it in turn" if replaced_by else ""
    doubt = "" if violation.certain else " (AWS does not document which of the two is taken; the worse is assumed)"
    message = (
        f"{winner.name} replaces {loser.name} on {years} without a copy to {', '.join(vaults)}{doubt}. "
        f"{_days_without(vaults, protection.calendar)}"
    )
    return verdict(
        False,
        expected=f"{winner.id} copies to {', '.join(vaults)} as {loser.id} does{also}",
        observed=f"no such copy on {len(violation.dates)} days, {_dates(violation)}",
        at=f"{winner.pointer}/copies",
        message=message.strip(),
        notes=protection.calendar.notes,
        resource=protection.policy.resource(winner.pointer),
        tier=winner.id,
    )


def _by_year(violation: Violation) -> str:
    years = dict.fromkeys(day.year for day in violation.dates)
    return " and ".join(f"{sum(d.year == year for d in violation.dates)} days of {year}" for year in years)


def _dates(violation: Violation) -> str:
    """Every date, month by month: `2026-01: 4 11 18 25; 2026-02: 8`."""
    months: dict[str, list[str]] = {}
    for day in violation.dates:
        months.setdefault(f"{day:%Y-%m}", []).append(str(day.day))
    return "; ".join(f"{month}: {' '.join(days)}" for month, days in months.items())


def _days_without(vaults: list[str], calendar: Calendar) -> str:
    """On how many days of each year no rule copies to a vault, and the longest time between two copies."""
    said = []
    for vault in vaults:
        days = calendar.days_without_copy([vault])
        years = range(calendar.start.year, calendar.end.year)
        counts = " and ".join(f"on {sum(day.year == year for day in days)} days of {year}" for year in years)
        copies = [outcome.firing.at for outcome in calendar.copies_to([vault])]
        longest = ""
        if len(copies) > 1:
            since, until = max(pairwise(copies), key=lambda pair: pair[1] - pair[0])
            longest = f"; up to {_in_days(until - since)} between copies ({since:%Y-%m-%d} to {until:%Y-%m-%d})"
        first = f", first on {', '.join(d.isoformat() for d in days[:SHOWN_DATES])}" if days else ""
        said.append(f"Nothing is copied to {vault} {counts}{first}{longest}.")
    return " ".join(said)


def _in_days(gap: timedelta) -> str:
    days, rest = divmod(gap, timedelta(days=1))
    return f"{days} days" if not rest else spell(gap)


def _policy(**monthly: Any) -> Policy:
    return examples.policy(tiers=(examples.tier(), examples.tier("monthly", **monthly)))
