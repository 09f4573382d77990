"""The plan as a file that people review and `apply` obeys: digests and decisions, no item data."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from backcheck.errors import Error, UsageError
from backcheck.reconcile.classify import Class, Reason

SCHEMA = "backcheck/reconcile/v1"


class Decision(StrEnum):
    """What `apply` does about an item."""

    RESTORE = "restore"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item that differs."""

    digest: bytes
    """Of the key."""
    kind: Class
    reason: Reason
    restored: bytes | None
    """The item's digest in the restored table; None: it is not there."""
    live: bytes | None
    """The same of the live table, as the plan saw it: `apply` writes only where it still is so."""
    decision: Decision | None
    """None: somebody has to decide, and until then nothing is done."""
    key: str | None = None
    """The key itself, as JSON, only if asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableId:
    """A table, and DynamoDB's own id of it: a table that was made anew has another."""

    arn: str
    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What reconciling means to do."""

    made_at: str
    endpoint: str
    """Where the tables were read: a plan from an emulator is never applied to AWS."""
    restored: TableId
    restored_at: str | None
    live: TableId
    key: tuple[str, ...]
    bad_from: str | None
    bad_until: str | None
    listed_keys: int | None
    """Keys that the operator listed as the deployment's; None without a list."""
    exports: tuple[str, ...]
    """Their ARNs."""
    same: int
    """Items that both tables have, and have the same."""
    notes: tuple[str, ...]
    entries: tuple[Entry, ...] = field(repr=False)

    @property
    def id(self) -> str:
        """The digest of everything but the decisions: the ledger is bound to it, and a changed plan does not load."""
        return hashlib.sha256(orjson.dumps(_content(self), option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def counts(self) -> Counter[Class]:
        """Items of each class."""
        return Counter(entry.kind for entry in self.entries)

    @property
    def undecided(self) -> int:
        """Items that wait for a decision."""
        return sum(entry.decision is None for entry in self.entries)


def default_decision(kind: Class) -> Decision | None:
    """What is done unless somebody decides otherwise."""
    if kind.needs_decision:
        return None
    return Decision.RESTORE if kind is Class.RESTORE else Decision.KEEP


def _content(plan: Plan) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "made_at": plan.made_at,
        "endpoint": plan.endpoint,
        "restored": {"arn": plan.restored.arn, "id": plan.restored.id, "as_of": plan.restored_at},
        "live": {"arn": plan.live.arn, "id": plan.live.id},
        "key": list(plan.key),
        "bad_from": plan.bad_from,
        "bad_until": plan.bad_until,
        "listed_keys": plan.listed_keys,
        "exports": list(plan.exports),
        "same": plan.same,
        "notes": list(plan.notes),
        "entries": [_entry_content(entry) for entry in plan.entries],
    }


def _entry_content(entry: Entry) -> dict[str, Any]:
    return {
        "key_digest": entry.digest.hex(),
        "class": str(entry.kind),
        "reason": str(entry.reason),
        "restored": entry.restored.hex() if entry.restored else None,
        "live": entry.live.hex() if entry.live else None,
        **({"key": entry.key} if entry.key is not None else {}),
    }


def render(plan: Plan) -> bytes:
    """The file: indented, since it is read by people and its `decision`s are edited."""
    content = {"id": plan.id, "counts": {str(kind): plan.counts[kind] for kind in Class}, **_content(plan)}
    for held, entry in zip(content["entries"], plan.entries, strict=True):
        held["decision"] = str(entry.decision) if entry.decision else None
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read(path: Path) -> Plan:
    """A plan from its file. Raises UsageError for what is none, or was changed in anything but its decisions."""
    try:
        held = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise UsageError(f"not a plan that can be read: {error}", where=str(path)) from error
    if wrong := next(iter(_validator.iter_errors(held)), None):
        raise UsageError(f"not a plan: {wrong.message[:300]}", where=f"{path}: /{'/'.join(map(str, wrong.path))}")
    plan = _plan(held)
    if held["id"] != plan.id or len({entry.digest for entry in plan.entries}) != len(plan.entries):
        raise UsageError(
            "changed since it was made, in more than its decisions",
            where=str(path),
            hint="make the plan again; only the values of `decision` may be edited",
        )
    for entry in plan.entries:
        _check_decision(entry, path)
    return plan


def _check_decision(entry: Entry, path: Path) -> None:
    if entry.decision is None and not entry.kind.needs_decision:
        raise UsageError(f"a decision that is missing, of class {entry.kind}", where=f"{path}: {entry.digest.hex()}")
    if entry.decision is not Decision.RESTORE:
        return
    if entry.kind in (Class.KEEP, Class.DELETED) or entry.restored is None:
        why = "there is nothing to restore" if entry.restored is None else f"an item of class {entry.kind} stays as is"
        raise UsageError(f"`restore` is not a decision here: {why}", where=f"{path}: {entry.digest.hex()}")


def _plan(held: dict[str, Any]) -> Plan:
    try:
        entries = tuple(_entry(one) for one in held["entries"])
    except ValueError as error:
        raise Error(f"not a plan: {error}") from error
    return Plan(
        made_at=held["made_at"],
        endpoint=held["endpoint"],
        restored=TableId(arn=held["restored"]["arn"], id=held["restored"]["id"]),
        restored_at=held["restored"]["as_of"],
        live=TableId(arn=held["live"]["arn"], id=held["live"]["id"]),
        key=tuple(held["key"]),
        bad_from=held["bad_from"],
        bad_until=held["bad_until"],
        listed_keys=held["listed_keys"],
        exports=tuple(held["exports"]),
        same=held["same"],
        notes=tuple(held["notes"]),
        entries=entries,
    )


def _entry(held: dict[str, Any]) -> Entry:
    return Entry(
        digest=bytes.fromhex(held["key_digest"]),
        kind=Class(held["class"]),
        reason=Reason(held["reason"]),
        restored=bytes.fromhex(held["restored"]) if held["restored"] else None,
        live=bytes.fromhex(held["live"]) if held["live"] else None,
        decision=Decision(held["decision"]) if held["decision"] else None,
        key=held.get("key"),
    )


def _said(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, **schema}


def _closed(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_DIGEST_OR_NULL = {"anyOf": [_DIGEST, {"type": "null"}]}
_COUNT = {"type": "integer", "minimum": 0}
_ARN = {"type": "string", "pattern": "^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[A-Za-z0-9_.-]+$"}
_ENTRY = _closed(
    {
        "key_digest": _said(_DIGEST, "Digest of the key, as in a manifest."),
        "class": _said({"enum": [str(kind) for kind in Class]}, "What became of the item."),
        "reason": _said({"enum": [str(reason) for reason in Reason]}, "Why it is in its class."),
        "restored": _said(_DIGEST_OR_NULL, "Digest of the item in the restored table; null: it is not there."),
        "live": _said(_DIGEST_OR_NULL, "The same of the live table: written to only where it still is so."),
        "decision": _said(
            {"enum": [*(str(one) for one in Decision), None]},
            "The only thing that may be edited, of classes conflict and undetermined: restore, keep, or null for none.",
        ),
        "key": _said(_TEXT, "The key as JSON, with --show-keys only."),
    },
    optional=("key",),
)
JSON_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:backcheck:reconcile:v1",
    "title": "A plan of backcheck reconcile",
    "description": "Which items a bad deployment lost or damaged. Digests and decisions, no item data.",
    **_closed(
        {
            "id": _said(_DIGEST, "SHA-256 of all but the decisions: a plan that was changed elsewhere does not load."),
            "counts": _said(_closed({str(kind): _COUNT for kind in Class}), "Items of each class."),
            "schema": {"const": SCHEMA},
            "made_at": _said(_TEXT, "When the tables were read."),
            "endpoint": _said(_TEXT, "Where: a plan from an emulator is never applied to AWS."),
            "restored": _closed({"arn": _ARN, "id": _TEXT_OR_NULL, "as_of": _TEXT_OR_NULL}),
            "live": _closed({"arn": _ARN, "id": _TEXT_OR_NULL}),
            "key": _said({"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 2}, "Names of the key."),
            "bad_from": _said(_TEXT_OR_NULL, "Every write from here on,"),
            "bad_until": _said(_TEXT_OR_NULL, "until before here, is taken as the deployment's."),
            "listed_keys": _said({"anyOf": [_COUNT, {"type": "null"}]}, "How many keys --keys gave; null: no list."),
            "exports": _said({"type": "array", "items": _TEXT}, "ARNs of the exports that it was judged by."),
            "same": _said(_COUNT, "Items that both tables have, and have the same."),
            "notes": {"type": "array", "items": _TEXT},
            "entries": _said({"type": "array", "items": _ENTRY}, "Every item that differs."),
        }
    ),
}
_validator = Draft202012Validator(JSON_SCHEMA)


def published() -> str:
    """The schema as docs/reconcile-plan.schema.json has it."""
    return orjson.dumps(JSON_SCHEMA, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
