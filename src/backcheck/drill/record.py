"""The drill history: what each restore that was really performed has shown. The audit's RST controls read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

UNSOUND = "contradictory"
"""No line holds this: it is what a reader makes of one that contradicts itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRecord:
    """One method of one drill on one table."""

    run_id: str
    account: str
    table_arn: str
    method: str
    """pitr, backup or dr-copy."""
    started: datetime
    finished: datetime
    active_minutes: float | None
    """Restore request until the table was ACTIVE; None: it never was."""
    verified_minutes: float | None
    """Restore request until the first verified read."""
    passed: bool
    """It has shown everything that the policy's drill.checks ask for."""
    integrity: str
    """equal, different or not-proven, as the comparison said; UNSOUND in place of what the line said."""
    witness: str
    """Kind of the witness: export, sealed-manifest, quiet-scan."""
    independent: bool
    settings: str
    """equal, listed or different; empty where they were not all read."""
    cleaned_up: bool
    simulated: bool
    detail: str
    phases: tuple[tuple[str, float], ...] = ()
    """What it did, in order, and for how many seconds."""
    undetermined: bool = False
    """It has not passed, and nothing that it has shown says that the backup is at fault."""
    boundary: str = ""
    """asserted or broken, by the canary; empty: not asserted."""

    @property
    def unsound(self) -> bool:
        """Its line contradicts itself: what the drill has shown is not known. `detail` says why."""
        return self.integrity == UNSOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillDetail:
    """What a drill's own document says beyond its line in the history. Reports show it; no verdict rests on it."""

    document: str
    """Where it is, from the history's folder."""
    sha256: str
    """Of the document's bytes."""
    began: datetime
    integrity: str
    phases: tuple[tuple[str, float], ...]
    restored: str
    """ARN of the table that was made, and is gone."""
    recovery_point: str
    """Empty for a restore by PITR."""
    as_of: datetime | None
    """T, the state that was asked for."""
    witness_as_of: datetime | None
    reason: str
    """What the comparison says of itself."""
    items: tuple[int, int] | None
    """Of the witness, and of the restored table; None: never compared."""
    digests: tuple[str, str] | None
    """Of the same two."""
    differences: tuple[tuple[str, int], ...]
    """By class."""
    first: tuple[tuple[str, str], ...]
    """Class and digest of the key of the first items that differ."""
    notes: tuple[str, ...]
    """What the comparison rests on."""
    settings: tuple[tuple[str, tuple[str, ...]], ...]
    """What was found of the settings, by name, as far as anything was."""
    runbook: tuple[str, ...]
    """The commands that set again what AWS leaves out."""
    more: tuple[tuple[str, tuple[str, ...]], ...]
    """Whatever else the document holds on this restore, by name."""


def contradictions(record: DrillRecord) -> Iterator[tuple[str, str]]:
    """The fields that contradict others, each with what is wrong. Any one, and the record is no evidence of anything.

    `verdict.record` writes none of these: a line that has one was damaged, or was written by somebody.
    """
    arn = record.table_arn.split(":")
    if arn[4:5] != [record.account]:
        yield "account", f"{record.account} is not the account of {record.table_arn}"
    if record.finished < record.started:
        yield "finished", f"{record.finished} is before started, {record.started}"
    yield from _untimely(record)
    if record.integrity == "equal" and record.witness in ("", "none"):
        yield "integrity", "equal, without a witness to be equal to"
    if record.integrity == "equal" and record.boundary == "broken":
        yield "boundary", "broken, while integrity is equal"
    if record.passed:
        yield from _not_passed(record)


def _untimely(record: DrillRecord) -> Iterator[tuple[str, str]]:
    active, verified = record.active_minutes, record.verified_minutes
    for name, minutes in (("active_minutes", active), ("verified_minutes", verified)):
        if minutes is not None and minutes < 0:
            yield name, f"{minutes} is negative"
    if verified is not None and active is None:
        yield "verified_minutes", f"{verified}, of a table that never was active"
    elif verified is not None and active is not None and verified < active:
        yield "verified_minutes", f"{verified} is less than active_minutes, {active}"


def _not_passed(record: DrillRecord) -> Iterator[tuple[str, str]]:
    if record.undetermined:
        yield "undetermined", "true, while passed is true"
    if not record.cleaned_up:
        yield "cleaned_up", "false, while passed is true"
    if record.integrity != "equal":
        yield "integrity", f"{record.integrity}, while passed is true"
    if record.active_minutes is None:
        yield "active_minutes", "null, while passed is true"


def latest(records: Iterable[DrillRecord]) -> tuple[DrillRecord, ...]:
    """The last drill of each method on each table: what audits judge."""
    found: dict[tuple[str, str], DrillRecord] = {}
    for one in sorted(records, key=lambda record: record.started):
        found[one.table_arn, one.method] = one
    return tuple(found.values())
