from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backcheck.errors import UsageError
from functions.event import flag, moment, text


@pytest.mark.parametrize(
    ("given", "expected"),
    [(True, True), (False, False), ("true", True), ("false", False), ("False", False), ("", False), (None, False)],
)
def test_a_flag_is_what_it_says_as_text_and_as_boolean(given: object, expected: bool) -> None:
    assert flag({"useLatestRestorableTime": given}, "useLatestRestorableTime") is expected


@pytest.mark.parametrize("given", ["yes", "1", 1, 0, []])
def test_a_flag_that_says_neither_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match="neither true nor false"):
        flag({"useLatestRestorableTime": given}, "useLatestRestorableTime")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-22T09:30:00Z", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("2026-11-22T10:30:00.750+01:00", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        (None, None),
        ("", None),
    ],
)
def test_a_moment_is_in_utc_and_whole_seconds(given: object, expected: datetime | None) -> None:
    assert moment({"restoreDateTime": given}, "restoreDateTime") == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("yesterday", "no ISO 8601 time"),
        ("2026-11-22T09:30:00", "without an offset"),
        (1763800200000, "restoreDateTime is int, not text"),
    ],
)
def test_a_moment_that_cannot_be_meant_is_refused(given: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        moment({"restoreDateTime": given}, "restoreDateTime")


def test_text_is_stripped_and_its_absence_is_empty() -> None:
    assert (text({"a": " x "}, "a"), text({}, "a")) == ("x", "")


@pytest.mark.parametrize("given", [[], "PITR", None])
def test_a_payload_that_is_no_object_is_refused(given: Any) -> None:
    with pytest.raises(UsageError, match="no JSON object"):
        text(given, "restoreType")
