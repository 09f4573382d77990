"""Hard cases 14 to 22 and 32: points, jobs, and what is too young to judge."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.controls.hard_cases import (
    FAIL,
    NOT_APPLICABLE,
    NOW,
    PASS,
    UNKNOWN,
    holding,
    verdict,
    worst,
)

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import World
from backcheck.evaluate import evaluate
from backcheck.finding import Status


@pytest.mark.parametrize(
    ("status", "fresh", "sound"),
    [
        ("COMPLETED", PASS, PASS),
        ("AVAILABLE", PASS, PASS),
        ("PARTIAL", FAIL, FAIL),
        ("EXPIRED", FAIL, FAIL),
        ("STOPPED", FAIL, FAIL),
        ("CREATING", FAIL, PASS),
    ],
)
def test_14_the_states_of_points(status: str, fresh: Status, sound: Status) -> None:
    world = holding(examples.points(examples.of_last_night, status=status))
    assert verdict(world, "RP-01", "main/daily").status is fresh
    assert verdict(world, "RP-05").status is sound


def test_14_deleting_for_days() -> None:
    world = holding(
        examples.points(lambda p: p.created.day == 10, status="DELETING", delete_at=NOW - timedelta(days=4))
    )
    assert verdict(world, "RP-05").status is FAIL


def test_15_completed_with_issues_and_then_deleted_by_hand() -> None:
    jobs = examples.backup_jobs(message_category="AccessDenied", status_message="no tags")
    finding = verdict(examples.world(primary={"backup_jobs": jobs}), "JOB-01")
    assert finding.status is PASS
    assert "completed with issues (AccessDenied)" in finding.notes[0]
    gone = holding(examples.points(examples.of_last_night))
    assert verdict(gone, "JOB-01").status is PASS
    assert verdict(gone, "RP-01", "main/daily").status is FAIL


def test_16_expired_without_a_failure_and_running_within_its_window() -> None:
    expired = examples.world(primary={"backup_jobs": examples.backup_jobs(state="EXPIRED")})
    assert verdict(expired, "JOB-01").status is FAIL
    five = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
    job = examples.backup_job(datetime(2026, 11, 22, 1, tzinfo=UTC), state="RUNNING", completed=None)
    running = examples.world(
        now=five,
        primary={
            "backup_jobs": (job,),
            "vaults": (examples.vault(recovery_points=examples.points(examples.of_last_night)),),
        },
    )
    assert verdict(running, "JOB-02").status is PASS
    assert verdict(running, "RP-01", "main/daily").status is PASS, "its deadline is 04:00"
    assert any("RUNNING" in note for note in verdict(running, "RP-01").notes)


def test_17_a_copy_that_completed_and_is_gone_and_copies_by_another_arn() -> None:
    expired = examples.copies(lambda point: point.created.day == 10, status="EXPIRED")
    world = examples.world(dr={"vaults": (examples.dr_vault(recovery_points=expired),)})
    assert verdict(world, "DR-04").status is PASS, "every copy job completed"
    assert verdict(world, "DR-03", "main/daily").status is FAIL
    unnamed = examples.copies(lambda _: True, source_vault_arn=None, plan_id=None, rule_id=None)
    within = examples.world(dr={"vaults": (examples.dr_vault(recovery_points=unnamed),)})
    assert worst(within, "DR-03") is PASS, "AWS leaves these empty for copies within an account"


def test_18_points_of_an_older_plan_keep_their_lifecycle() -> None:
    old = examples.points(
        lambda point: point.created < NOW - timedelta(days=20) and point.rule_id == "rule-daily",
        plan_version="v0",
        delete_after_days=35,
    )
    finding = verdict(holding(old), "RP-03", "main/daily")
    assert finding.status is FAIL
    assert "plan version v0" in finding.message


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(days=300), FAIL), (timedelta(hours=1, minutes=30), PASS), (timedelta(days=3), FAIL)]
)
def test_19_recovery_switched_on_an_hour_ago(age: timedelta, status: Status) -> None:
    table = examples.table(created=NOW - age, pitr=examples.pitr(earliest=NOW - timedelta(hours=1)))
    finding = verdict(examples.world(primary={"tables": (table,)}), "PIT-04")
    assert finding.status is status
    assert ("recovery was reset" in finding.message) is (status is FAIL)


def test_20_a_table_younger_than_its_last_firing() -> None:
    young = examples.table(created=NOW - timedelta(hours=3))
    world = examples.world(
        primary={
            "tables": (young,),
            "vaults": (examples.vault(recovery_points=()),),
            "backup_jobs": (),
            "copy_jobs": (),
        },
        dr={"vaults": (examples.dr_vault(recovery_points=()),)},
    )
    assert worst(world, "RP-01") is NOT_APPLICABLE
    assert worst(world, "RP-02") is NOT_APPLICABLE
    assert worst(world, "JOB-01") is NOT_APPLICABLE
    assert worst(world, "DR-03") is NOT_APPLICABLE


def test_20_a_table_made_again_under_the_same_name() -> None:
    again = examples.table(created=NOW - timedelta(days=2), table_id="5e5d9a52-0000-4000-8000-000000000002")
    old = examples.points(lambda point: point.created > NOW - timedelta(days=2))
    world = examples.world(primary={"tables": (again,), "vaults": (examples.vault(recovery_points=old),)})
    assert verdict(world, "RP-01", "main/daily").status is FAIL
    assert verdict(world, "RP-01").status is FAIL, "the old table's points prove nothing"


DUE = ("RP-01", "RP-02", "JOB-01", "DR-03", "DR-04")
"""Controls that say nothing where no backup was due yet."""


def never_backed_up(**primary: object) -> World:
    nothing = {"vaults": (examples.vault(recovery_points=()),), "backup_jobs": (), "copy_jobs": (), **primary}
    return examples.world(primary=nothing, dr={"vaults": (examples.dr_vault(recovery_points=()),)})


@pytest.mark.parametrize(
    "changes",
    [
        {"created": NOW - timedelta(hours=2)},
        {"created": NOW - timedelta(hours=2), "id": "plan-2", "rules": examples.rules(id="rule-new")},
    ],
)
def test_20_a_plan_whose_date_is_of_today_and_whose_points_are_older(changes: dict[str, object]) -> None:
    """An update may refresh CreationDate, and a deployment may make the plan anew: neither forgives last night."""
    held = tuple(replace(one, rule_name="Daily") for one in examples.points(examples.of_last_night))
    world = examples.world(
        primary={"plans": (examples.plan(**changes),), "vaults": (examples.vault(recovery_points=held),)}
    )
    assert verdict(world, "RP-01", "main/daily").status is FAIL
    assert verdict(world, "RP-02", "main/daily").status is FAIL


def test_20_a_plan_made_today_for_a_table_that_was_never_backed_up() -> None:
    """If each day's deployment makes it anew, nothing is ever due: that must not look like nothing to do."""
    world = never_backed_up(plans=(examples.plan(created=NOW - timedelta(hours=2)),))
    assert {control: worst(world, control) for control in DUE} == {
        **dict.fromkeys(DUE, UNKNOWN),
        "RP-01": FAIL,
        "DR-03": FAIL,
    }, "the newest point and the newest copy do not exist, however young the plan is"
    finding = verdict(world, "RP-01", "main/daily")
    assert finding.status is UNKNOWN
    assert "the table is older than the plan or the policy, which are of 2026-11-22 10:00 UTC" in finding.message
    assert worst(world, "RPO-02") is FAIL, "all that the table ever held would be lost"


def test_20_a_policy_that_begins_today_for_a_table_that_was_never_backed_up() -> None:
    policy = replace(examples.policy(), validation=None, effective_from=NOW.date())
    world = replace(never_backed_up(), policy=policy, now=NOW.replace(hour=3))
    assert {worst(world, control) for control in ("RP-01", "RP-02", "JOB-01", "DR-04")} == {UNKNOWN}


@pytest.mark.parametrize("shown_by", ["point", "job"])
def test_20_a_table_that_is_made_again_each_day(shown_by: str) -> None:
    """It is always too young for a backup to be due; what its name had before shows that it is not new."""
    made = {"tables": (examples.table(created=NOW - timedelta(hours=2)),)}
    if shown_by == "point":
        world = never_backed_up(**made, vaults=(examples.vault(),))
    else:
        world = never_backed_up(**made, backup_jobs=examples.backup_jobs())
    assert {control: worst(world, control) for control in (*DUE, "RPO-02")} == dict.fromkeys((*DUE, "RPO-02"), UNKNOWN)
    assert "the table was made again at 2026-11-22 10:00 UTC" in verdict(world, "RP-02", "main/daily").message
    new = never_backed_up(**made)
    assert {worst(new, control) for control in (*DUE, "RPO-02")} == {NOT_APPLICABLE}


@pytest.mark.parametrize(
    "code", ["TableNotFoundException", "ContinuousBackupsUnavailableException", "ThrottlingException"]
)
def test_21_recovery_that_could_not_be_read(code: str) -> None:
    denied = examples.gap("DescribeContinuousBackups", code, service="dynamodb", resource="orders")
    finding = verdict(examples.world(primary={"tables": (examples.table(pitr=denied),)}), "PIT-01")
    assert finding.status is UNKNOWN
    assert code in finding.message


def test_22_the_good_point_is_the_last_of_many() -> None:
    others = tuple(replace(p, resource_arn=f"{p.resource_arn}-{n}") for n in range(40) for p in examples.points())
    assert len(others) > 1001
    assert verdict(holding((*others, *examples.points())), "RP-01", "main/daily").status is PASS


@pytest.mark.parametrize(
    ("past_limit", "status"), [(timedelta(0), PASS), (timedelta(seconds=1), FAIL), (timedelta(seconds=-1), PASS)]
)
def test_32_freshness_at_the_limit(past_limit: timedelta, status: Status) -> None:
    """The newest point's deadline was 04:00; 24 h are allowed from there."""
    now = datetime(2026, 11, 23, 4, tzinfo=UTC) + past_limit
    assert verdict(examples.world(now=now), "RP-01").status is status


def test_32_points_of_the_future_are_no_backup() -> None:
    world = holding(examples.points(examples.of_last_night, created=NOW + timedelta(hours=6)))
    assert verdict(world, "RP-01", "main/daily").status is UNKNOWN
    assert verdict(world, "RP-01").status is UNKNOWN


def test_32_the_runners_zone_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    here = evaluate(examples.world(), CONTROLS)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        assert evaluate(examples.world(), CONTROLS) == here
    finally:
        monkeypatch.undo()
        time.tzset()
