from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.controls import examples
from backcheck.drill.plan import Obstacle, plan
from backcheck.drill.settings import SettingsComparison
from backcheck.drill.verdict import (
    Boundary,
    Compared,
    Counts,
    Facts,
    Flaw,
    States,
    count,
    flaws,
    integrity,
    record,
    refused,
    shown,
)
from backcheck.manifest.diff import Outcome
from backcheck.policy.model import Method

NOW = examples.NOW
A, B, C = b"a", b"b", b"c"


def facts(**changes: Any) -> Facts:
    world = examples.world()
    assert world.inventory is not None
    made = plan(world.policy, world.inventory, now=NOW, suffix="abc123", methods=(Method.BACKUP,))
    whole = Facts(
        restore=made.restores[0],
        began=NOW,
        ended=NOW,
        at=NOW,
        requested=NOW,
        active=NOW,
        verified=NOW,
        restored_from=examples.TABLE_ARN,
        restored_to=NOW,
        compared=compared(),
        settings=settings(),
        cleaned_up=True,
        phases=(),
        errors=(),
    )
    return replace(whole, **changes)


def settings(**changes: Any) -> SettingsComparison:
    made = SettingsComparison(different=(), listed=("TTL",), gaps=(), shape_is_equal=True, runbook=("aws",))
    return replace(made, **changes)


def compared(**changes: Any) -> Compared:
    made = Compared(
        outcome=Outcome.EQUAL,
        reason="the same 3 items",
        witness="export",
        independent=True,
        as_of=NOW,
        witness_items=3,
        restored_items=3,
        witness_digest="d",
        restored_digest="d",
        conclusive=True,
    )
    return replace(made, **changes)


def different(counts: Counts, **changes: Any) -> Compared:
    return compared(outcome=Outcome.DIFFERENT, reason="the content differs", counts=counts, **changes)


@pytest.mark.parametrize(
    ("expected", "found", "around", "counts"),
    [
        ({A: B}, {A: B}, [], Counts()),
        ({A: B}, {}, [], Counts(missing=1)),
        ({}, {A: B}, [], Counts(extra=1)),
        ({A: B}, {A: C}, [], Counts(changed=1)),
        ({A: B}, {A: C}, [{A: C}], Counts(changed=1, explained=1)),
        ({A: B}, {}, [{A: C}, {}], Counts(missing=1, explained=1)),
        ({}, {A: B}, [{A: B}, {}], Counts(extra=1, explained=1)),
        ({A: B}, {A: C}, [{A: B}, {A: B}], Counts(changed=1)),
    ],
)
def test_a_difference_is_explained_by_the_other_end_of_the_minute_only(
    expected: States, found: States, around: list[States], counts: Counts
) -> None:
    assert count(expected, found, around) == counts


states = st.dictionaries(st.binary(max_size=1), st.binary(max_size=1), max_size=6)


@given(states, states, st.lists(states, max_size=2))
def test_counts_add_up(expected: States, found: States, around: list[States]) -> None:
    counts = count(expected, found, around)
    differing = sum(expected.get(key) != found.get(key) for key in expected.keys() | found.keys())
    assert counts.missing + counts.extra + counts.changed == differing
    assert 0 <= counts.unexplained <= differing


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (facts(), "equal"),
        (facts(compared=None), "not-proven"),
        (facts(restored_from=None), "not-proven"),
        (facts(restored_from="arn:of:another"), "different"),
        (facts(compared=compared(outcome=Outcome.UNKNOWN)), "not-proven"),
        (facts(compared=different(Counts(changed=2, explained=2))), "equal"),
        (facts(compared=different(Counts(changed=2, explained=1))), "different"),
        (facts(compared=different(Counts(changed=2, explained=1), conclusive=False)), "not-proven"),
        (facts(compared=different(Counts())), "different"),
        (facts(compared=different(Counts(missing=3, explained=3), restored_items=0)), "different"),
    ],
)
def test_only_what_is_shown_to_be_equal_is(given: Facts, says: str) -> None:
    assert integrity(given) == says
    assert record(given, run_id="run", simulated=False).passed is (says == "equal")


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"active": None, "compared": None}, Flaw.NOT_RESTORED),
        ({"compared": different(Counts(missing=3), restored_items=0)}, Flaw.EMPTY),
        ({"compared": different(Counts(extra=1))}, Flaw.EXTRA),
        ({"cleaned_up": False}, Flaw.LEFT_BEHIND),
        ({"compared": None}, Flaw.NOT_PROVEN),
    ],
)
def test_what_is_wrong_has_a_class_and_is_no_pass(changes: dict[str, Any], flaw: Flaw) -> None:
    assert flaw in flaws(facts(**changes))
    assert not record(facts(**changes), run_id="run", simulated=False).passed


def later(minutes: float) -> dict[str, Any]:
    """Verified so long after the request, which is one minute more than the objective or less."""
    return {"verified": NOW + timedelta(minutes=minutes)}


RTO = replace(facts().restore, rto_minutes=60)


@pytest.mark.parametrize(
    ("check", "given", "says"),
    [
        ("completed", facts(), True),
        ("completed", facts(active=None), False),
        ("completed", facts(active=None, undetermined=True), None),
        ("rto", facts(), True),
        ("rto", facts(restore=RTO, **later(60)), True),
        ("rto", facts(restore=RTO, **later(61)), False),
        ("rto", facts(restore=RTO, verified=None), None),
        ("schema", facts(), True),
        ("schema", facts(settings=settings(shape_is_equal=False)), False),
        ("schema", facts(settings=None), None),
        ("item-count", facts(), True),
        ("item-count", facts(compared=different(Counts(missing=1), restored_items=2)), False),
        ("item-count", facts(compared=different(Counts(changed=1))), True),
        ("item-count", facts(compared=compared(outcome=Outcome.UNKNOWN)), None),
        ("item-count", facts(compared=None), None),
        ("digest", facts(), True),
        ("digest", facts(compared=different(Counts(changed=1))), False),
        ("digest", facts(compared=None), None),
        ("digest", facts(boundary=Boundary(before_came_back=True, after_came_back=False)), True),
        ("digest", facts(boundary=Boundary(before_came_back=False, after_came_back=False)), False),
        ("settings", facts(), True),
        ("settings", facts(settings=settings(different=("billing",))), False),
        ("settings", facts(settings=settings(gaps=("cloudwatch:DescribeAlarms: AccessDenied",))), None),
        ("settings", facts(settings=None), None),
        ("cleanup", facts(), True),
        ("cleanup", facts(cleaned_up=False), False),
    ],
)
def test_each_check_of_the_policy_is_shown_or_not_or_not_known(check: str, given: Facts, says: bool | None) -> None:
    assert shown(given)[check] is says
    asked = replace(given, restore=replace(given.restore, checks=("completed", "digest", check)))
    found = record(asked, run_id="run", simulated=False)
    others = {*(shown(given)[one] for one in ("completed", "digest", "cleanup")), says}
    assert found.passed is (others == {True})
    assert found.undetermined is (None in others and False not in others)


def test_what_the_policy_does_not_ask_for_does_not_decide() -> None:
    given = facts(settings=settings(different=("billing",)), restore=replace(RTO, checks=("completed", "digest")))
    assert record(given, run_id="run", simulated=False).passed
    assert not record(replace(given, restore=RTO), run_id="run", simulated=False).passed


def test_what_makes_it_a_drill_is_asked_for_even_where_nobody_says_so() -> None:
    bare = replace(facts().restore, checks=())
    assert record(facts(restore=bare), run_id="run", simulated=False).passed
    assert not record(facts(restore=bare, compared=None), run_id="run", simulated=False).passed
    assert not record(facts(restore=bare, cleaned_up=False), run_id="run", simulated=False).passed


def test_an_error_is_no_pass_even_if_everything_is_equal() -> None:
    found = record(facts(errors=("scan denied",)), run_id="run", simulated=False)
    assert (found.passed, found.undetermined) == (False, True)


def test_a_restore_that_the_account_does_not_allow_is_a_drill_that_failed() -> None:
    world = examples.world()
    assert world.inventory is not None
    made = plan(world.policy, world.inventory, now=NOW, suffix="abc123")
    obstacle = Obstacle(method=Method.PITR, resource=examples.TABLE_ARN, text="it is off", known=True)
    found = refused(obstacle, made, simulated=False)
    assert (found.passed, found.account, found.detail) == (False, examples.ACCOUNT, "not restored: it is off")
