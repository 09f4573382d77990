"""A scope of many tables: each has to be drilled."""

from __future__ import annotations

from backcheck.controls import examples
from backcheck.controls.rst_03_integrity import what_comes_back_is_equal
from backcheck.finding import Status

OTHER = examples.TABLE_ARN.replace("orders", "customers")


def test_a_drill_of_one_table_says_nothing_of_another() -> None:
    tables = (examples.table(), examples.table(name="customers", arn=OTHER))
    wide = examples.policy(scope={"name": None, "pattern": "*"})
    world = examples.world(policy=wide, primary={"tables": tables})
    found = {one.resource: one.status for one in what_comes_back_is_equal.judge(world)}
    assert found == {examples.TABLE_ARN: Status.PASS, OTHER: Status.UNKNOWN}
