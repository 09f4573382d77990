"""The ways back of a table, from examples: what is there, what is not known, and what to paste."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backcheck.controls.examples import gap, pitr, world
from backcheck.errors import UsageError
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, PitrStatus, Table
from backcheck.recovery import recovery


def inventory() -> Inventory:
    found = world().inventory
    assert found is not None
    return found


def name() -> str:
    return next(inventory().tables()).name


def with_pitr(value: PitrStatus | Gap) -> Inventory:
    found = inventory()
    accounts = tuple(
        replace(
            account,
            regions=tuple(
                replace(r, tables=tuple(replace(t, pitr=value) if isinstance(t, Table) else t for t in r.tables))
                for r in account.regions
            ),
        )
        for account in found.accounts
    )
    return replace(found, accounts=accounts)


def test_the_latest_state_by_pitr_first_then_points_of_each_region() -> None:
    found = recovery(name(), world().policy, inventory())
    first, *points = found.ways
    assert first.name == "point in time"
    assert "--use-latest-restorable-time" in first.command
    assert f"--target-table-name {name()}-restored" in first.command
    assert {way.name.rpartition(" ")[2] for way in points} == {"us-east-1", "us-west-2"}
    moments = [way.moment for way in points if way.name.endswith("us-east-1") and way.moment]
    assert moments == sorted(moments, reverse=True)
    assert all("aws backup start-restore-job" in way.command for way in points)
    assert found.measured == ("never measured: no drill of this table is on record",)


def test_a_moment_inside_the_window() -> None:
    at = inventory().taken_at - timedelta(days=3)
    found = recovery(name(), world().policy, inventory(), at=at)
    assert f"--restore-date-time {at.isoformat()}" in found.ways[0].command
    assert all(way.moment and way.moment <= at for way in found.ways[1:])


def test_a_moment_outside_the_window() -> None:
    found = recovery(name(), world().policy, inventory(), at=inventory().taken_at - timedelta(days=300))
    assert "is outside the window" in found.ways[0].says
    assert found.ways[0].command == ""


@pytest.mark.parametrize(
    ("value", "says"),
    [(pitr(enabled=False), "off: this way does not exist"), (gap("DescribeContinuousBackups"), "not known: ")],
)
def test_without_pitr(value: PitrStatus | Gap, says: str) -> None:
    found = recovery(name(), world().policy, with_pitr(value))
    assert found.ways[0].says.startswith(says)
    assert found.ways[0].command == ""
    assert any(way.command for way in found.ways[1:])


def test_a_table_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="the inventory has no table nonsense"):
        recovery("nonsense", world().policy, inventory())


def test_a_table_that_was_deleted_comes_back_from_its_points() -> None:
    found = inventory()
    accounts = tuple(
        replace(account, regions=tuple(replace(region, tables=()) for region in account.regions))
        for account in found.accounts
    )
    back = recovery(name(), world().policy, replace(found, accounts=accounts))
    assert back.table.arn == next(found.tables()).arn
    assert "--backup-type SYSTEM" in back.ways[0].says
    assert {way.name.rpartition(" ")[2] for way in back.ways if way.command} == {"us-east-1", "us-west-2"}
