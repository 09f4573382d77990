"""Making a plan: both tables held against each other, each difference judged by the exports. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from backcheck.errors import UsageError
from backcheck.manifest.export import Export
from backcheck.manifest.scan import Connection, TableFacts
from backcheck.reconcile import reading
from backcheck.reconcile.classify import Change, Incident, Window, classify, covers
from backcheck.reconcile.document import Entry, Plan, TableId, default_decision

UNCERTAIN = timedelta(minutes=1)
"""Export times "are based on an internal system clock and can vary by one minute of your application's local clock".
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the operator says."""

    restored: str
    live: str
    bad: Window | None
    keys: Path | None
    exports: tuple[str, ...]
    unfiltered: bool = False
    show_keys: bool = False
    processes: int = 1
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    changes: Mapping[bytes, tuple[Change, ...]]
    shown: Mapping[bytes, str]
    incident: Incident
    listed: frozenset[bytes] | None


def build(connection: Connection, request: Request, now: datetime) -> Plan:
    """Compare the two tables and judge what differs. Raises UsageError for tables or exports that do not fit."""
    client = connection.client()
    restored, live = (reading.table_facts(client, name) for name in (request.restored, request.live))
    origin = reading.restore_facts(client, restored)
    _check_tables(restored, live, origin)
    exports = [
        reading.open_changes(place, live, client, profile=request.profile, unfiltered=request.unfiltered)
        for place in request.exports
    ]
    evidence = _evidence(request, exports, live.key, origin)
    _check_time(evidence.incident)
    same, entries = _judge(connection, restored, live, evidence, request)
    bad = evidence.incident.bad
    return Plan(
        made_at=now.isoformat(),
        endpoint=client.meta.endpoint_url,
        restored=TableId(arn=restored.table.arn or "", id=restored.table.id),
        restored_at=origin.at.isoformat() if origin.at else None,
        live=TableId(arn=live.table.arn or "", id=live.table.id),
        key=live.key,
        bad_from=bad.start.isoformat() if bad else None,
        bad_until=bad.end.isoformat() if bad else None,
        listed_keys=None if evidence.listed is None else len(evidence.listed),
        exports=tuple(export.arn for export in exports),
        same=same,
        notes=tuple(_notes(evidence, origin, exports)),
        entries=entries,
    )


def _check_tables(restored: TableFacts, live: TableFacts, origin: reading.RestoreFacts) -> None:
    if restored.table.arn == live.table.arn:
        raise UsageError("the restored and the live table are the same one", where=live.table.arn or "")
    if restored.key != live.key:
        raise UsageError(f"the tables have other keys: {restored.key} and {live.key}", where=restored.table.arn or "")
    if origin.source_arn is not None and origin.source_arn != live.table.arn:
        raise UsageError(f"restored from {origin.source_arn}, not from the live table", where=restored.table.arn or "")


def _check_time(incident: Incident) -> None:
    if incident.bad and incident.restored_at and incident.restored_at > incident.bad.start:
        raise UsageError(
            f"the restored table shows {incident.restored_at.isoformat()}, after the bad window began: it may hold "
            "what the deployment wrote",
            hint="restore to the moment given as --bad-from",
        )


def _evidence(request: Request, exports: list[Export], key: tuple[str, ...], origin: reading.RestoreFacts) -> _Evidence:
    changes, shown = reading.changes_of(exports, key, show_keys=request.show_keys)
    windows = [reading.window_of(export) for export in exports]
    bad = request.bad
    if bad is None and windows:
        bad = Window(start=min(one.start for one in windows), end=max(one.end for one in windows))
    covered = bad is not None and covers(windows, bad)
    begins_early = bad is not None and any(one.start < bad.start < one.end for one in windows)
    return _Evidence(
        changes=changes,
        shown=shown,
        incident=Incident(bad=bad, restored_at=origin.at, covered=covered, begins_early=begins_early),
        listed=None if request.keys is None else reading.listed_keys(request.keys, key),
    )


def _judge(
    connection: Connection, restored: TableFacts, live: TableFacts, evidence: _Evidence, request: Request
) -> tuple[int, tuple[Entry, ...]]:
    """How many items are the same, and every other one judged. Memory: some 250 bytes an item of the restored table."""
    rows = partial(reading.rows, connection, processes=request.processes, show_keys=request.show_keys)
    held = {digest: (item, key) for digest, item, key in rows(restored)}
    same = 0
    entries: list[Entry] = []
    unseen = set(evidence.changes)
    for digest, item, key in rows(live):
        unseen.discard(digest)
        before, _ = held.pop(digest, (None, None))
        same += before == item
        entries += _entries(digest, before, item, key, evidence)
    for digest, (before, key) in held.items():
        unseen.discard(digest)
        entries += _entries(digest, before, None, key, evidence)
    for digest in unseen:
        entries += _entries(digest, None, None, evidence.shown.get(digest), evidence)
    return same, tuple(sorted(entries, key=lambda one: one.digest))


def _entries(
    digest: bytes, restored: bytes | None, live: bytes | None, key: str | None, evidence: _Evidence
) -> Iterator[Entry]:
    accused = evidence.listed is None or digest in evidence.listed
    judged = classify(restored, live, evidence.changes.get(digest, ()), evidence.incident, accused=accused)
    if judged is not None:
        yield Entry(
            digest=digest,
            kind=judged.kind,
            reason=judged.reason,
            restored=restored,
            live=live,
            decision=default_decision(judged.kind),
            key=key,
        )


def _notes(evidence: _Evidence, origin: reading.RestoreFacts, exports: list[Export]) -> Iterator[str]:
    bad = evidence.incident.bad
    if not exports:
        yield "without an export nothing tells who wrote what: every item that differs needs a decision"
    elif not evidence.incident.covered:
        yield "the exports do not cover the whole bad window: every item that differs needs a decision"
    if origin.at is None:
        yield "AWS does not say of what moment the restored table is"
    if bad is None:
        return
    if evidence.incident.begins_early:
        yield (
            "an export begins before the bad window: what differs and is not named by it needs a decision; "
            "an export that begins at --bad-from tells more"
        )
    if evidence.listed is None:
        yield "every write in the bad window is taken as the deployment's; --keys narrows it down"
    at_edge = sum(_at_edge(change, bad) for changes in evidence.changes.values() for change in changes)
    if at_edge:
        yield f"{at_edge} write(s) within a minute of the bad window's edges, inside or out: are its times right?"
    for export in exports:
        yield from export.notes


def _at_edge(change: Change, bad: Window) -> bool:
    return any(abs(change.written - edge) < UNCERTAIN for edge in (bad.start, bad.end))
