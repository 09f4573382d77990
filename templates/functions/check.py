"""A restore check as data: what is restored, what it is compared with, how far it is. A state machine carries it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from backcheck.errors import Error
from functions.event import Event
from functions.reply import ReplyTo

SNAPSHOT_BLUR = timedelta(minutes=1)
"""A backup begun at 14:25:00 has everything up to 14:24:00 and nothing after 14:26:00; between, maybe.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateBackup.html
"""


class StillRestoring(Error):  # noqa: N818  it is what the answer says
    """The time is up and the table is not there."""


class NotProven(Error):  # noqa: N818  it is what the execution ends with
    """The check did not end with a proof of equality."""


class Kind(StrEnum):
    """Who waits for the verdict."""

    CUSTOM_RESOURCE = "custom-resource"
    RESTORE_TESTING = "restore-testing"


class Phase(StrEnum):
    """How far a check is. `compared` and errors are told by the fields that they leave."""

    AWAIT_PITR = "await-pitr"
    RESTORING = "restoring"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """An export of the source, and where it lies."""

    export_arn: str
    place: str = ""
    """s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID, once it is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the comparison found. Equal only if something was compared."""

    equal: bool
    reason: str
    items: int = 0
    missing: int = 0
    extra: int = 0
    changed: int = 0
    unsettled: int = 0
    """Items written within the minute that a snapshot leaves open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One restore that is checked."""

    kind: Kind
    phase: Phase
    source_table_arn: str
    target_table: str
    started: datetime
    deadline: datetime
    at: datetime | None = None
    """The moment that was restored; None: not chosen yet."""
    witnesses: tuple[Witness, ...] = ()
    """One export where the moment is exact; two around it where it is a snapshot's."""
    allow_empty: bool = False
    restore_job_id: str = ""
    reply_to: ReplyTo | None = None
    verdict: Verdict | None = None
    error: str = ""
    """What a state's failure said; empty: none failed."""
    left_behind: str = ""
    """Why the restored table could not be removed; empty: it was, or AWS removes it."""

    @property
    def source_table(self) -> str:
        """The source's name."""
        return self.source_table_arn.rpartition("/")[2]

    def to_json(self) -> dict[str, Any]:
        """For the state machine."""
        fields = asdict(self)
        times = {name: value.isoformat() for name, value in fields.items() if isinstance(value, datetime)}
        return {**fields, **times, "error_text": self.error, "error": None}

    @classmethod
    def from_json(cls, fields: Event) -> Check:
        """From the state machine, which adds `error` and `clean_up_error` where a state failed."""
        given = dict(fields)
        reply, verdict = given.get("reply_to"), given.get("verdict")
        return cls(
            kind=Kind(str(given["kind"])),
            phase=Phase(str(given["phase"])),
            source_table_arn=str(given["source_table_arn"]),
            target_table=str(given["target_table"]),
            started=_time(given["started"]),
            deadline=_time(given["deadline"]),
            at=_time(given["at"]) if given.get("at") else None,
            witnesses=tuple(Witness(**one) for one in _objects(given.get("witnesses"))),
            allow_empty=given.get("allow_empty") is True,
            restore_job_id=str(given.get("restore_job_id") or ""),
            reply_to=ReplyTo(**_strings(reply)) if isinstance(reply, Mapping) else None,
            verdict=Verdict(**dict(verdict)) if isinstance(verdict, Mapping) else None,
            error=_failure(given.get("error")) or str(given.get("error_text") or ""),
            left_behind=_failure(given.get("clean_up_error")) or str(given.get("left_behind") or ""),
        )

    def conclusion(self) -> tuple[bool, str]:
        """Whether equality was proven, and the sentence for whoever waits. Never true without a verdict."""
        left = f" The restored table {self.target_table} is left behind: {self.left_behind}" if self.left_behind else ""
        if self.error:
            return False, self.error + left
        if self.verdict is None:
            return False, "nothing was compared" + left
        return self.verdict.equal and not self.left_behind, self.verdict.reason + left


def blurred(check: Check, at: datetime) -> tuple[datetime, ...]:
    """The moments to export: the one restored, or where it is a snapshot's, both ends of what that leaves open."""
    if check.kind is Kind.RESTORE_TESTING:
        return (at - SNAPSHOT_BLUR, at + SNAPSHOT_BLUR)
    return (at,)


def still_in_time(check: Check, now: datetime) -> Check:
    """The check itself. Raises StillRestoring once its deadline has passed."""
    if now < check.deadline:
        return check
    minutes = round((now - check.started).total_seconds() / 60)
    waiting = "no time can be restored to yet" if check.phase is Phase.AWAIT_PITR else "still restoring"
    raise StillRestoring(f"{waiting} after {minutes} minutes: {check.target_table or check.source_table}")


def judged(check: Check, verdict: Verdict) -> Check:
    """The check with its verdict."""
    return replace(check, verdict=verdict)


def _failure(caught: object) -> str:
    """What a Catch of Step Functions hands over, as one line: its Cause is Lambda's JSON, or text."""
    if not isinstance(caught, Mapping):
        return ""

    cause = str(caught.get("Cause") or "")
    try:
        said = json.loads(cause)
    except ValueError:
        said = None
    message = said.get("errorMessage") if isinstance(said, Mapping) else cause
    return f"{caught.get('Error') or 'error'}: {message or 'no reason given'}"[:900]


def _time(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _objects(value: object) -> list[dict[str, Any]]:
    return [dict(one) for one in value if isinstance(one, Mapping)] if isinstance(value, (list, tuple)) else []


def _strings(value: Mapping[str, object]) -> dict[str, str]:
    return {name: str(text) for name, text in value.items()}
