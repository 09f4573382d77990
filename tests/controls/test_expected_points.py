"""Which points must exist, which point belongs to which firing, and from when on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from backcheck.controls import examples
from backcheck.controls.control import World
from backcheck.controls.expected_points import (
    backup_for,
    copy_for,
    expectation,
    in_force_since,
    kept_since,
    made_by,
    points_in,
    rule_tiers,
)
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.inventory.gap import Gap

IDS = {"rule-daily": "main/daily", "rule-monthly": "main/monthly", "rule-extra": ""}
TIERS = (examples.tier(), examples.tier("monthly"))


def subject(world: World) -> ScopedTable:
    found = next(iter(tables_in_scope(world)))
    assert isinstance(found, ScopedTable)
    return found


def test_the_monthly_firing_replaces_the_daily_one() -> None:
    asked = expectation(TIERS, examples.world())
    dailies = [due.at.date() for due in asked.due(TIERS[0], datetime(2026, 10, 30, tzinfo=UTC))]
    assert date(2026, 11, 1) not in dailies
    assert dailies[-1] == date(2026, 11, 22)
    monthly = asked.due(TIERS[1], datetime(2026, 10, 30, tzinfo=UTC))
    assert [due.at for due in monthly] == [datetime(2026, 11, 1, tzinfo=UTC)]
    assert monthly[0].deadline == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert monthly[0].copy_vaults == {"dr"}


def test_a_backup_is_due_at_its_deadline_and_not_before() -> None:
    at = datetime(2026, 11, 22, 4, tzinfo=UTC)
    for now, last in ((at - timedelta(seconds=1), 21), (at, 22)):
        due = expectation(TIERS, examples.world(now=now)).due(TIERS[0], datetime(2026, 11, 20, tzinfo=UTC))
        assert due[-1].at.day == last


def test_nothing_is_expected_of_no_tier() -> None:
    asked = expectation((), examples.world())
    assert not asked.any_since(examples.BORN)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"rule_id": "rule-monthly"}, False),
        ({"rule_id": "rule-extra"}, False),
        ({"rule_id": "gone", "rule_name": "Daily"}, True),
        ({"rule_id": "gone", "rule_name": "Monthly"}, False),
        ({"rule_id": "gone"}, None),
        ({"rule_id": None}, None),
    ],
)
def test_who_made_a_point(changes: dict[str, object], expected: bool | None) -> None:
    assert made_by(examples.point(**changes), TIERS[:1], IDS) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"created": datetime(2026, 11, 22, 4, 0, 0, tzinfo=UTC)}, True),
        ({"created": datetime(2026, 11, 22, 4, 0, 1, tzinfo=UTC)}, False),
        ({"created": datetime(2026, 11, 22, 0, 59, tzinfo=UTC)}, False),
        ({"rule_id": "gone"}, True),
        ({"rule_id": None, "plan_id": None}, False),
        ({"rule_id": "rule-monthly"}, False),
    ],
)
def test_the_backup_of_a_firing(changes: dict[str, object], found: bool) -> None:
    due = expectation(TIERS, examples.world()).due(TIERS[0], datetime(2026, 11, 22, tzinfo=UTC))[0]
    assert (backup_for(due, (examples.point(**changes),), IDS) is not None) is found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("created", "found"),
    [
        (datetime(2026, 11, 20, 1, tzinfo=UTC), True),
        (datetime(2026, 11, 20, 23, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 1, tzinfo=UTC), False),
    ],
)
def test_the_copy_of_a_firing(created: datetime, found: bool) -> None:
    due = expectation(TIERS, examples.world()).due(TIERS[0], datetime(2026, 11, 20, tzinfo=UTC))[0]
    copies = (examples.copied(examples.point(created), rule_id=None, plan_id=None),)
    assert (copy_for(due, copies, IDS) is not None) is found


def test_points_of_a_table_that_was_made_again_are_left_out() -> None:
    born = datetime(2026, 11, 20, tzinfo=UTC)
    world = examples.world(primary={"tables": (examples.table(created=born),)})
    points = points_in(world.policy.vault("main"), subject(world), world)
    assert not isinstance(points, Gap)
    assert [point.created.day for point in points] == [20, 21, 22]


def test_a_vault_that_is_not_there_holds_nothing_and_one_not_looked_at_is_a_gap() -> None:
    world = examples.world(primary={"vaults": ()})
    assert points_in(world.policy.vault("main"), subject(world), world) == ()
    assert points_in(None, subject(world), world) == ()
    elsewhere = examples.world(policy=examples.policy(regions={"primary": "us-east-1", "dr": "eu-west-1"}))
    found = points_in(elsewhere.policy.vault("dr"), subject(elsewhere), elsewhere)
    assert isinstance(found, Gap)
    assert found.code == "NotLookedAt"


def test_rules_that_are_no_tiers_are_told_apart() -> None:
    extra = examples.rule(id="rule-extra", name="Hourly", schedule="cron(0 * * * ? *)")
    world = examples.world(primary={"plans": (examples.plan(rules=(*examples.rules(), extra)),)})
    assert rule_tiers(subject(world), world) == IDS


def test_nothing_is_expected_before_table_plan_and_policy_are_there() -> None:
    world = examples.world()
    assert in_force_since(subject(world), TIERS[0], world) == examples.BORN
    later = datetime(2026, 5, 1, tzinfo=UTC)
    unused = (examples.vault(recovery_points=()),)
    planned = examples.world(primary={"plans": (examples.plan(created=later),), "vaults": unused})
    assert in_force_since(subject(planned), TIERS[0], planned) == later
    decided = examples.world(policy=examples.policy(effective_from=date(2026, 6, 1)))
    assert in_force_since(subject(decided), TIERS[0], decided) == datetime(2026, 6, 1, tzinfo=UTC)


def test_what_must_still_be_there() -> None:
    assert kept_since(30, examples.NOW) == examples.NOW - timedelta(days=29)
    assert kept_since(None, examples.NOW) == examples.NOW - timedelta(days=400)
