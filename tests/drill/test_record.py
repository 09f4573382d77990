from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backcheck.controls import examples
from backcheck.drill.record import contradictions
from backcheck.policy.model import Method

GOOD = examples.drill("pitr")
FAILED: dict[str, Any] = {"passed": False, "integrity": "not-proven", "witness": "none"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"finished": GOOD.started},
        {"verified_minutes": GOOD.active_minutes},
        {"verified_minutes": None},
        {"boundary": "asserted"},
        {**FAILED, "active_minutes": None, "verified_minutes": None},
        {**FAILED, "verified_minutes": None, "undetermined": True},
        {**FAILED, "cleaned_up": False},
        {"passed": False, "cleaned_up": False, "boundary": "asserted"},
        {"passed": False, "integrity": "different", "boundary": "broken"},
    ],
)
def test_what_a_drill_may_say(changes: dict[str, Any]) -> None:
    assert list(contradictions(replace(GOOD, **changes))) == []


def test_the_examples_of_every_method_are_sound() -> None:
    assert [list(contradictions(examples.drill(str(method)))) for method in Method] == [[], [], []]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"witness": "none"}, ["integrity"]),
        ({"witness": ""}, ["integrity"]),
        ({"passed": False, "witness": "none"}, ["integrity"]),
        ({"undetermined": True}, ["undetermined"]),
        ({"cleaned_up": False}, ["cleaned_up"]),
        ({"integrity": "not-proven"}, ["integrity"]),
        ({"integrity": "different"}, ["integrity"]),
        ({"boundary": "broken"}, ["boundary"]),
        ({"finished": GOOD.started - timedelta(seconds=1)}, ["finished"]),
        ({"account": "999988887777"}, ["account"]),
        ({"table_arn": "orders"}, ["account"]),
        ({"active_minutes": -1.0}, ["active_minutes"]),
        ({"active_minutes": -2.0, "verified_minutes": -1.0}, ["active_minutes", "verified_minutes"]),
        ({"verified_minutes": 39.9}, ["verified_minutes"]),
        ({"passed": False, "active_minutes": None}, ["verified_minutes"]),
        ({"active_minutes": None, "verified_minutes": None}, ["active_minutes"]),
        ({"undetermined": True, "cleaned_up": False}, ["undetermined", "cleaned_up"]),
    ],
)
def test_what_contradicts_itself_is_named_by_its_field(changes: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in contradictions(replace(GOOD, **changes))] == fields
