"""A drill that was killed is heard of by the audit once it is reaped, and only then."""

from __future__ import annotations

from pathlib import Path

from tests.drill.building import Shop

from backcheck.controls import examples
from backcheck.drill import history
from backcheck.drill.reach import Patience
from backcheck.drill.reap import DIED, reap
from backcheck.drill.record import contradictions
from backcheck.drill.verdict import Facts, record
from backcheck.inventory.gap import Gap
from backcheck.policy.model import Method


def left_behind(shop: Shop) -> tuple[str, Facts]:
    """A drill that could not delete its table: the run's id, and what happened."""
    shop.table(items=3)
    made = shop.plan(Method.PITR)
    shop.sandbox.faults.deny("dynamodb:DeleteTable")
    return made.run_id, shop.drill(made)[0]


def test_a_run_without_a_record_gets_one_when_it_is_finished(shop: Shop, tmp_path: Path) -> None:
    run_id, _ = left_behind(shop)
    path = tmp_path / "out" / "drills.jsonl"
    assert [one.done for one in reap(shop.folder, shop.reach, shop.clock, Patience(), drills=path)] == [False]
    assert not path.exists()
    shop.sandbox.faults.calls.clear()
    for _ in range(2):
        list(reap(shop.folder, shop.reach, shop.clock, Patience(), drills=path))
    found = history.read(path)
    assert not isinstance(found, Gap)
    (one,) = found
    assert (one.run_id, one.method, one.table_arn) == (run_id, "pitr", examples.TABLE_ARN)
    assert (one.passed, one.undetermined, one.detail, one.simulated) == (False, True, DIED, True)
    assert list(contradictions(one)) == []


def test_a_run_that_told_of_itself_gets_no_other_record(shop: Shop, tmp_path: Path) -> None:
    run_id, facts = left_behind(shop)
    told = record(facts, run_id=run_id, simulated=True)
    path = tmp_path / "drills.jsonl"
    history.append(path, [told])
    shop.sandbox.faults.calls.clear()
    assert [one.done for one in reap(shop.folder, shop.reach, shop.clock, Patience(), drills=path)] == [True]
    assert history.read(path) == (told,)


def test_a_history_that_cannot_be_read_is_left_as_it_is_and_said(shop: Shop, tmp_path: Path) -> None:
    left_behind(shop)
    shop.sandbox.faults.calls.clear()
    path = tmp_path / "drills.jsonl"
    path.write_text("{")
    found = list(reap(shop.folder, shop.reach, shop.clock, Patience(), drills=path))
    assert [one.done for one in found] == [True, False]
    assert "not JSON" in found[1].text
    assert path.read_text() == "{"
    assert shop.tables() == ["orders"]
