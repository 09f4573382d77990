from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.drill.building import Shop, policy

from backcheck.controls import examples
from backcheck.drill.plan import RUN_TAG
from backcheck.drill.verdict import Facts, Flaw, flaws, integrity, record
from backcheck.errors import UsageError
from backcheck.policy.model import Method

Meddle = Callable[[Shop, str], None]


def only(facts: list[Facts]) -> Facts:
    assert len(facts) == 1
    return facts[0]


def drilled(shop: Shop, meddle: Callable[[str], None] = lambda _: None, at: str = "  verify") -> Facts:
    """One drill by PITR; `meddle` is called with the restored table's name before the step `at`."""
    made = shop.plan(Method.PITR)
    target = made.restores[0].target
    return only(shop.drill(made, lambda step: meddle(target) if step == at else None))


def test_a_restore_that_is_the_same_is_proven_and_leaves_nothing(shop: Shop) -> None:
    shop.table()
    facts = drilled(shop)
    found = record(facts, run_id="run", simulated=True)
    assert (found.passed, found.integrity, found.witness, found.independent) == (True, "equal", "quiet-scan", True)
    assert found.settings == "listed"
    assert flaws(facts) == ()
    assert shop.tables() == ["orders"]


def test_every_phase_is_timed_and_the_clock_of_the_rto_runs_from_the_request(shop: Shop) -> None:
    shop.table()
    facts = drilled(shop)
    names = [one.name for one in facts.phases]
    assert names == ["witness", "wait for T", "restore", "verify", "witness again", "settings", "clean up"]
    assert facts.requested is not None
    assert facts.active is not None
    assert facts.active - facts.requested == timedelta(seconds=facts.phases[2].seconds)
    assert facts.phases[2].seconds > 0


def test_the_restored_table_carries_the_runs_tag_while_it_lives(shop: Shop) -> None:
    shop.table()
    seen: list[Any] = []

    def look(target: str) -> None:
        arn = shop.dynamodb.describe_table(TableName=target)["Table"]["TableArn"]
        seen.extend(shop.dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"])

    drilled(shop, look)
    assert RUN_TAG in {tag["Key"] for tag in seen}


@pytest.mark.parametrize(
    ("meddle", "flaw", "counts"),
    [
        (lambda shop, table: shop.put(3, table=table, amount=99), Flaw.CHANGED, (0, 0, 1)),
        (lambda shop, table: shop.delete(3, table=table), Flaw.MISSING, (1, 0, 0)),
        (lambda shop, table: shop.put(9999, table=table), Flaw.EXTRA, (0, 1, 0)),
        (lambda shop, table: [shop.delete(n, table=table) for n in range(30)], Flaw.EMPTY, (30, 0, 0)),
    ],
    ids=["changed", "dropped", "added", "emptied"],
)
def test_a_tampered_restore_fails_with_its_class(
    shop: Shop, meddle: Meddle, flaw: Flaw, counts: tuple[int, int, int]
) -> None:
    shop.table()
    facts = drilled(shop, lambda table: meddle(shop, table))
    assert flaw in flaws(facts)
    assert integrity(facts) == "different"
    assert facts.compared is not None
    found = facts.compared.counts
    assert (found.missing, found.extra, found.changed) == counts
    assert not record(facts, run_id="run", simulated=True).passed
    assert shop.tables() == ["orders"]


def test_differences_are_listed_by_digest_and_attribute_never_by_value(shop: Shop) -> None:
    shop.table()
    facts = drilled(shop, lambda table: shop.put(3, table=table, amount=99))
    assert facts.compared is not None
    listed = facts.compared.listed
    assert [(str(one.kind), one.attributes, one.key) for one in listed] == [("changed", ("amount",), None)]
    assert len(listed[0].digest) == 64


def altered(shop: Shop, **changes: Any) -> None:
    """From now on the request to restore says something else than the drill asked for."""

    def change(params: dict[str, Any], **_: Any) -> None:
        params.update(changes)

    client = shop.reach.client("dynamodb", examples.ACCOUNT, "us-east-1")
    client.meta.events.register("provide-client-params.dynamodb.RestoreTableToPointInTime", change)


def test_a_restore_to_another_time_is_found_out(shop: Shop) -> None:
    shop.table()
    shop.put(3, amount=2)
    altered(shop, RestoreDateTime=shop.clock.now() - timedelta(hours=3))
    shop.sandbox.clock.advance(hours=1)
    facts = drilled(shop)
    assert {Flaw.ANOTHER_TIME, Flaw.CHANGED} <= set(flaws(facts))
    assert integrity(facts) == "different"


def test_a_restore_to_another_time_is_found_out_even_if_the_items_are_the_same(shop: Shop) -> None:
    shop.table()
    altered(shop, RestoreDateTime=shop.clock.now() - timedelta(hours=3))
    facts = drilled(shop)
    assert flaws(facts) == (Flaw.ANOTHER_TIME,)
    assert integrity(facts) == "different"


def test_a_restore_from_another_table_is_found_out_and_left_to_its_owner(shop: Shop) -> None:
    shop.table()
    shop.table("customers", items=30)
    altered(shop, SourceTableArn=examples.TABLE_ARN.replace("orders", "customers"))
    facts = drilled(shop)
    assert Flaw.ANOTHER_TABLE in flaws(facts)
    assert integrity(facts) == "different"
    assert Flaw.LEFT_BEHIND in flaws(facts)
    assert "RestoreSummary names" in facts.errors[-1]


def test_a_missing_index_is_a_difference_of_settings(shop: Shop) -> None:
    shop.table()
    altered(shop, GlobalSecondaryIndexOverride=[])
    facts = drilled(shop)
    assert flaws(facts) == (Flaw.SETTINGS,)
    assert facts.settings is not None
    assert facts.settings.different == ("index by-city is missing",)
    assert record(facts, run_id="run", simulated=True).settings == "different"


def test_an_empty_table_proves_nothing(shop: Shop) -> None:
    shop.table(items=0)
    facts = drilled(shop)
    assert integrity(facts) == "not-proven"
    assert "an empty table proves nothing" in record(facts, run_id="run", simulated=True).detail


def test_a_source_that_is_written_to_is_no_witness(shop: Shop) -> None:
    shop.table()
    facts = drilled(shop, lambda _: shop.put(1, amount=7))
    assert integrity(facts) == "not-proven"
    assert "written to between its two readings" in record(facts, run_id="run", simulated=True).detail


def test_a_drill_above_the_ceiling_begins_nothing(shop: Shop) -> None:
    shop.table()
    shop.policy = policy(cost_ceiling_usd=0.001)
    with pytest.raises(UsageError, match="nothing was begun"):
        shop.drill(shop.plan(Method.PITR))
    assert shop.tables() == ["orders"]


def test_a_table_that_is_already_there_is_never_touched(shop: Shop) -> None:
    shop.table()
    made = shop.plan(Method.PITR)
    shop.table(made.restores[0].target, items=3)
    facts = only(shop.drill(made))
    assert "a drill never touches one" in facts.errors[0]
    assert facts.cleaned_up
    assert made.restores[0].target in shop.tables()
    assert not record(facts, run_id="run", simulated=True).passed


def test_two_drills_at_once_do_not_meet(shop: Shop) -> None:
    shop.table()
    first, second = shop.plan(Method.PITR, suffix="aaaaaa"), shop.plan(Method.PITR, suffix="bbbbbb")
    inner: list[Facts] = []

    def meanwhile(step: str) -> None:
        if step == "  settings" and not inner:
            inner.extend(shop.drill(second))

    outer = shop.drill(first, meanwhile)
    assert [flaws(one) for one in (*outer, *inner)] == [(), ()]
    assert shop.tables() == ["orders"]


def test_a_denied_delete_is_said_and_the_next_reap_finishes_the_job(shop: Shop) -> None:
    from backcheck.drill.reach import Patience
    from backcheck.drill.reap import reap

    shop.table()
    shop.sandbox.faults.deny("dynamodb:DeleteTable")
    facts = drilled(shop)
    assert Flaw.LEFT_BEHIND in flaws(facts)
    assert not facts.cleaned_up
    assert "could not be removed" in facts.errors[-1]
    assert len(shop.tables()) == 2
    left = list(reap(shop.folder, shop.reach, shop.clock, Patience()))
    assert [one.done for one in left] == [False]
    shop.sandbox.faults.calls.clear()
    assert [one.done for one in reap(shop.folder, shop.reach, shop.clock, Patience())] == [True]
    assert shop.tables() == ["orders"]
    assert list(reap(shop.folder, shop.reach, shop.clock, Patience())) == []


def by_method(facts: list[Facts]) -> dict[Method, Facts]:
    return {one.restore.method: one for one in facts}


def test_all_three_methods_bring_the_table_back(shop: Shop) -> None:
    shop.table()
    shop.backed_up()
    found = by_method(shop.drill(shop.plan()))
    assert {method: flaws(one) for method, one in found.items()} == dict.fromkeys(Method, ())
    assert {integrity(one) for one in found.values()} == {"equal"}
    assert (shop.tables(), shop.tables("us-west-2")) == (["orders"], [])


def test_an_export_at_t_is_a_witness_that_is_independent_of_recovery_points_only(shop: Shop) -> None:
    shop.table()
    shop.backed_up()
    found = by_method(shop.drill(shop.plan(witness_bucket=shop.bucket())))
    records = {method: record(one, run_id="run", simulated=True) for method, one in found.items()}
    assert {one.integrity for one in records.values()} == {"equal"}
    assert {one.witness for one in records.values()} == {"export"}
    assert {method: one.independent for method, one in records.items()} == {
        Method.PITR: False,
        Method.BACKUP: True,
        Method.DR_COPY: True,
    }


@pytest.mark.parametrize("method", list(Method))
def test_an_export_tells_a_tampered_restore_from_a_source_that_is_in_use(shop: Shop, method: Method) -> None:
    shop.table()
    shop.backed_up()
    shop.put(5, amount=50)
    shop.sandbox.clock.advance(hours=1)
    made = shop.plan(method, witness_bucket=shop.bucket())
    target, region = made.restores[0].target, made.restores[0].region
    assert flaws(only(shop.drill(made))) == ()

    made = shop.plan(method, suffix="bbbbbb", witness_bucket="shop-evidence")
    target = made.restores[0].target

    def meddle(step: str) -> None:
        if step == "  verify":
            there = shop.sandbox.client("dynamodb", region=region)
            there.delete_item(TableName=target, Key={"id": {"S": "0003"}})

    facts = only(shop.drill(made, meddle))
    assert flaws(facts) == (Flaw.MISSING,)
    assert integrity(facts) == "different"


def test_a_backup_that_differs_from_a_source_in_use_is_not_proven_by_a_scan(shop: Shop) -> None:
    shop.table()
    shop.backed_up()
    shop.put(5, amount=50)
    facts = only(shop.drill(shop.plan(Method.BACKUP)))
    assert integrity(facts) == "not-proven"
    assert facts.compared is not None
    assert facts.compared.counts.changed == 1
    assert "an export at T would tell" in facts.compared.notes[-1]


def test_a_write_within_the_minute_of_uncertainty_explains_a_difference(shop: Shop) -> None:
    """As if the backup had caught a write of the second after its time: AWS leaves open which of those it has."""
    shop.table()
    shop.backed_up()
    point = shop.plan(Method.BACKUP, witness_bucket=shop.bucket()).restores[0]
    assert point.at is not None
    shop.sandbox.clock.advance(hours=1)
    made = shop.plan(Method.BACKUP, witness_bucket="shop-evidence")
    shop.put(3, amount=8)
    at = shop.clock.now()
    shop.sandbox.clock.advance(hours=1)
    restore = replace(made.restores[0], at=at - timedelta(seconds=20))

    def catch(step: str) -> None:
        if step == "  verify":
            shop.put(3, table=restore.target, amount=8)

    facts = only(shop.drill(replace(made, restores=(restore,)), catch))
    assert facts.compared is not None
    assert (facts.compared.counts.changed, facts.compared.counts.explained) == (1, 1)
    assert integrity(facts) == "equal"
    assert "1 of them explained" in record(facts, run_id="run", simulated=True).detail
