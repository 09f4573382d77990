from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.drill.building import policy

from backcheck.controls import examples
from backcheck.controls.control import World
from backcheck.drill.plan import DrillPlan, Restore, plan
from backcheck.drill.report import plan_text
from backcheck.errors import UsageError
from backcheck.policy.model import Method

EXPIRED = examples.points(lambda _: True, status="EXPIRED")


def planned(world: World | None = None, **wanted: Any) -> DrillPlan:
    world = world or examples.world()
    assert world.inventory is not None
    return plan(world.policy, world.inventory, now=examples.NOW, suffix="abc123", **wanted)


def by_method(made: DrillPlan) -> Mapping[Method, Restore]:
    return {one.method: one for one in made.restores}


def test_every_method_has_its_own_table_and_its_place() -> None:
    made = planned()
    assert made.obstacles == ()
    assert [(one.method, one.region, one.target) for one in made.restores] == [
        (Method.PITR, "us-east-1", "drill-20261122t120000z-abc123-pitr-orders"),
        (Method.BACKUP, "us-east-1", "drill-20261122t120000z-abc123-backup-orders"),
        (Method.DR_COPY, "us-west-2", "drill-20261122t120000z-abc123-dr-copy-orders"),
    ]


def test_tags_name_the_run_and_when_its_tables_are_too_old() -> None:
    tags = planned().restores[0].tags
    assert tags["backcheck:drill"] == "20261122t120000z-abc123"
    assert tags["backcheck:expires"] == (examples.NOW + timedelta(hours=24)).isoformat(timespec="seconds")


def test_the_newest_point_is_taken_and_a_copy_has_the_time_of_what_it_is_a_copy_of() -> None:
    found = by_method(planned())
    newest = max(examples.points(), key=lambda one: one.created)
    assert found[Method.BACKUP].recovery_point_arn == newest.arn
    assert found[Method.BACKUP].at == newest.created
    copy = max(examples.copies(), key=lambda one: one.created)
    assert found[Method.DR_COPY].recovery_point_arn == copy.arn


@pytest.mark.parametrize(
    ("restore_dr", "there"), [("shop-restore-dr", "shop-restore-dr"), (None, "shop-restore")], ids=["its own", "none"]
)
def test_copies_are_restored_with_the_dr_regions_role_where_it_has_one(restore_dr: str | None, there: str) -> None:
    roles = examples.role_names(restore_dr=restore_dr)
    found = by_method(planned(examples.world(policy=replace(policy(), roles=roles))))
    assert {method: one.role_arn for method, one in found.items()} == {
        Method.PITR: None,
        Method.BACKUP: f"arn:aws:iam::{examples.ACCOUNT}:role/shop-restore",
        Method.DR_COPY: f"arn:aws:iam::{examples.ACCOUNT}:role/{there}",
    }


def test_a_dr_role_alone_restores_copies_and_no_backups() -> None:
    roles = examples.role_names(restore=None, restore_dr="shop-restore-dr")
    found = planned(examples.world(policy=replace(policy(), roles=roles)))
    assert [one.method for one in found.restores] == [Method.PITR, Method.DR_COPY]
    assert [one.method for one in found.obstacles] == [Method.BACKUP]


def test_with_a_bucket_t_is_a_whole_second_that_can_be_exported_with_a_minute_to_spare() -> None:
    at = by_method(planned(witness_bucket="evidence"))[Method.PITR].at
    assert at == examples.NOW - timedelta(minutes=6)


def test_without_a_bucket_t_is_only_known_once_the_source_was_read() -> None:
    assert by_method(planned())[Method.PITR].at is None


@pytest.mark.parametrize(
    ("world", "method", "known", "says"),
    [
        (
            examples.world(primary={"tables": (examples.table(pitr=examples.pitr(enabled=False)),)}),
            Method.PITR,
            True,
            "recovery is off",
        ),
        (
            examples.world(primary={"tables": (examples.table(pitr=examples.gap("DescribeContinuousBackups")),)}),
            Method.PITR,
            False,
            "could not be read",
        ),
        (
            examples.world(primary={"tables": (examples.table(size_bytes=None),)}),
            Method.PITR,
            False,
            "size is not known",
        ),
        (
            examples.world(primary={"vaults": (examples.vault(recovery_points=()),)}),
            Method.BACKUP,
            True,
            "no usable recovery point",
        ),
        (
            examples.world(
                primary={"vaults": (examples.vault(recovery_points=examples.points(lambda _: True, status="EXPIRED")),)}
            ),
            Method.BACKUP,
            True,
            "no usable recovery point",
        ),
        (examples.world(primary={"vaults": examples.gap("ListBackupVaults")}), Method.BACKUP, False, "not authorized"),
        (
            examples.world(primary={"tables": (examples.table(created=examples.NOW),)}),
            Method.DR_COPY,
            True,
            "no usable recovery point",
        ),
        (
            examples.world(policy=replace(policy(), roles=examples.role_names(restore=None))),
            Method.BACKUP,
            True,
            "no restore role",
        ),
        (
            examples.world(primary={"table_names": ("orders", "drill-20261122t120000z-abc123-pitr-orders")}),
            Method.PITR,
            True,
            "already",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_stands_in_the_way_is_said(world: World, method: Method, known: bool, says: str) -> None:
    found = planned(world, methods=(method,)).obstacles
    assert [(one.method, one.known) for one in found] == [(method, known)]
    assert says in found[0].text


def test_a_drills_own_leftovers_are_never_drilled() -> None:
    left = examples.table(name="drill-x", arn=examples.TABLE_ARN.replace("orders", "drill-x"))
    wide = examples.policy(scope={"name": None, "pattern": "*"})
    made = planned(examples.world(policy=wide, primary={"tables": (examples.table(), left)}))
    assert {one.source.name for one in made.restores} == {"orders"}


def test_a_drill_that_costs_more_than_the_policy_allows_is_too_dear() -> None:
    world = examples.world(primary={"tables": (examples.table(size_bytes=1 << 40),)})
    made = planned(world)
    assert made.too_dear
    assert "MORE than the ceiling" in "\n".join(plan_text(made))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [({"target": "customers"}, "drills no table customers"), ({"target": "orders"}, ""), ({}, "")],
)
def test_a_target_that_is_not_drilled_is_refused(wanted: dict[str, Any], says: str) -> None:
    if says:
        with pytest.raises(UsageError, match=says):
            planned(**wanted)
    else:
        assert planned(**wanted).restores


def test_a_policy_without_a_drill_is_refused() -> None:
    with pytest.raises(UsageError, match="no drill section"):
        planned(examples.world(policy=replace(examples.policy(), drill=None)))


def test_a_method_that_the_policy_does_not_want_is_refused() -> None:
    world = examples.world(policy=policy(methods=(Method.PITR,)))
    with pytest.raises(UsageError, match="no drill by backup"):
        planned(world, methods=(Method.BACKUP,))


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    names = ("a" * 250 + "1", "a" * 250 + "2")
    tables = tuple(examples.table(name=n, arn=examples.TABLE_ARN.replace("orders", n)) for n in names)
    wide = examples.policy(scope={"name": None, "pattern": "*"})
    made = planned(examples.world(policy=wide, primary={"tables": tables}), methods=(Method.PITR,))
    assert {len(one.target) for one in made.restores} == {255}
    assert len({one.target for one in made.restores}) == 2


def test_where_the_source_has_a_customers_key_the_restored_table_has_one_too() -> None:
    world = examples.world(primary={"tables": (examples.table(encryption_key_arn=examples.KEY_ARN),)})
    found = by_method(planned(world))
    assert (found[Method.BACKUP].encryption, found[Method.BACKUP].key_arn) == ("KMS", examples.KEY_ARN)
    assert (found[Method.DR_COPY].encryption, found[Method.DR_COPY].key_arn) == ("KMS", examples.DR_KEY_ARN)
