from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.functions.building import NOW, check

from functions.check import Check, Kind, Phase, StillRestoring, Verdict, Witness, blurred, still_in_time

EQUAL = Verdict(equal=True, reason="10 items restored, all equal to the source's export", items=10)
CAUGHT = {"Error": "StillRestoring", "Cause": json.dumps({"errorMessage": "still restoring after 35 minutes"})}


@pytest.mark.parametrize(
    "given",
    [
        check(),
        check(Kind.RESTORE_TESTING),
        check(phase=Phase.READY, at=NOW, witnesses=(Witness(export_arn="arn:a", place="s3://b/c"),), verdict=EQUAL),
        check(error="it failed", left_behind="it is still there", allow_empty=True),
    ],
)
def test_a_check_travels_through_json_unchanged(given: Check) -> None:
    assert Check.from_json(json.loads(json.dumps(given.to_json()))) == given


@pytest.mark.parametrize(
    ("changes", "proven", "says"),
    [
        ({}, False, "nothing was compared"),
        ({"verdict": EQUAL}, True, "all equal"),
        ({"verdict": Verdict(equal=False, reason="1 missing")}, False, "1 missing"),
        ({"verdict": EQUAL, "error": "it failed"}, False, "it failed"),
        ({"verdict": EQUAL, "left_behind": "denied"}, False, "is left behind: denied"),
    ],
)
def test_only_a_verdict_without_any_failure_is_proof(changes: dict[str, Any], proven: bool, says: str) -> None:
    found, reason = check(**changes).conclusion()
    assert found is proven
    assert says in reason


@pytest.mark.parametrize(
    ("caught", "says"),
    [
        (CAUGHT, "StillRestoring: still restoring after 35 minutes"),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout: no reason given"),
        ({"Error": "X", "Cause": "not JSON"}, "X: not JSON"),
    ],
)
def test_what_the_state_machine_caught_becomes_the_reason(caught: dict[str, str], says: str) -> None:
    read = Check.from_json({**check().to_json(), "error": caught})
    assert read.error == says
    assert read.conclusion() == (False, says)


def test_a_second_failure_does_not_hide_the_first() -> None:
    first = Check.from_json({**check().to_json(), "error": CAUGHT})
    later = Check.from_json({**first.to_json(), "clean_up_error": {"Error": "ClientError", "Cause": "in use"}})
    assert "still restoring after 35 minutes" in later.conclusion()[1]
    assert "left behind: ClientError: in use" in later.conclusion()[1]


@pytest.mark.parametrize(
    ("phase", "says"),
    [(Phase.AWAIT_PITR, "no time can be restored to yet"), (Phase.RESTORING, "still restoring after 35 minutes")],
)
def test_at_its_deadline_a_check_stops_waiting(phase: Phase, says: str) -> None:
    given = check(phase=phase)
    assert still_in_time(given, given.deadline - timedelta(seconds=1)) is given
    with pytest.raises(StillRestoring, match=says):
        still_in_time(given, given.deadline)


def test_a_snapshots_moment_has_two_ends_and_a_point_in_time_one() -> None:
    minute = timedelta(minutes=1)
    assert blurred(check(), NOW) == (NOW,)
    assert blurred(check(Kind.RESTORE_TESTING), NOW) == (NOW - minute, NOW + minute)
