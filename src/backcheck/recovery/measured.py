"""How long a restore took, as drills have shown it: the only time to recover that is more than a hope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backcheck.drill.record import DrillRecord
from backcheck.inventory.gap import Gap
from backcheck.policy.model import Method

Drills = Sequence[DrillRecord] | Gap


def expected(method: Method, table_arn: str, drills: Drills) -> str:
    """How long this way may take, by the last drill of its method that came to an end."""
    done = [one for one in _of(method, table_arn, drills) if one.active_minutes is not None]
    if not done:
        return "not known: no drill of this table has gone this way"
    return f"{_took(done[-1])} in the drill of {done[-1].finished:%Y-%m-%d}{_mark(done[-1])}"


def measured(table_arn: str, drills: Drills) -> Iterator[str]:
    """The last drill of each method: when, how long, how it ended; and the last good one where that did not pass."""
    if isinstance(drills, Gap):
        yield f"not known: {drills.detail}"
        return
    found = False
    for method in Method:
        records = _of(method, table_arn, drills)
        found = found or bool(records)
        good = [one for one in records if one.passed]
        if records:
            yield _told(records[-1])
        if records and not records[-1].passed and good:
            yield f"{_told(good[-1])}, the last that did"
    if not found:
        yield "never measured: no drill of this table is on record"


def _of(method: Method, table_arn: str, drills: Drills) -> list[DrillRecord]:
    known = () if isinstance(drills, Gap) else drills
    return sorted((d for d in known if d.table_arn == table_arn and d.method == method), key=lambda d: d.started)


def _told(drill: DrillRecord) -> str:
    end = "passed" if drill.passed else f"did not pass ({drill.detail or drill.integrity})"
    return f"{drill.method}: restored on {drill.started:%Y-%m-%d %H:%M} UTC, {_took(drill)}, {end}{_mark(drill)}"


def _took(drill: DrillRecord) -> str:
    if drill.active_minutes is None:
        return "never active"
    verified = f", {drill.verified_minutes:.0f} min to a verified read" if drill.verified_minutes is not None else ""
    return f"{drill.active_minutes:.0f} min until the table was active{verified}"


def _mark(drill: DrillRecord) -> str:
    return " (SIMULATED: it says nothing about AWS)" if drill.simulated else ""
