"""Plans that the policy does not have, and that take its tables."""

from __future__ import annotations

from typing import Any

import pytest

from backcheck.controls import examples
from backcheck.controls.deployment import DeployedPlan, deployed_plans
from backcheck.controls.other_plans import OtherPlan, other_plans
from backcheck.controls.pln_06_overlaps import start_of_day


def others(rules: Any = None, **changes: Any) -> list[OtherPlan]:
    rules = (examples.rule(delete_after_days=365, copies=()),) if rules is None else rules
    another = examples.plan(**{"name": "legacy", "id": "legacy", "rules": rules, **changes})
    world = examples.world(primary={"plans": (examples.plan(), another)})
    [deployed] = [one for one in deployed_plans(world) if isinstance(one, DeployedPlan) and one.plan.name != "legacy"]
    return list(other_plans(deployed, start_of_day(world.now), world))


def test_a_rule_that_would_win_within_one_plan() -> None:
    [found] = others()
    assert found.tables == ("orders",)
    assert found.rivals == ("Daily",)
    assert str(found) == "plan legacy backs up orders too (Daily, kept 365 days)"


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "cron(0 12 ? * * *)", "delete_after_days": 365},
        {"delete_after_days": 1},
    ],
)
def test_one_at_another_time_or_kept_for_less_replaces_nothing(changes: dict[str, Any]) -> None:
    [found] = others((examples.rule(**changes),))
    assert found.rivals == ()


def test_one_of_equal_retention_may_be_taken_instead() -> None:
    [found] = others((examples.rule(),))
    assert found.rivals == ("Daily",)


def test_one_whose_schedule_says_nothing_may_replace() -> None:
    [found] = others((examples.rule(schedule="cron(0 0 1 * *)"),))
    assert found.rivals == ("Daily",)


def test_what_was_not_read_is_told() -> None:
    [found] = others(examples.gap("GetBackupPlan"), selections=examples.gap("ListBackupSelections"))
    assert "its rules were not read" in str(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"selections": ()},
        {"selections": (examples.selection(resources=(examples.TABLE_ARN.replace("orders", "other"),)),)},
    ],
)
def test_a_plan_that_takes_none_of_our_tables_is_no_other(changes: dict[str, Any]) -> None:
    assert others(**changes) == []
