from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.controls import examples
from backcheck.drill.plan import Obstacle, plan
from backcheck.drill.verdict import Compared, Counts, Facts, Flaw, States, count, flaws, integrity, record, refused
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
        settings=None,
        cleaned_up=True,
        phases=(),
        errors=(),
    )
    return replace(whole, **changes)


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


def test_an_error_is_no_pass_even_if_everything_is_equal() -> None:
    assert not record(facts(errors=("scan denied",)), run_id="run", simulated=False).passed


def test_a_restore_that_the_account_does_not_allow_is_a_drill_that_failed() -> None:
    world = examples.world()
    assert world.inventory is not None
    made = plan(world.policy, world.inventory, now=NOW, suffix="abc123")
    obstacle = Obstacle(method=Method.PITR, resource=examples.TABLE_ARN, text="it is off", known=True)
    found = refused(obstacle, made, simulated=False)
    assert (found.passed, found.account, found.detail) == (False, examples.ACCOUNT, "not restored: it is off")
