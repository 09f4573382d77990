"""What a policy's schedules come to, in sentences for its document: which tiers replace each other, the worst cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from backcheck.cron import CronError
from backcheck.policy.calendar import Calendar, calendar_of
from backcheck.policy.model import Policy, Tier
from backcheck.policy.overlap import missing_copies
from backcheck.policy.protection import elsewhere, first_year, tier_sets, two_years
from backcheck.policy.rpo import worst_case


def _calendars(policy: Policy) -> Iterator[tuple[tuple[str, ...], Calendar]]:
    start, end = two_years(first_year(policy))
    for tiers, tables in tier_sets(policy).items():
        if tiers:
            yield tables, calendar_of(tiers, start, end)


def overlap_lines(policy: Policy) -> Iterator[str]:
    """Which tier replaces which, how often in each year, and whether it makes the other's copies."""
    try:
        calendars = [calendar for _, calendar in _calendars(policy)]
    except CronError as error:
        yield f"Not computed: {error.message}."
        return
    pairs: dict[tuple[Tier, Tier], Counter[int]] = {}
    for calendar in calendars:
        for pair, years in _replaced(calendar).items():
            pairs.setdefault(pair, years)
    for (winner, loser), years in pairs.items():
        days = " and ".join(f"{_times(count)} in {year}" for year, count in sorted(years.items()))
        missing = [copy.vault for copy in missing_copies(winner, loser)]
        copies = f"without its copies to {', '.join(missing)}" if missing else "and makes its copies"
        yield f"{winner.id} replaces {loser.id} {days}, {copies if loser.copies else 'which has no copies'}."
    if not pairs:
        yield "No start windows overlap."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _replaced(calendar: Calendar) -> dict[tuple[Tier, Tier], Counter[int]]:
    pairs: dict[tuple[Tier, Tier], Counter[int]] = {}
    for outcome in calendar.outcomes:
        for winner in outcome.superseded_by:
            pair = (winner.tier, outcome.firing.tier)
            pairs.setdefault(pair, Counter())[outcome.firing.day.year] += 1
    return pairs


def worst_case_lines(policy: Policy) -> Iterator[str]:
    """The worst case of every set of tiers, where backups are made and where they are copied to."""
    try:
        for tables, calendar in _calendars(policy):
            whom = ", ".join(tables)
            vaults = elsewhere(calendar.tiers, policy)
            for places in ((), vaults) if vaults else ((),):
                lines = worst_case(calendar, places, zone=policy.timezone).lines
                yield f"{whom}, {'; '.join(lines)}."
    except CronError as error:
        yield f"Not computed: {error.message}."
