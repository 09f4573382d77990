"""What a report shows of the drills: the last of each method on each table, with its phases to scale. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from backcheck.controls.control import World
from backcheck.drill.record import DrillDetail, DrillRecord, latest
from backcheck.finding import Status
from backcheck.inventory.gap import Gap
from backcheck.policy.model import Method, Objectives

SHOWN_AT_MOST = 60
"""Drills in full: a policy of a few tables. The history has all."""

BAR = 360
"""Width of the bar of phases, in pixels."""

RTO = frozenset({"restore", "verify"})
"""Phases between the request and the first verified read, which is what the objective is about."""

Details = Mapping[tuple[str, str, str], DrillDetail | str]
"""By run, table's ARN and method; a text: why nothing more is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One phase in the bar of all."""

    name: str
    seconds: float
    x: float
    width: float
    counts: bool
    """Whether it is time that the RTO counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """One drill of one method on one table."""

    record: DrillRecord
    table: str
    outcome: Status
    """PASS: came back, proven equal, and cleaned up."""
    detail: DrillDetail | None
    unknown: str
    """Why there is no detail; empty where there is."""
    objective_minutes: int | None
    late: bool
    bars: tuple[Bar, ...]
    contradictions: tuple[str, ...]
    """Where the history and the drill's own document do not say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Everything about drills."""

    unread: str
    """Why the history is not known; empty where it is."""
    on_record: int
    more: int
    """Last drills that are not shown."""
    drills: tuple[Drilled, ...]


def shown(drills: tuple[DrillRecord, ...] | Gap) -> tuple[tuple[DrillRecord, ...], int]:
    """The last drill of each method on each table, failed ones first, and how many more there are."""
    last = [] if isinstance(drills, Gap) else list(latest(drills))
    last.sort(key=lambda one: (one.passed, one.table_arn, list(Method).index(Method(one.method))))
    return tuple(last[:SHOWN_AT_MOST]), max(0, len(last) - SHOWN_AT_MOST)


def section(world: World, details: Details) -> Section:
    """The drills of a world, with what their documents say."""
    if isinstance(world.drills, Gap):
        return Section(unread=str(world.drills), on_record=0, more=0, drills=())
    records, more = shown(world.drills)
    return Section(
        unread="",
        on_record=len(world.drills),
        more=more,
        drills=tuple(_drilled(one, world.policy.objectives, details) for one in records),
    )


def _drilled(record: DrillRecord, objectives: Objectives, details: Details) -> Drilled:
    found = details.get((record.run_id, record.table_arn, record.method), "the drill's own document was not looked for")
    detail = None if isinstance(found, str) else found
    rto = objectives.rto
    limits = {Method.PITR: rto.pitr_minutes, Method.BACKUP: rto.backup_minutes, Method.DR_COPY: rto.dr_minutes}
    limit = limits[Method(record.method)]
    took = record.verified_minutes
    return Drilled(
        record=record,
        table=record.table_arn.partition(":table/")[2],
        outcome=Status.PASS if record.passed else Status.UNKNOWN if record.undetermined else Status.FAIL,
        detail=detail,
        unknown=found if isinstance(found, str) else "",
        objective_minutes=limit,
        late=limit is not None and took is not None and took > limit,
        bars=tuple(_bars(record.phases)),
        contradictions=tuple(_contradictions(record, detail)) if detail else (),
    )


def _bars(phases: tuple[tuple[str, float], ...]) -> Iterator[Bar]:
    whole = sum(seconds for _, seconds in phases) or 1.0
    x = 0.0
    for name, seconds in phases:
        width = BAR * seconds / whole
        yield Bar(name=name, seconds=seconds, x=round(x, 1), width=round(width, 1), counts=name in RTO)
        x += width


def _contradictions(record: DrillRecord, detail: DrillDetail) -> Iterator[str]:
    pairs = (
        ("began", record.started, detail.began),
        ("integrity", record.integrity, detail.integrity),
        ("phases", record.phases, detail.phases),
    )
    for name, line, document in pairs:
        if line != document:
            yield f"{name}: the history says {_said(line)}, the drill's own document {_said(document)}"


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{name} {seconds:g} s" for name, seconds in value) or "none"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def spell_seconds(seconds: float) -> str:
    """Of a phase: `3 min 12 s`, `0.4 s`, `2 h 05 min`."""
    if 0 < seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"


def spell_minutes(minutes: float | None) -> str:
    """Of an RTO, as a phase is spelled; `never` for None: it never came to a verified read."""
    return "never" if minutes is None else spell_seconds(timedelta(minutes=minutes).total_seconds())
