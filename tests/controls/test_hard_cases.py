"""Hard cases of the control catalogue, by their numbers: 1 to 13 here, the others in the two modules beside this one.

10 and 31 are the template's, 29 the manifests', 30 the drill's; 22 to 24 have a second half in the collector's tests.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.controls import test_hard_cases_account as account
from tests.controls import test_hard_cases_history as history
from tests.controls.hard_cases import (
    FAIL,
    PASS,
    judged,
    ruled,
    selecting,
    verdict,
    worst,
)

from backcheck.controls import examples
from backcheck.controls.control import World
from backcheck.finding import Status
from backcheck.inventory.backup import RecoveryPoint
from backcheck.policy.model import Tier
from backcheck.selection import Condition, Operator, TagEquals


def test_01_a_selection_that_names_another_table() -> None:
    finding = verdict(selecting(resources=(examples.TABLE_ARN + "-old",)), "SEL-01")
    assert finding.status is FAIL
    assert "neither Resources nor ListOfTags names it" in finding.message


@pytest.mark.parametrize(
    ("tags", "status"),
    [({"backup": "yes"}, PASS), ({}, FAIL), ({"backup": "Yes"}, FAIL), ({"Backup": "yes"}, FAIL)],
)
def test_02_a_tag_that_is_lost_or_in_another_case(tags: dict[str, str], status: Status) -> None:
    wanted = (TagEquals(key="backup", value="yes"),)
    assert verdict(selecting(resources=(), list_of_tags=wanted, table_tags=tags), "SEL-01").status is status


def test_03_tags_are_or_and_conditions_are_and() -> None:
    either = (TagEquals(key="a", value="1"), TagEquals(key="b", value="2"))
    both = tuple(
        Condition(operator=Operator.STRING_EQUALS, key=f"aws:ResourceTag/{key}", value=value)
        for key, value in (("a", "1"), ("b", "2"))
    )
    tagged = {"table_tags": {"b": "2"}}
    assert verdict(selecting(resources=(), list_of_tags=either, **tagged), "SEL-01").status is PASS
    assert verdict(selecting(conditions=both, **tagged), "SEL-01").status is FAIL
    assert verdict(selecting(conditions=both, table_tags={"a": "1", "b": "2"}), "SEL-01").status is PASS
    assert verdict(selecting(list_of_tags=either, table_tags={}), "SEL-01").status is PASS, "Resources and tags unite"


def test_04_a_wildcard_that_takes_the_drills_tables_and_one_inside_an_arn() -> None:
    everything = examples.TABLE_ARN.replace("orders", "*")
    finding = verdict(selecting(resources=(everything,)), "SEL-01")
    assert finding.status is PASS
    assert any("drills' tables" in note for note in finding.notes)
    inner = verdict(selecting(resources=(examples.TABLE_ARN.replace(examples.HERE, "*"),)), "SEL-01")
    assert any("only at the end of an ARN" in note for note in inner.notes)


def test_05_not_resources_outweighs_resources() -> None:
    world = selecting(not_resources=("arn:aws:dynamodb:*:*:table/*",))
    assert verdict(world, "SEL-01").status is FAIL
    assert verdict(world, "SEL-04").status is FAIL


def test_06_the_longer_kept_rule_has_no_copy() -> None:
    rules = (examples.rule(), examples.rule("Monthly", copies=()))
    finding = verdict(examples.world(primary={"plans": (examples.plan(rules=rules),)}), "PLN-06")
    assert finding.status is FAIL
    assert "monthly replaces daily without its copy to dr on 2026-12-01" in finding.message


def _weekly() -> Tier:
    return examples.tier(
        "daily",
        name="weekly",
        rule="Weekly",
        schedule="cron(0 0 ? * SUN *)",
        start_window_minutes=120,
        completion_window_minutes=240,
        retention_days=90,
        copies=(),
    )


def test_07_on_sunday_the_1st_only_the_monthly_point_is_made() -> None:
    """2026-11-01 was a Sunday: weekly at 00:00 and daily at 01:00 give way to monthly."""
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    tiers = (examples.tier(copies=()), _weekly(), examples.tier("monthly", copies=()))
    deployed = (
        examples.rule(copies=()),
        examples.rule(id="rule-weekly", name="Weekly", schedule="cron(0 0 ? * SUN *)", delete_after_days=90, copies=()),
        examples.rule("Monthly", copies=()),
    )
    days = [datetime(2026, 10, day, 1, 10, tzinfo=UTC) for day in range(1, 32)]
    dailies = [examples.point(day) for day in days if day.weekday() != 6 and day.day != 1]
    weeklies = [
        replace(examples.point(day.replace(hour=0)), rule_id="rule-weekly", arn=f"{day:%d}-weekly")
        for day in days
        if day.weekday() == 6
    ]
    monthly = examples.point(datetime(2026, 11, 1, 0, 12, tzinfo=UTC), "monthly")
    points = (*dailies, *weeklies, monthly)

    def world(held: tuple[RecoveryPoint, ...]) -> World:
        return examples.world(
            policy=examples.policy(tiers=tiers),
            now=now,
            primary={
                "plans": (examples.plan(rules=deployed, created=datetime(2026, 10, 2, tzinfo=UTC)),),
                "vaults": (examples.vault(recovery_points=held),),
            },
        )

    assert {f.tier: f.status for f in judged(world(points), "RP-01")} == {
        None: PASS,
        "main/daily": PASS,
        "main/weekly": PASS,
        "main/monthly": PASS,
    }
    assert worst(world(points), "RP-02") is PASS
    assert verdict(world((*dailies, *weeklies)), "RP-01", "main/monthly").status is FAIL


def test_08_a_time_that_daylight_saving_leaves_out() -> None:
    """02:30 in Berlin does not exist on 2026-03-29: no backup is missed that night, and the night is 48 hours long."""
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    tier = examples.tier(schedule="cron(30 2 * * ? *)", timezone="Europe/Berlin", copies=())
    at = [datetime(2026, 3, day, 1, 30, tzinfo=UTC) for day in range(2, 29)]
    at += [datetime(2026, 3, day, 0, 30, tzinfo=UTC) for day in (30, 31)]
    points = tuple(examples.point(time + timedelta(minutes=5)) for time in at)
    rule = examples.rule(schedule="cron(30 2 * * ? *)", timezone="Europe/Berlin", copies=())

    def world(held: tuple[RecoveryPoint, ...]) -> World:
        return examples.world(
            policy=examples.policy(tiers=(tier,)),
            now=now,
            primary={"plans": (examples.plan(rules=(rule,)),), "vaults": (examples.vault(recovery_points=held),)},
        )

    assert verdict(world(points), "RP-02", tier.id).status is PASS
    assert verdict(world(points), "PLN-03", tier.id).status is PASS
    assert verdict(world(points[:-3] + points[-2:]), "RP-02", tier.id).status is FAIL, "the 28th did exist"
    rpo = verdict(world(points), "RPO-02")
    assert rpo.status is FAIL, "47 hours passed between two points: measured is measured"
    assert "47 h" in rpo.observed


@pytest.mark.parametrize("hour", [0, 1])
def test_08_a_time_that_comes_twice(hour: int) -> None:
    """02:30 in Berlin comes twice on 2026-10-25, at 00:30 and 01:30 UTC: one backup is due, at either."""
    tier = examples.tier(schedule="cron(30 2 * * ? *)", timezone="Europe/Berlin", copies=())
    rule = examples.rule(schedule="cron(30 2 * * ? *)", timezone="Europe/Berlin", copies=())
    night = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    around = [datetime(2026, 10, 24, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]

    def world(*times: datetime) -> World:
        plan = examples.plan(rules=(rule,), created=datetime(2026, 10, 23, 12, tzinfo=UTC))
        points = tuple(examples.point(time + timedelta(minutes=5)) for time in sorted(times))
        return examples.world(
            policy=examples.policy(tiers=(tier,)),
            now=datetime(2026, 10, 26, 12, tzinfo=UTC),
            primary={"plans": (plan,), "vaults": (examples.vault(recovery_points=points),)},
        )

    found = verdict(world(*around, night), "RP-02", tier.id)
    assert (found.status, found.expected) == (PASS, "3 points since 2026-10-24 00:30 UTC")
    assert verdict(world(*around), "RP-02", tier.id).status is FAIL


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("cron(0 0 ? * 1 *)", "cron(0 0 ? * SUN *)"),
        ("cron(0 1 * * ? *)", "cron(0 1 ? * * *)"),
        ("cron(0 0 ? * 1/7 *)", "cron(0 0 ? * SUN *)"),
        ("cron(0 0 ? * FRI-MON *)", "cron(0 0 ? * SUN,MON,FRI,SAT *)"),
        ("cron(0 0 ? * 6L *)", "cron(0 0 ? * FRIL *)"),
        ("cron(0 0 ? * 3#2 *)", "cron(0 0 ? * TUE#2 *)"),
    ],
)
def test_09_equal_meaning_in_unequal_text(written: str, same: str) -> None:
    policy = examples.policy(tiers=(examples.tier(schedule=written), examples.tier("monthly")))
    assert verdict(ruled(policy, schedule=same), "PLN-03", "main/daily").status is PASS
    other = ruled(policy, schedule="cron(0 13 15 * ? *)")
    assert verdict(other, "PLN-03", "main/daily").status is FAIL


@pytest.mark.parametrize("days", [None, -1])
def test_11_kept_for_ever(days: int | None) -> None:
    finding = verdict(ruled(delete_after_days=days, move_to_cold_after_days=30), "PLN-04", "main/daily")
    assert finding.status is FAIL
    assert finding.observed == "for ever"


def test_12_a_copy_takes_the_sources_lifecycle_and_the_dr_lock_refuses_it() -> None:
    copies = (examples.copy_action(has_lifecycle=False, delete_after_days=None),)
    world = examples.world(
        primary={"plans": (examples.plan(rules=examples.rules(copies=copies)),)},
        dr={"vaults": (examples.dr_vault(min_retention_days=60),)},
    )
    finding = verdict(world, "FEA-01", "main/daily")
    assert finding.status is FAIL
    assert "copies are kept 30 days, and the lock of shop-vault-dr asks for 60 days at least" in finding.message


@pytest.mark.parametrize("lock", [{"max_retention_days": 90}, {"min_retention_days": 60}])
def test_13_a_lock_that_fails_every_job(lock: dict[str, int]) -> None:
    world = examples.world(primary={"vaults": (examples.vault(**lock),)})
    assert worst(world, "FEA-01") is FAIL
    assert worst(world, "VLT-03") is FAIL


ELSEWHERE = {
    10: ("gate/test_unknown.py", "test_a_parameter_without_a_value_makes_what_hangs_on_it_unknown"),
    22: ("inventory/test_each_operation.py", "test_a_list_whose_second_page_fails_is_no_list"),
    23: ("inventory/test_denied.py", "test_a_denied_operation_is_a_named_gap"),
    24: ("inventory/test_unanswering.py", "test_a_region_that_is_not_enabled_is_named"),
    29: ("manifest/test_mutations.py", "test_a_change_is_found"),
    30: ("drill/test_kill.py", "test_ended_at_every_point_it_leaves_nothing"),
    31: ("template/test_sam.py", "test_globals_are_merged_and_keep_their_lines"),
    33: ("test_waivers.py", "test_a_waiver_that_does_not_hold_leaves_the_failure"),
}
"""Cases that another module's tests hold, or the second half of."""

CASES = range(1, 35)


def test_every_hard_case_has_a_test() -> None:
    names = [name for module in (sys.modules[__name__], account, history) for name in vars(module)]
    here = {int(name[5:7]) for name in names if name.startswith("test_") and name[5:7].isdigit()}
    assert here | set(ELSEWHERE) == set(CASES)
    for file, name in ELSEWHERE.values():
        assert f"def {name}(" in (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
