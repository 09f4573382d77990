"""The drill history on disk: one JSON line a record, checked when it is read. The audit's RST controls read it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator, ValidationError

from backcheck.drill.record import UNSOUND, DrillRecord, contradictions
from backcheck.errors import Error
from backcheck.inventory.gap import Gap

SCHEMA = "backcheck/drill/v1"
FILE = "drills.jsonl"

_MINUTES = {"type": ["number", "null"], "minimum": 0}
_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_FIELDS: dict[str, Any] = {
    "schema": {"const": SCHEMA},
    "run_id": {"type": "string", "minLength": 1},
    "account": {"type": "string", "pattern": "^[0-9]{12}$"},
    "table_arn": {"type": "string", "pattern": "^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/.+$"},
    "method": {"enum": ["pitr", "backup", "dr-copy"]},
    "started": _TEXT,
    "finished": _TEXT,
    "active_minutes": _MINUTES,
    "verified_minutes": _MINUTES,
    "passed": _FLAG,
    "integrity": {"enum": ["equal", "different", "not-proven"]},
    "witness": _TEXT,
    "independent": _FLAG,
    "settings": {"enum": ["equal", "listed", "different", ""]},
    "cleaned_up": _FLAG,
    "simulated": _FLAG,
    "detail": _TEXT,
    "phases": {
        "type": "array",
        "items": {"type": "array", "prefixItems": [_TEXT, {"type": "number"}], "minItems": 2, "maxItems": 2},
    },
    "undetermined": _FLAG,
    "boundary": {"enum": ["asserted", "broken", ""]},
}
_LATER = frozenset({"undetermined", "boundary"})
"""Not in the lines of earlier versions."""


def append(path: Path, records: Iterable[DrillRecord]) -> None:
    """Add records at the end, on disk before this returns; two drills at once do not mix their lines."""
    lines = b"".join(_line(one) for one in records)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Error(f"the history cannot be written: {error.strerror}", where=str(path)) from error


def read(path: Path) -> tuple[DrillRecord, ...] | Gap:
    """The records, oldest first; a Gap where the file is not a whole history: then nothing is known of any drill.

    A record that contradicts itself is UNSOUND, and the others count: each is of one table and method, and so is it.
    Where the line cannot say of which account's table, it could be of any, and there is a Gap.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        return _gap("Unreadable", f"{path}: {error.strerror}")
    records: list[DrillRecord] = []
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                records.append(_sound(_record(line, f"{path}:{number}"), f"{path}:{number}", records[-1:]))
    except Error as error:
        return _gap("Malformed", error.diagnostics())
    return tuple(sorted(records, key=lambda one: one.started))


def _line(record: DrillRecord) -> bytes:
    return orjson.dumps({"schema": SCHEMA, **asdict(record)}, option=orjson.OPT_APPEND_NEWLINE)


def _record(line: bytes, where: str) -> DrillRecord:
    try:
        held = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Error(f"not JSON: {error}", where=where) from error
    wrong = next(_validator().iter_errors(held), None)
    if wrong is not None:
        raise Error(f"not a drill's record: {_field(wrong)}{wrong.message}", where=where)
    del held["schema"]
    started, finished = (_moment(held.pop(name), where) for name in ("started", "finished"))
    phases = tuple((name, seconds) for name, seconds in held.pop("phases"))
    return DrillRecord(started=started, finished=finished, phases=phases, **held)


def _sound(record: DrillRecord, where: str, before: list[DrillRecord]) -> DrillRecord:
    """The record, or an UNSOUND one in its place that is no older than what was written before it."""
    found = list(contradictions(record))
    if not found:
        return record
    why = f"a record that contradicts itself: {'; '.join(f'{field}: {what}' for field, what in found)}"
    if "account" in dict(found):
        raise Error(why, where=where)
    at = max(record.started, record.finished, *(one.finished for one in before))
    return replace(
        record,
        started=at,
        finished=at,
        active_minutes=None,
        verified_minutes=None,
        passed=False,
        undetermined=True,
        integrity=UNSOUND,
        boundary="",
        settings="",
        detail=f"{where}: {why}",
    )


def _field(wrong: ValidationError) -> str:
    return f"{wrong.path[0]}: " if wrong.path else ""


def _moment(text: str, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Error(f"not a time: {text!r}", where=where) from error
    if moment.tzinfo is None:
        raise Error("a time without a zone", where=where)
    return moment


@cache
def _validator() -> Draft202012Validator:
    schema = {
        "type": "object",
        "properties": _FIELDS,
        "required": [name for name in _FIELDS if name not in _LATER],
        "additionalProperties": False,
    }
    return Draft202012Validator(schema)


def _gap(code: str, detail: str) -> Gap:
    return Gap(service="backcheck", operation="drill history", region="", account="", code=code, detail=detail)
