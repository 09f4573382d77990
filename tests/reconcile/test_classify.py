from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backcheck.reconcile.classify import Change, Class, Incident, Reason, Window, classify, covers

GOOD, BROKEN, NEWER = b"good", b"broken", b"newer"


def at(minute: int) -> datetime:
    return datetime(2026, 11, 2, 10, tzinfo=UTC).replace(minute=minute)


def window(start: int, end: int) -> Window:
    return Window(start=at(start), end=at(end))


def change(written: int, before: bytes | None, after: bytes | None, span: Window | None = None) -> Change:
    return Change(window=span or BAD, written=at(written), before=before, after=after)


BAD = window(10, 30)
SINCE, ALL, WIDER = window(30, 59), window(10, 59), window(5, 30)
INCIDENT = Incident(bad=BAD, restored_at=at(10), covered=True)


@pytest.mark.parametrize(
    ("restored", "live", "changes", "kind", "reason"),
    [
        (GOOD, BROKEN, (change(12, GOOD, BROKEN),), Class.RESTORE, Reason.DAMAGED),
        (GOOD, None, (change(12, GOOD, None),), Class.RESTORE, Reason.LOST),
        (GOOD, BROKEN, (change(12, GOOD, BROKEN, WIDER),), Class.RESTORE, Reason.DAMAGED),
        (GOOD, NEWER, (change(12, GOOD, BROKEN),), Class.CONFLICT, Reason.DAMAGED_THEN_WRITTEN),
        (GOOD, NEWER, (change(12, GOOD, None),), Class.CONFLICT, Reason.DAMAGED_THEN_WRITTEN),
        (GOOD, None, (change(12, GOOD, BROKEN),), Class.DELETED, Reason.DAMAGED_THEN_DELETED),
        (GOOD, NEWER, (), Class.KEEP, Reason.WRITTEN_SINCE),
        (GOOD, NEWER, (change(40, GOOD, NEWER, SINCE),), Class.KEEP, Reason.WRITTEN_SINCE),
        (None, NEWER, (), Class.KEEP, Reason.CREATED_SINCE),
        (GOOD, None, (), Class.DELETED, Reason.DELETED_SINCE),
        (None, BROKEN, (change(12, None, BROKEN),), Class.UNDETERMINED, Reason.CREATED_IN_WINDOW),
        (None, NEWER, (change(12, None, BROKEN),), Class.KEEP, Reason.CREATED_SINCE),
        (NEWER, BROKEN, (change(12, GOOD, BROKEN),), Class.UNDETERMINED, Reason.OTHER_BEFORE),
        (None, BROKEN, (change(12, GOOD, BROKEN),), Class.UNDETERMINED, Reason.NOT_HELD),
        (None, None, (change(12, GOOD, None),), Class.UNDETERMINED, Reason.NOT_HELD),
        # one export of both times hides what the deployment did behind what came after it
        (GOOD, NEWER, (change(40, GOOD, NEWER, ALL),), Class.UNDETERMINED, Reason.HIDDEN),
        (GOOD, None, (change(40, GOOD, None, ALL),), Class.DELETED, Reason.LAST_WRITE_DELETED),
        (None, NEWER, (change(40, None, NEWER, ALL),), Class.KEEP, Reason.CREATED_SINCE),
        # written since, and back to the very image that the deployment left: only an export of that time tells
        (
            GOOD,
            BROKEN,
            (change(12, GOOD, BROKEN), change(40, BROKEN, BROKEN, SINCE)),
            Class.CONFLICT,
            Reason.DAMAGED_THEN_WRITTEN,
        ),
    ],
)
def test_each_class(
    restored: bytes | None, live: bytes | None, changes: tuple[Change, ...], kind: Class, reason: Reason
) -> None:
    judged = classify(restored, live, changes, INCIDENT)
    assert judged is not None
    assert (judged.kind, judged.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("same", "changes"),
    [
        (GOOD, ()),
        (GOOD, (change(12, GOOD, GOOD),)),
        (None, (change(12, None, BROKEN), change(40, BROKEN, None, SINCE))),
    ],
)
def test_the_same_in_both_tables_needs_nothing(same: bytes | None, changes: tuple[Change, ...]) -> None:
    assert classify(same, same, changes, INCIDENT) is None


def test_an_older_restore_is_held_against_the_old_image() -> None:
    earlier = Incident(bad=BAD, restored_at=at(8), covered=True)
    inside, wider = change(12, GOOD, BROKEN), change(12, GOOD, BROKEN, WIDER)
    judged = [classify(GOOD, BROKEN, (one,), earlier) for one in (inside, wider)]
    assert [(one.kind, one.reason) for one in judged if one] == [
        (Class.RESTORE, Reason.DAMAGED),
        (Class.UNDETERMINED, Reason.BEFORE_UNKNOWN),
    ]


@pytest.mark.parametrize(
    "incident",
    [
        Incident(bad=None, restored_at=at(10), covered=False),
        Incident(bad=BAD, restored_at=at(10), covered=False),
    ],
)
@pytest.mark.parametrize(("restored", "live"), [(GOOD, BROKEN), (GOOD, None), (None, NEWER)])
def test_without_an_export_everything_needs_a_decision(
    incident: Incident, restored: bytes | None, live: bytes | None
) -> None:
    judged = classify(restored, live, (), incident)
    assert judged is not None
    assert (judged.kind, judged.reason) == (Class.UNDETERMINED, Reason.NO_EXPORT)


def test_a_key_that_is_not_listed_is_never_written_back() -> None:
    damaged, lost = (change(12, GOOD, image) for image in (BROKEN, None))
    assert [
        judged.kind
        for judged in (
            classify(GOOD, BROKEN, (damaged,), INCIDENT, accused=False),
            classify(GOOD, None, (lost,), INCIDENT, accused=False),
        )
        if judged
    ] == [Class.KEEP, Class.DELETED]


@pytest.mark.parametrize(
    ("windows", "covered"),
    [
        ([BAD], True),
        ([window(5, 20), window(20, 30)], True),
        ([window(20, 30), window(5, 20)], True),
        ([window(10, 29)], False),
        ([window(11, 40)], False),
        ([window(10, 19), window(20, 30)], False),
        ([], False),
    ],
)
def test_the_whole_bad_window_must_be_exported(windows: list[Window], covered: bool) -> None:
    assert covers(windows, BAD) is covered
