"""A restore testing plan of AWS's as a table's drill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backcheck.controls import examples
from backcheck.controls.drills import DrilledScope, drilled_scopes
from backcheck.controls.examples.shop import ACCOUNT, TABLE_ARN
from backcheck.controls.restore_testing import lacking
from backcheck.controls.rst_01_recent import restores_were_drilled
from backcheck.finding import Status
from backcheck.inventory.backup import RestoreTestingPlan
from backcheck.inventory.gap import Gap

HOME = f"arn:aws:backup:us-east-1:{ACCOUNT}:backup-vault:shop-vault"
LATE = "more than max_age_days (35) pass without a restore"
NO_POINT = "restore testing plan shop_restores takes no recovery point of the policy's vaults in us-east-1"


def lacks(plan: RestoreTestingPlan) -> list[str | Gap]:
    world = examples.world()
    subject = next(one for one in drilled_scopes(world) if isinstance(one, DrilledScope))
    region = next(one for one in world.index.regions.values() if one.region == "us-east-1")
    return list(lacking(plan, region, subject, world))


def tables(**changes: Any) -> RestoreTestingPlan:
    return examples.restore_testing(selections=(examples.tested_tables(**changes),))


def points(**changes: Any) -> RestoreTestingPlan:
    return examples.restore_testing(takes=examples.tested_points(**changes))


@pytest.mark.parametrize(
    "plan",
    [
        examples.restore_testing(),
        tables(resource_arns=()),
        tables(resource_arns=("*",)),
        points(include_vaults=(HOME,)),
        points(include_vaults=("arn:aws:backup:*:*:backup-vault:shop-*",), exclude_vaults=("*:other",)),
        points(point_types=("CONTINUOUS", "SNAPSHOT")),
        examples.restore_testing(schedule="cron(0 5 ? * * *)", timezone="Europe/Berlin"),
        examples.restore_testing(
            selections=(examples.tested_tables(resource_type="EBS"), examples.tested_tables(name="second"))
        ),
    ],
)
def test_a_plan_that_restores_the_table_in_time_lacks_nothing(plan: RestoreTestingPlan) -> None:
    assert lacks(plan) == []


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (tables(resource_type="EBS"), "restore testing plan shop_restores does not take the table"),
        (tables(resource_arns=(f"{TABLE_ARN}-old",)), "restore testing plan shop_restores does not take the table"),
        (examples.restore_testing(selections=()), "restore testing plan shop_restores does not take the table"),
        (points(include_vaults=()), NO_POINT),
        (points(include_vaults=(f"{HOME}-old",)), NO_POINT),
        (points(include_vaults=(HOME.replace("us-east-1", "eu-west-1"),)), NO_POINT),
        (points(exclude_vaults=("*",)), NO_POINT),
        (points(point_types=("CONTINUOUS",)), "restore testing plan shop_restores takes no snapshots, but CONTINUOUS"),
        (points(point_types=()), "restore testing plan shop_restores takes no snapshots, but nothing"),
        (
            examples.restore_testing(schedule="cron(0 3 2 1 ? *)"),
            f"restore testing plan shop_restores runs at cron(0 3 2 1 ? *) (UTC): {LATE}",
        ),
        (
            examples.restore_testing(schedule="cron(0 3 2 * ? 2026)"),
            f"restore testing plan shop_restores runs at cron(0 3 2 * ? 2026) (UTC): {LATE}",
        ),
        (
            examples.restore_testing(timezone="Mars/Olympus"),
            f"restore testing plan shop_restores runs at cron(0 3 2 * ? *) (Mars/Olympus): {LATE}",
        ),
    ],
)
def test_what_keeps_a_plan_from_it(plan: RestoreTestingPlan, why: str) -> None:
    assert lacks(plan) == [why]


@pytest.mark.parametrize(
    ("build", "code", "words"),
    [
        (lambda: tables(conditional=True), "NotDecided", "orders has conditions on tags of recovery points"),
        (
            lambda: tables(role_arn=f"arn:aws:iam::{ACCOUNT}:role/other"),
            "NotDecided",
            "role/other, which is no restore role of the policy",
        ),
        (
            lambda: examples.restore_testing(selections=examples.gap("ListRestoreTestingSelections")),
            "AccessDeniedException",
            "",
        ),
        (lambda: examples.restore_testing(takes=examples.gap("GetRestoreTestingPlan")), "AccessDeniedException", ""),
    ],
)
def test_what_is_not_known_of_it(build: Callable[[], RestoreTestingPlan], code: str, words: str) -> None:
    [gap] = lacks(build())
    assert isinstance(gap, Gap)
    assert gap.code == code
    assert words in gap.detail


@pytest.mark.parametrize(
    ("found", "note"),
    [
        ((), "the account shows no schedule for drills"),
        (examples.gap("ListRestoreTestingPlans"), "whether drills are scheduled is not known"),
        (
            (examples.restore_testing(takes=examples.gap("GetRestoreTestingPlan")),),
            "whether drills are scheduled is not known",
        ),
    ],
)
def test_an_account_whose_schedule_was_not_read_is_not_said_to_have_none(found: object, note: str) -> None:
    world = examples.world(primary={"rules": (), "restore_testing": found})
    (told,) = restores_were_drilled.judge(world)
    assert (told.status, told.notes[0]) == (Status.PASS, note)
