"""Drills' own documents, beside the history: read for reports, which show what no line of the history has room for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from backcheck.drill.record import DrillDetail, DrillRecord

EVIDENCE = "drills"
DOCUMENT = "drill.json"

Key: TypeAlias = tuple[str, str, str]
"""Run, table's ARN, method."""

Details: TypeAlias = Mapping[Key, DrillDetail | str]
"""What the documents say of each restore; a text: why nothing is known."""

_KNOWN = frozenset(
    ("method", "source", "restored", "recovery_point", "as_of", "phases", "integrity", "comparison", "settings")
)
_IN_THE_RECORD = frozenset(("began", "ended", "requested", "active", "verified", "flaws", "cleaned_up", "errors"))
_CLASSES = ("missing", "extra", "changed", "explained")


def key_of(record: DrillRecord) -> Key:
    """What a record is found by among the details."""
    return (record.run_id, record.table_arn, record.method)


def read(history: Path, records: Iterable[DrillRecord]) -> Details:
    """The details of some records of a history file. What cannot be read, or is not of the record, says so."""
    found: dict[Key, DrillDetail | str] = {}
    documents: dict[str, Mapping[Key, DrillDetail] | str] = {}
    for record in records:
        if record.run_id not in documents:
            documents[record.run_id] = _document(history.parent, record.run_id)
        document = documents[record.run_id]
        place = f"{EVIDENCE}/{record.run_id}/{DOCUMENT}"
        if isinstance(document, str):
            found[key_of(record)] = document
        else:
            found[key_of(record)] = document.get(key_of(record), f"{place} says nothing of this restore")
    return found


def _document(folder: Path, run_id: str) -> Mapping[Key, DrillDetail] | str:
    """Every restore of one document, or why there is none. A run's id comes from a file: it must not lead elsewhere."""
    if run_id in (".", "..") or Path(run_id).name != run_id:
        return "the history names no run that a folder could be called by"
    place = f"{EVIDENCE}/{run_id}/{DOCUMENT}"
    try:
        data = (folder / place).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return f"the drill's own document {place} is not beside the history: {why}"
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        document = orjson.loads(data)
        if document["run_id"] != run_id:
            return f"{place} is of another drill, {document['run_id']}"
        details = [(one["source"], one["method"], _detail(one, place, sha256)) for one in document["restores"]]
        return {(run_id, str(source), str(method)): detail for source, method, detail in details}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"{place} is damaged: {error!r}"


def _detail(one: Mapping[str, Any], place: str, sha256: str) -> DrillDetail:
    found = one.get("comparison") or {}
    settings = one.get("settings") or {}
    items, digests = found.get("items"), found.get("digests")
    return DrillDetail(
        document=place,
        sha256=sha256,
        began=datetime.fromisoformat(one["began"]),
        integrity=str(one["integrity"]),
        phases=tuple((str(phase["name"]), float(phase["seconds"])) for phase in one["phases"]),
        restored=str(one["restored"]),
        recovery_point=str(one.get("recovery_point") or ""),
        as_of=_time(one.get("as_of")),
        witness_as_of=_time(found.get("as_of")),
        reason=str(found.get("reason", "")),
        items=(int(items["witness"]), int(items["restored"])) if items else None,
        digests=(str(digests["witness"]), str(digests["restored"])) if digests else None,
        differences=tuple((name, int(found[name])) for name in _CLASSES if name in found),
        first=tuple((str(item["kind"]), str(item["key_digest"])) for item in found.get("first", ())),
        notes=_lines(found.get("notes")),
        settings=tuple((name, _lines(value)) for name, value in settings.items() if name != "runbook"),
        runbook=_lines(settings.get("runbook")),
        more=tuple((name, _lines(value)) for name, value in one.items() if name not in _KNOWN | _IN_THE_RECORD),
    )


def _time(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _lines(value: Any) -> tuple[str, ...]:
    """Whatever a document holds, as lines."""
    if value is None or value == "":
        return ()
    if isinstance(value, list):
        return tuple(line for one in value for line in _lines(one))
    if isinstance(value, dict):
        return tuple(f"{name}: {', '.join(_lines(one)) or 'none'}" for name, one in value.items())
    return (str(value),)
