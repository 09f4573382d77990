"""A scope of many tables: each has to be drilled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backcheck.controls import examples
from backcheck.controls.control import AnyControl
from backcheck.controls.rst_01_recent import restores_were_drilled
from backcheck.controls.rst_02_rto import restore_is_in_time
from backcheck.controls.rst_03_integrity import what_comes_back_is_equal
from backcheck.controls.rst_04_settings import settings_come_back
from backcheck.finding import Status

OTHER = examples.TABLE_ARN.replace("orders", "customers")


def test_a_drill_of_one_table_says_nothing_of_another() -> None:
    tables = (examples.table(), examples.table(name="customers", arn=OTHER))
    wide = examples.policy(scope={"name": None, "pattern": "*"})
    world = examples.world(policy=wide, primary={"tables": tables})
    found = {one.resource: one.status for one in what_comes_back_is_equal.judge(world)}
    assert found == {examples.TABLE_ARN: Status.PASS, OTHER: Status.UNKNOWN}


ALL_FOUR = [restores_were_drilled, restore_is_in_time, what_comes_back_is_equal, settings_come_back]


@pytest.mark.parametrize("control", ALL_FOUR, ids=lambda one: one.id)
def test_a_drill_that_ended_after_the_moment_that_is_judged_is_no_evidence(control: AnyControl) -> None:
    ended = examples.NOW + timedelta(seconds=5)
    later = {"started": ended - timedelta(hours=2), "finished": ended}
    (only,) = control.judge(examples.world(drills=examples.drills("backup", **later)))
    assert only.status is Status.UNKNOWN
    assert (
        "backup: no drill yet (a drill of the future: ended at 2026-11-22 12:00:05 UTC, "
        "judged as of 2026-11-22 12:00:00 UTC)" in only.message
    )
    bad = examples.drills(
        "backup", **later, passed=False, integrity="different", settings="different", verified_minutes=9999.0
    )
    (both,) = control.judge(examples.world(drills=(*examples.drills(), *bad)))
    assert both.status is Status.PASS, "what was known then"
