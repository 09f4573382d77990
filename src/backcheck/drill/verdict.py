"""What a drill has shown: differences counted and explained, facts turned into the record that audits read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backcheck.drill.plan import DrillPlan, Obstacle, Restore
from backcheck.drill.record import DrillRecord
from backcheck.drill.settings import SettingsComparison
from backcheck.manifest.diff import Outcome
from backcheck.manifest.differences import Difference, Kind
from backcheck.policy.model import ALWAYS_CHECKED, CHECKS, Method

UNCERTAIN = timedelta(seconds=60)
"""A backup of 14:25:00 holds all writes up to 14:24:00, none after 14:26:00, and maybe some of those in between.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateBackup.html"""

TOLD_AT_MOST = 3


class Flaw(StrEnum):
    """What is wrong with a restore, or with the drill of it."""

    UNTRIED = "could not be tried"
    NOT_RESTORED = "not restored"
    ANOTHER_TABLE = "restored from another table"
    ANOTHER_TIME = "restored to another time"
    CANARY_MISSING = "the canary from before T is missing"
    CANARY_CAME_BACK = "the canary from after T came back"
    EMPTY = "the restored table is empty"
    MISSING = "items missing"
    EXTRA = "items extra"
    CHANGED = "items changed"
    SETTINGS = "settings differ"
    NOT_PROVEN = "not proven"
    LEFT_BEHIND = "not cleaned up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """What of the two canaries came back."""

    before_came_back: bool
    after_came_back: bool

    @property
    def holds(self) -> bool:
        """Whether the restore ends at T: what came before is there, what came after is not."""
        return self.before_came_back and not self.after_came_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Differences by class."""

    missing: int = 0
    extra: int = 0
    changed: int = 0
    explained: int = 0
    """Of the three above: those that a write within the minute of uncertainty explains."""

    @property
    def unexplained(self) -> int:
        """Differences that nothing explains."""
        return self.missing + self.extra + self.changed - self.explained


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The restored table held against its witness."""

    outcome: Outcome
    """As the manifests say, before anything is explained."""
    reason: str
    witness: str
    """export or quiet-scan."""
    independent: bool
    as_of: datetime | None
    witness_items: int
    restored_items: int
    witness_digest: str
    restored_digest: str
    conclusive: bool
    """Whether a difference can only come from the restore: the witness is of T itself."""
    counts: Counts = Counts()
    listed: tuple[Difference, ...] = ()
    """The first ones; keys as digests."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of a drill and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What happened in one restore."""

    restore: Restore
    began: datetime
    ended: datetime
    at: datetime | None
    """The state that was asked for."""
    requested: datetime | None
    active: datetime | None
    verified: datetime | None
    """When the restored table had been read and compared."""
    restored_from: str | None
    """RestoreSummary.SourceTableArn, or the restore job's SourceResourceArn."""
    restored_to: datetime | None
    """RestoreSummary.RestoreDateTime of a restore by PITR."""
    compared: Compared | None
    settings: SettingsComparison | None
    cleaned_up: bool
    phases: tuple[Phase, ...]
    errors: tuple[str, ...]
    """Everything that went wrong, in order."""
    boundary: Boundary | None = None
    """By the canary; None: not asserted."""
    undetermined: bool = False
    """It ended early, by what says nothing of the backup: a denied or unanswered call, no room for a restore."""


States = Mapping[bytes, bytes]
"""Digest of a key to the digest of its item."""


def count(expected: States, found: States, around: Sequence[States]) -> Counts:
    """Differences by class. One is explained where the item is as it was at the other end of the uncertain minute.

    >>> count({b"a": b"1"}, {b"a": b"2"}, [{b"a": b"2"}])
    Counts(missing=0, extra=0, changed=1, explained=1)
    """
    kinds = dict.fromkeys((Kind.MISSING, Kind.EXTRA, Kind.CHANGED), 0)
    explained = 0
    for key in expected.keys() | found.keys():
        wanted, got = expected.get(key), found.get(key)
        if wanted == got:
            continue
        kinds[Kind.MISSING if got is None else Kind.EXTRA if wanted is None else Kind.CHANGED] += 1
        explained += any(state.get(key) == got for state in around)
    return Counts(
        missing=kinds[Kind.MISSING], extra=kinds[Kind.EXTRA], changed=kinds[Kind.CHANGED], explained=explained
    )


def integrity(facts: Facts) -> str:
    """equal, different or not-proven: DrillRecord.integrity. Everything that is not shown to be equal is not."""
    found = facts.compared
    if _is_misplaced(facts) or (facts.boundary is not None and not facts.boundary.holds):
        return "different"
    if found is None or facts.restored_from is None:
        return "not-proven"
    if found.outcome is Outcome.EQUAL:
        return "equal"
    if found.outcome is Outcome.DIFFERENT and not found.restored_items:
        return "different" if found.conclusive else "not-proven"
    if found.outcome is Outcome.DIFFERENT and found.counts.explained and not found.counts.unexplained:
        return "equal"
    return "different" if found.outcome is Outcome.DIFFERENT and found.conclusive else "not-proven"


def flaws(facts: Facts) -> tuple[Flaw, ...]:
    """Every class of what is wrong; empty where the restore is proven."""
    return tuple(_flaws(facts))


def _flaws(facts: Facts) -> Iterator[Flaw]:
    if facts.active is None:
        yield Flaw.UNTRIED if facts.undetermined else Flaw.NOT_RESTORED
    if facts.restored_from not in (None, facts.restore.source.arn):
        yield Flaw.ANOTHER_TABLE
    if _is_another_time(facts):
        yield Flaw.ANOTHER_TIME
    if facts.boundary is not None and not facts.boundary.before_came_back:
        yield Flaw.CANARY_MISSING
    if facts.boundary is not None and facts.boundary.after_came_back:
        yield Flaw.CANARY_CAME_BACK
    found = facts.compared
    if found is not None and found.outcome is Outcome.DIFFERENT:
        if not found.restored_items:
            yield Flaw.EMPTY
        if found.counts.unexplained or not found.counts.explained:
            classes = (
                (Flaw.MISSING, found.counts.missing),
                (Flaw.EXTRA, found.counts.extra),
                (Flaw.CHANGED, found.counts.changed),
            )
            yield from (flaw for flaw, number in classes if number)
    if integrity(facts) == "not-proven":
        yield Flaw.NOT_PROVEN
    if facts.settings is not None and facts.settings.different:
        yield Flaw.SETTINGS
    if not facts.cleaned_up:
        yield Flaw.LEFT_BEHIND


def shown(facts: Facts) -> dict[str, bool | None]:
    """What the restore has shown, by the policy's word for it; None: nobody can tell."""
    found, settings = facts.compared, facts.settings
    equal = {"equal": True, "different": False}.get(integrity(facts))
    took, limit = _minutes(facts.requested, facts.verified), facts.restore.rto_minutes
    counted = None if found is None else found.witness_items == found.restored_items
    known = {"different": False, "": None}.get(settings.verdict, True) if settings else None
    return {
        "completed": True if facts.active is not None else None if facts.undetermined else False,
        "rto": True if limit is None else None if took is None else took <= limit,
        "schema": settings.shape_is_equal if settings else None,
        "item-count": True if equal else None if found is None or found.outcome is Outcome.UNKNOWN else counted,
        "digest": equal,
        "settings": known,
        "cleanup": facts.cleaned_up,
    }


def _asked(facts: Facts) -> frozenset[str]:
    return ALWAYS_CHECKED.union(facts.restore.checks)


def record(facts: Facts, *, run_id: str, simulated: bool) -> DrillRecord:
    """The line of the history. It has passed where it shows all that the policy's checks ask for, without an error."""
    found = facts.compared
    equal = integrity(facts)
    held = shown(facts)
    asked = [held[name] for name in _asked(facts)]
    return DrillRecord(
        run_id=run_id,
        account=facts.restore.source.account,
        table_arn=facts.restore.source.arn,
        method=str(facts.restore.method),
        started=facts.began,
        finished=facts.ended,
        active_minutes=_minutes(facts.requested, facts.active),
        verified_minutes=_minutes(facts.requested, facts.verified),
        passed=all(one is True for one in asked) and not facts.errors,
        undetermined=False not in asked and (None in asked or bool(facts.errors)),
        integrity=equal,
        witness=found.witness if found else "none",
        independent=found.independent if found else False,
        settings=facts.settings.verdict if facts.settings else "",
        cleaned_up=facts.cleaned_up,
        simulated=simulated,
        detail="; ".join(_detail(facts)),
        phases=tuple((one.name, one.seconds) for one in facts.phases),
        boundary="" if facts.boundary is None else "asserted" if facts.boundary.holds else "broken",
    )


def refused(obstacle: Obstacle, plan: DrillPlan, *, simulated: bool) -> DrillRecord:
    """The line for a restore that the account does not allow: tried, and failed before it began."""
    return DrillRecord(
        run_id=plan.run_id,
        account=obstacle.resource.split(":")[4],
        table_arn=obstacle.resource,
        method=str(obstacle.method),
        started=plan.made_at,
        finished=plan.made_at,
        active_minutes=None,
        verified_minutes=None,
        passed=False,
        integrity="not-proven",
        witness="none",
        independent=False,
        settings="",
        cleaned_up=True,
        simulated=simulated,
        detail=f"{Flaw.NOT_RESTORED}: {obstacle.text}",
    )


def _detail(facts: Facts) -> Iterator[str]:
    found = facts.compared
    yield from (str(flaw) for flaw in flaws(facts))
    held = shown(facts)
    if missing := [name for name in CHECKS if name in _asked(facts) and held[name] is not True]:
        yield f"not shown: {', '.join(missing)}"
    if found is not None and found.outcome is not Outcome.EQUAL:
        yield found.reason
        numbers = found.counts
        yield (
            f"{numbers.missing} missing, {numbers.extra} extra, {numbers.changed} changed, "
            f"{numbers.explained} of them explained by a write within a minute of T"
        )
    if facts.settings is not None:
        yield from facts.settings.different
        if facts.settings.listed:
            yield ", ".join(facts.settings.listed)
        yield from (f"not read: {gap}" for gap in facts.settings.gaps)
    yield from facts.errors


def _is_misplaced(facts: Facts) -> bool:
    return facts.restored_from not in (None, facts.restore.source.arn) or _is_another_time(facts)


def _is_another_time(facts: Facts) -> bool:
    """AWS keeps whole seconds."""
    if facts.restore.method is not Method.PITR or facts.at is None or facts.restored_to is None:
        return False
    return abs(facts.restored_to - facts.at) >= timedelta(seconds=1)


def _minutes(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds() / 60
