"""When the rules of a plan fire, and which of the overlapping ones takes the backup.

'When the start windows of different rules overlap, AWS Backup retains the backup under the rule with the longer
retention period': https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html.
Written from that page alone, apart from the policy's calendar: the two are compared, so neither may lean on the other.
What the page leaves open: of two rules with equal retention none is the longer, so both are taken; a rule that was
itself superseded takes no backup, so it supersedes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from backcheck.cron import Cron

CHUNK = timedelta(days=62)
LAST_YEAR = datetime(2199, 12, 31, tzinfo=UTC)
"""The cron fields' last year (eventbridge/latest/userguide/eb-scheduled-rule-pattern.html)."""


class Scheduled(Protocol):
    """What a schedule needs to know of a rule."""

    @property
    def cron(self) -> Cron:
        """When it fires."""

    @property
    def zone(self) -> str:
        """In which time zone."""

    @property
    def start_window(self) -> timedelta:
        """How long after firing its job may start."""

    @property
    def retention_days(self) -> float:
        """Infinity for ever."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One rule at one moment; its start window is half-open."""

    at: datetime
    rule: int
    """The rule's place in the plan."""
    closes: datetime


def taken(rules: Sequence[Scheduled], since: datetime) -> Iterator[Firing]:
    """The firings that take a backup, ascending, from `since` on; endless where the schedules are."""
    margin = 3 * max(rule.start_window for rule in rules)
    start, chunk = since, CHUNK
    while start < LAST_YEAR:
        end = min(start + chunk, LAST_YEAR)
        first = max(since, start - margin)
        found = [f for f in _effective(rules, _all(rules, first, _later(end, margin))) if start <= f.at < end]
        yield from found
        start, chunk = end, CHUNK if found else 4 * chunk


def upcoming(rules: Sequence[Scheduled], after: datetime, count: int) -> list[Firing]:
    """The next `count` runs of any rule, overlapping or not."""
    start, chunk = after + timedelta(microseconds=1), timedelta(days=2)
    found: list[Firing] = []
    while len(found) < count and start < LAST_YEAR:
        end = min(start + chunk, LAST_YEAR)
        found += _all(rules, start, end)
        start, chunk = end, 2 * chunk
    return found[:count]


def _later(moment: datetime, margin: timedelta) -> datetime:
    return LAST_YEAR if LAST_YEAR - moment < margin else moment + margin


def _all(rules: Sequence[Scheduled], start: datetime, end: datetime) -> list[Firing]:
    firings = [
        Firing(moment, place, _later(moment, rule.start_window))
        for place, rule in enumerate(rules)
        for moment in rule.cron.between(start, end, rule.zone)
    ]
    return sorted(firings, key=lambda firing: (firing.at, firing.rule))


def _effective(rules: Sequence[Scheduled], firings: list[Firing]) -> list[Firing]:
    """Longest retention first; a firing is taken unless a taken one of a longer-retention rule overlaps it."""
    kept: list[Firing] = []
    for retention in sorted({rule.retention_days for rule in rules}, reverse=True):
        candidates = [f for f in firings if rules[f.rule].retention_days == retention]
        kept = sorted([*kept, *_clear_of(kept, candidates)], key=lambda firing: (firing.at, firing.rule))
    return kept


def _clear_of(kept: list[Firing], candidates: list[Firing]) -> Iterator[Firing]:
    """The candidates that overlap none of `kept`; both lists ascend."""
    longest = max((f.closes - f.at for f in kept), default=timedelta())
    low = 0
    for firing in candidates:
        while low < len(kept) and kept[low].at <= firing.at - longest:
            low += 1
        near = low
        while near < len(kept) and kept[near].at < firing.closes and kept[near].closes <= firing.at:
            near += 1
        if near == len(kept) or kept[near].at >= firing.closes:
            yield firing
