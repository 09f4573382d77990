from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.drill.building import Shop, policy
from tests.drill.killing import Fuse, Killed, Line, as_run, everything, fused_ledger

from backcheck.drill.canary import MARK
from backcheck.drill.plan import DrillPlan
from backcheck.drill.reach import Patience
from backcheck.drill.reap import Reaped, reap
from backcheck.drill.report import plan_text
from backcheck.drill.verdict import Facts, Flaw, flaws, integrity, record
from backcheck.policy.model import Canary, Method
from backcheck.sandbox.faults import Faults

HOME = "us-east-1"


@pytest.fixture
def watched(shop: Shop) -> Shop:
    """A shop whose policy has a canary."""
    shop.policy = policy(canary=Canary(role="shop-canary", key_prefix="canary-"))
    shop.table(items=5)
    return shop


def drilled(shop: Shop, made: DrillPlan, meddle: Callable[[str], None] = lambda _: None, at: str = "verify") -> Facts:
    target = made.restores[0].target
    return shop.drill(made, lambda step: meddle(target) if step == f"  {at}" else None)[0]


def key_of(made: DrillPlan, half: str) -> str:
    canary = made.restores[0].canary
    assert canary is not None
    return canary.key_value(half)


def put(shop: Shop, table: str, key: str, mark: str = "theirs") -> None:
    item = {"id": {"S": key}, "city": {"S": "Bern"}, MARK: {"S": mark}}
    shop.dynamodb.put_item(TableName=table, Item=item)


def reaped(shop: Shop) -> list[Reaped]:
    return list(reap(shop.folder, shop.reach, shop.clock, Patience()))


@pytest.mark.parametrize("exported", [False, True], ids=["scan", "export"])
def test_before_t_it_comes_back_after_t_it_does_not_and_then_both_are_gone(watched: Shop, exported: bool) -> None:
    before = everything(watched, HOME)
    made = watched.plan(Method.PITR, witness_bucket=watched.bucket() if exported else None)
    facts = drilled(watched, made)
    found = record(facts, run_id="run", simulated=True)
    assert (found.passed, found.integrity, found.boundary) == (True, "equal", "asserted")
    assert facts.errors == ()
    assert everything(watched, HOME) == before


def test_a_dry_run_names_the_items_and_who_writes_them(watched: Shop) -> None:
    made = watched.plan(Method.PITR)
    told = "\n".join(plan_text(made))
    assert f"canary-{made.run_id}-before and -after into the source" in told
    assert "role/shop-canary" in told


def test_it_is_written_by_its_own_role(watched: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[tuple[str, str]] = set()

    def hear(_: Faults, service: str, action: str, **of: str) -> None:
        if action in ("PutItem", "DeleteItem"):
            seen.add((action, of["caller"]))

    monkeypatch.setattr(Faults, "of_call", hear)
    drilled(watched, watched.plan(Method.PITR))
    role = f"arn:aws:iam::{watched.sandbox.account}:role/shop-canary"
    assert seen == {("PutItem", role), ("DeleteItem", role)}


def without_the_canary(shop: Shop, made: DrillPlan) -> Callable[[str], None]:
    key = {"id": {"S": key_of(made, "before")}}
    return lambda target: shop.dynamodb.delete_item(TableName=target, Key=key)


def with_the_other_one(shop: Shop, made: DrillPlan) -> Callable[[str], None]:
    return lambda target: put(shop, target, key_of(made, "after"), made.run_id)


@pytest.mark.parametrize(
    ("meddling", "flaw"),
    [(without_the_canary, Flaw.CANARY_MISSING), (with_the_other_one, Flaw.CANARY_CAME_BACK)],
    ids=["the one before is missing", "the one after is there"],
)
def test_a_boundary_that_is_wrong_fails_with_a_class_of_its_own(watched: Shop, meddling: Any, flaw: Flaw) -> None:
    before = everything(watched, HOME)
    made = watched.plan(Method.PITR)
    facts = drilled(watched, made, meddling(watched, made))
    assert flaw in flaws(facts)
    assert integrity(facts) == "different"
    assert record(facts, run_id="run", simulated=True).boundary == "broken"
    assert everything(watched, HOME) == before


@pytest.mark.parametrize("half", ["before", "after"])
def test_an_item_that_is_there_is_never_overwritten_nor_removed(watched: Shop, half: str) -> None:
    made = watched.plan(Method.PITR)
    put(watched, "orders", key_of(made, half))
    before = everything(watched, HOME)
    facts = drilled(watched, made)
    found = record(facts, run_id="run", simulated=True)
    assert (found.integrity, found.boundary) == ("equal", "")
    assert "the boundary at T is not asserted, the canary could not be written" in found.detail
    assert [one.done for one in reaped(watched)] in ([], [False])
    assert everything(watched, HOME) == before


def test_a_canary_that_somebody_replaced_is_left_alone_and_said(watched: Shop) -> None:
    made = watched.plan(Method.PITR)
    facts = drilled(watched, made, lambda _: put(watched, "orders", key_of(made, "before")))
    assert not facts.cleaned_up
    assert "not this run's mark: it is left alone" in facts.errors[-1]
    found = watched.dynamodb.get_item(TableName="orders", Key={"id": {"S": key_of(made, "before")}})
    assert found["Item"][MARK] == {"S": "theirs"}


def test_a_canary_that_may_not_be_written_leaves_the_boundary_open(watched: Shop) -> None:
    watched.sandbox.faults.deny("dynamodb:PutItem")
    facts = drilled(watched, watched.plan(Method.PITR))
    found = record(facts, run_id="run", simulated=True)
    assert (found.passed, found.undetermined, found.integrity, found.boundary) == (False, True, "equal", "")
    assert "PutItem" in found.detail


def test_one_that_may_not_be_removed_is_said_and_reaped_later(watched: Shop) -> None:
    before = everything(watched, HOME)
    watched.sandbox.faults.deny("dynamodb:DeleteItem")
    facts = drilled(watched, watched.plan(Method.PITR))
    assert not facts.cleaned_up
    assert "DeleteItem" in facts.errors[-1]
    assert [(one.done, "DeleteItem" in one.text) for one in reaped(watched)] == [(False, True)]
    watched.sandbox.faults.calls.clear()
    assert [one.done for one in reaped(watched)] == [True]
    assert everything(watched, HOME) == before


def test_a_key_that_is_no_string_has_no_canary(watched: Shop) -> None:
    watched.dynamodb.create_table(
        TableName="counters",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    made = watched.plan(Method.PITR)
    only = made.restores[0]
    arn = only.source.arn.replace("orders", "counters")
    elsewhere = replace(only, source=replace(only.source, name="counters", arn=arn))
    facts = drilled(watched, replace(made, restores=(elsewhere,)))
    assert any("is no string: there can be no canary" in one for one in facts.errors)


def test_recovery_points_have_no_canary(watched: Shop) -> None:
    watched.backed_up()
    assert {one.method: one.canary is not None for one in watched.plan().restores} == {
        Method.PITR: True,
        Method.BACKUP: False,
        Method.DR_COPY: False,
    }


def test_ended_at_every_point_around_a_canary_it_leaves_nothing(watched: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    made, line, whole = watched.plan(Method.PITR), Line(watched), Fuse()
    monkeypatch.setattr("backcheck.drill.reach.assumed", line.assumed)
    before = everything(watched, HOME)
    with fused_ledger(monkeypatch, whole):
        line.drill(made, whole)
    ours = [n for n, what in enumerate(whole.points, start=1) if what in ("dynamodb.PutItem", "dynamodb.DeleteItem")]
    assert len(ours) == 4
    for number in sorted({near for n in ours for near in range(n - 2, n + 3)}):
        fuse = Fuse(number)
        with fused_ledger(monkeypatch, fuse), pytest.raises(Killed):
            line.drill(as_run(made, number), fuse)
        assert [one.text for one in reaped(watched) if not one.done] == [], number
        assert everything(watched, HOME) == before, number
    assert reaped(watched) == []
