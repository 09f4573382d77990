"""Overlaps that cost copies: a rule with longer retention replaces another and does not make its copies (POL-06)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from backcheck.policy.calendar import Calendar
from backcheck.policy.firing import copy_to, kept
from backcheck.policy.model import Copy, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule replaces another and lacks copies that the other one makes (POL-06, PLN-06)."""

    winner: Tier
    loser: Tier
    missing: tuple[Copy, ...]
    """Copies of the loser that the winner does not make, or does not keep as long."""
    dates: tuple[date, ...]
    """In the loser's time zone, ascending."""
    certain: bool
    """False where the documentation leaves open which of the two is taken on some of the dates."""
    also: tuple[Tier, ...] = ()
    """Rules that at times replace the winner, and so need the same copies: without them the violation only moves."""


def violations(calendar: Calendar) -> tuple[Violation, ...]:
    """Each pair of rules of which one replaces the other without its copies, with the dates, in the tiers' order.

    Where retention is equal, either may be taken, so both ways are looked at.
    """
    found: dict[tuple[Tier, Tier], dict[date, bool]] = {}
    beats: dict[Tier, set[Tier]] = {}
    for winner, loser, day, certain in _replacements(calendar):
        beats.setdefault(loser, set()).add(winner)
        if missing_copies(winner, loser):
            days = found.setdefault((winner, loser), {})
            days[day] = days.get(day, True) and certain
    return tuple(
        Violation(
            winner=winner,
            loser=loser,
            missing=missing_copies(winner, loser),
            dates=tuple(sorted(days)),
            certain=all(days.values()),
            also=_who_replaces(winner, beats, calendar.tiers, but=loser),
        )
        for (winner, loser), days in sorted(
            found.items(), key=lambda item: (calendar.tiers.index(item[0][1]), calendar.tiers.index(item[0][0]))
        )
    )


def missing_copies(winner: Tier, loser: Tier) -> tuple[Copy, ...]:
    """The loser's copies that the winner does not make, or keeps less long."""
    return tuple(copy for copy in loser.copies if not _carries(winner, copy))


def _carries(winner: Tier, wanted: Copy) -> bool:
    copy = copy_to(winner, wanted.vault)
    return copy is not None and kept(copy.retention_days) >= kept(wanted.retention_days)


def _replacements(calendar: Calendar) -> Iterator[tuple[Tier, Tier, date, bool]]:
    for outcome in calendar.outcomes:
        loser, day = outcome.firing.tier, outcome.firing.day
        for winner in outcome.superseded_by:
            yield winner.tier, loser, day, outcome.certain
        for rival in outcome.rivals:
            yield rival.tier, loser, day, False


def _who_replaces(winner: Tier, beats: dict[Tier, set[Tier]], tiers: Sequence[Tier], *, but: Tier) -> tuple[Tier, ...]:
    reached: set[Tier] = set()
    beyond = [winner]
    while beyond:
        for other in beats.get(beyond.pop(), set()) - reached:
            reached.add(other)
            beyond.append(other)
    return tuple(tier for tier in tiers if tier in reached - {winner, but})
