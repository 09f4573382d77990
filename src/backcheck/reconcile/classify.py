"""What became of one item, judged by digests alone: lost, damaged, written since, deleted since, or not to be told.

An incremental export has at most one record an item: the image before its window, the image after it, and the time of
the last write in it; an item that came and went in the window is not named.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Class(StrEnum):
    """What is to be done about an item."""

    RESTORE = "restore"
    """Lost or damaged by the deployment, untouched since."""
    KEEP = "keep"
    """A legitimate write since, to what the deployment had not touched."""
    CONFLICT = "conflict"
    """Damaged, then legitimately written: somebody has to decide."""
    DELETED = "deleted"
    """Legitimately deleted since: never brought back."""
    UNDETERMINED = "undetermined"
    """The evidence does not tell: somebody has to decide."""

    @property
    def needs_decision(self) -> bool:
        """Whether nothing is done until a person has decided."""
        return self in (Class.CONFLICT, Class.UNDETERMINED)


class Reason(StrEnum):
    """Why an item is in its class, in words for a reader."""

    DAMAGED = "damaged in the bad window, not written since"
    LOST = "deleted in the bad window, not written since"
    CREATED_SINCE = "created since"
    WRITTEN_SINCE = "not touched in the bad window, written outside it"
    DELETED_SINCE = "not touched in the bad window, deleted outside it"
    DAMAGED_THEN_DELETED = "damaged in the bad window, deleted since"
    DAMAGED_THEN_WRITTEN = "damaged in the bad window, written since"
    LAST_WRITE_DELETED = "its last write was a deletion after the bad window"
    HIDDEN = "written since; whether it was damaged first is hidden, as one export has both times"
    NO_EXPORT = "no export covers the bad window: who wrote it cannot be told"
    CREATED_IN_WINDOW = "created in the bad window: there is nothing to restore, and nothing is ever deleted"
    NOT_HELD = "touched in the bad window, and the restored table does not hold it"
    OTHER_BEFORE = "the restored table does not hold what the export says was there before the bad window"
    UNNAMED = (
        "changed, and maybe in the bad window: an export that begins before it does not name what was created just "
        "before it and deleted in it"
    )
    BEFORE_UNKNOWN = "what was there when the bad window began is shown by neither the restored table nor the export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time: `start` belongs to it, `end` does not, as in an incremental export."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one export says of one item. Images are digests; None: there was no such item."""

    window: Window
    """The export's."""
    written: datetime
    """The last write in the window."""
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is known of the bad deployment."""

    bad: Window | None
    """Every write in it is taken as the deployment's; None where nobody said."""
    restored_at: datetime | None
    """The moment that the restored table shows, where AWS tells."""
    covered: bool
    """Whether exports cover the whole bad window."""
    begins_early: bool = False
    """Whether an export that reaches into the bad window begins before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An item's class, and why."""

    kind: Class
    reason: Reason


def covers(windows: Iterable[Window], bad: Window) -> bool:
    """Whether the windows together leave no moment of `bad` out."""
    reached = bad.start
    for window in sorted(windows, key=lambda one: one.start):
        if window.start <= reached:
            reached = max(reached, window.end)
    return reached >= bad.end


def classify(
    restored: bytes | None, live: bytes | None, changes: tuple[Change, ...], incident: Incident, *, accused: bool = True
) -> Judgement | None:
    """Judge one item by its digest in the restored and in the live table; None where nothing is to be said.

    `changes` is in the order of time, from windows that do not overlap. `accused` is False for an item that a list of
    the deployment's keys leaves out: its writes in the bad window are legitimate.
    """
    bad = incident.bad
    touched = tuple(one for one in changes if accused and bad is not None and bad.holds(one.written))
    if restored == live:
        gone = restored is None and bool(touched) and changes[0].before is not None
        return _judged(Class.UNDETERMINED, Reason.NOT_HELD) if gone else None
    if bad is None or not incident.covered:
        return _judged(Class.UNDETERMINED, Reason.NO_EXPORT)
    if touched:
        return _touched(restored, live, changes, touched[-1], bad, incident.restored_at)
    if accused and incident.begins_early and restored is not None and _is_unnamed(changes, bad):
        return _judged(Class.UNDETERMINED, Reason.UNNAMED)
    return _untouched(restored, live, changes, bad, accused=accused)


def _is_unnamed(changes: tuple[Change, ...], bad: Window) -> bool:
    """Whether an item that was there when the bad window began may have gone in it without a record.

    "Insert + delete: no output" counts from the export's begin. That the item was there afterwards rules it out.
    """
    return not any(one.window.start < bad.start or one.before is not None for one in changes)


def _untouched(
    restored: bytes | None, live: bytes | None, changes: tuple[Change, ...], bad: Window, *, accused: bool
) -> Judgement:
    """No write of the deployment's is known. One may be hidden behind a later write in the same export's window."""
    hidden = accused and any(one.written >= bad.end and one.window.start < bad.end for one in changes)
    if restored is None and not (hidden and changes[0].before is not None):
        return _judged(Class.KEEP, Reason.CREATED_SINCE)
    if live is None:
        return _judged(Class.DELETED, Reason.LAST_WRITE_DELETED if hidden else Reason.DELETED_SINCE)
    if hidden:
        return _judged(Class.UNDETERMINED, Reason.HIDDEN)
    return _judged(Class.KEEP, Reason.WRITTEN_SINCE)


def _touched(
    restored: bytes | None,
    live: bytes | None,
    changes: tuple[Change, ...],
    last: Change,
    bad: Window,
    restored_at: datetime | None,
) -> Judgement:
    since = live != last.after or any(one.written >= bad.end for one in changes)
    if live is None and since:
        return _judged(Class.DELETED, Reason.DAMAGED_THEN_DELETED)
    if restored is None:
        if changes[0].before is not None:
            return _judged(Class.UNDETERMINED, Reason.NOT_HELD)
        kind = (Class.KEEP, Reason.CREATED_SINCE) if since else (Class.UNDETERMINED, Reason.CREATED_IN_WINDOW)
        return _judged(*kind)
    if since:
        return _judged(Class.CONFLICT, Reason.DAMAGED_THEN_WRITTEN)
    if (doubt := _doubt(restored, changes[0], bad, restored_at)) is not None:
        return _judged(Class.UNDETERMINED, doubt)
    return _judged(Class.RESTORE, Reason.LOST if live is None else Reason.DAMAGED)


def _doubt(restored: bytes, first: Change, bad: Window, restored_at: datetime | None) -> Reason | None:
    """Why the restored item may not be what was there when the bad window began."""
    if first.window.start >= bad.start:
        return None if first.before == restored else Reason.OTHER_BEFORE
    return None if restored_at == bad.start else Reason.BEFORE_UNKNOWN


def _judged(kind: Class, reason: Reason) -> Judgement:
    return Judgement(kind=kind, reason=reason)
