"""The hard cases of the control catalogue that concern an audit, by their numbers.

10 and 31 are the template's, 29 the manifests', 30 the drill's; 22 to 24 have a second half in the collector's tests.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import World
from backcheck.evaluate import evaluate
from backcheck.finding import Finding, Status, Summary
from backcheck.inventory.backup import RecoveryPoint, RegionSettings
from backcheck.policy.model import Policy, Tier
from backcheck.selection import Condition, Operator, TagEquals

NOW = examples.NOW
FAIL, PASS, UNKNOWN, NOT_APPLICABLE = Status.FAIL, Status.PASS, Status.UNKNOWN, Status.NOT_APPLICABLE
BY_ID = {one.id: one for one in CONTROLS}


def judged(world: World, *ids: str) -> tuple[Finding, ...]:
    return evaluate(world, [BY_ID[one] for one in ids])


def verdict(world: World, control: str, tier: str | None = None, resource: str = "") -> Finding:
    """The one finding of a control on a tier."""
    found = [f for f in judged(world, control) if f.tier == tier and resource in f.resource]
    assert len(found) == 1, [(f.resource, f.tier, f.status) for f in found]
    return found[0]


def worst(world: World, control: str) -> Status:
    statuses = {finding.status for finding in judged(world, control)}
    return next(status for status in (FAIL, UNKNOWN, PASS, NOT_APPLICABLE) if status in statuses)


def selecting(**changes: object) -> World:
    tags = changes.pop("table_tags", {"team": "shop"})
    plan = examples.plan(selections=(examples.selection(**changes),))
    return examples.world(primary={"plans": (plan,), "tables": (examples.table(tags=tags),)})


def holding(points: tuple[RecoveryPoint, ...]) -> World:
    return examples.world(primary={"vaults": (examples.vault(recovery_points=points),)})


def ruled(policy: Policy | None = None, **changes: object) -> World:
    return examples.world(policy=policy, primary={"plans": (examples.plan(rules=examples.rules(**changes)),)})


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


def test_23_one_denied_call_leaves_the_others_and_is_not_green() -> None:
    world = examples.world(primary={"copy_jobs": examples.gap("ListCopyJobs")})
    findings = evaluate(world, CONTROLS)
    assert {f.control for f in findings if f.status is UNKNOWN} == {"DR-04"}
    assert not [f for f in findings if f.status is FAIL]
    assert Summary.of(findings).exit_code == 2


def test_24_a_region_that_was_not_looked_at() -> None:
    world = examples.world()
    assert world.inventory is not None
    account = world.inventory.accounts[0]
    alone = replace(
        world, inventory=replace(world.inventory, accounts=(replace(account, regions=account.regions[:1]),))
    )
    assert verdict(alone, "VLT-01", resource="/vaults/dr").status is UNKNOWN
    assert worst(alone, "DR-03") is UNKNOWN
    assert worst(alone, "DR-05") is UNKNOWN


def test_24_another_partition() -> None:
    china = "cn-north-1"
    policy = examples.policy(regions={"primary": china, "dr": "cn-northwest-1"})
    here = examples.world(policy=policy)
    assert worst(here, "PIT-01") is UNKNOWN, "nothing of China was looked at"
    assert {f.status for f in judged(here, "PLN-01", "RP-01", "VLT-01")} == {UNKNOWN}


def test_25_a_copy_across_accounts() -> None:
    theirs = "arn:aws:backup:us-west-2:999988887777:backup-vault:theirs"
    rules = examples.rules(copies=(examples.copy_action(destination_vault_arn=theirs),))
    plans = {"plans": (examples.plan(rules=rules),)}
    assert verdict(examples.world(primary=plans), "FEA-01", "main/daily").status is UNKNOWN
    under_awss_key = examples.world(primary={**plans, "keys": (examples.key(manager="AWS"),)})
    finding = verdict(under_awss_key, "FEA-01", "main/daily")
    assert finding.status is FAIL
    assert "AWS managed key" in finding.message


@pytest.mark.parametrize("state", [{"state": "Disabled"}, {"deletion_date": NOW + timedelta(days=7)}])
def test_26_points_are_available_and_their_key_is_not(state: dict[str, object]) -> None:
    world = examples.world(primary={"keys": (examples.key(**state),)})
    assert worst(world, "RP-01") is PASS
    assert worst(world, "VLT-02") is FAIL
    assert worst(world, "FEA-01") is FAIL


def test_27_advanced_features_are_off_in_one_region() -> None:
    native = RegionSettings(opt_in={"DynamoDB": True}, management={"DynamoDB": False})
    world = examples.world(primary={"settings": native})
    assert verdict(world, "FEA-02", "main/monthly").status is FAIL
    assert verdict(world, "FEA-01", "main/daily").status is FAIL, "nothing is copied"
    assert worst(world, "DR-05") is FAIL


def test_27_a_native_point_does_not_tell_its_key() -> None:
    """Without advanced features the ARN is DynamoDB's and the key the table's: a backup, if not the one asked for."""
    native = tuple(
        replace(point, arn=f"{examples.TABLE_ARN}/backup/{number:014}-0", key_arn=None)
        for number, point in enumerate(examples.points())
    )
    assert worst(holding(native), "RP-01") is PASS
    assert worst(holding(native), "RP-04") is UNKNOWN


def test_28_the_vault_that_every_account_has() -> None:
    """AWS's own `Default`, under AWS's own key, is judged like any other, and is not what the policy asks for."""
    wanted = (examples.policy_vault(name="Default"), examples.policy_vault("dr"))
    default = examples.vault(
        name="Default", arn=examples.VAULT_ARN.replace("shop-vault", "Default"), locked=False, policy=None
    )
    world = examples.world(
        policy=examples.policy(vaults=wanted),
        primary={"vaults": (default,), "keys": (examples.key(manager="AWS"),)},
    )
    for control in ("VLT-02", "VLT-03", "VLT-04"):
        assert verdict(world, control, resource=":Default").status is FAIL, control
    assert worst(world, "VLT-01") is PASS


def test_28_vaults_of_one_name_in_two_regions_and_an_air_gapped_one() -> None:
    vaults = (examples.policy_vault(), examples.policy_vault("dr", name="shop-vault"))
    twin = examples.dr_vault(name="shop-vault", arn=examples.VAULT_ARN.replace(examples.HERE, examples.THERE))
    world = examples.world(policy=examples.policy(vaults=vaults), dr={"vaults": ()})
    assert verdict(world, "VLT-01", resource="/vaults/dr").status is FAIL
    both = examples.world(policy=examples.policy(vaults=vaults), dr={"vaults": (twin,)})
    assert worst(both, "VLT-01") is PASS
    gapped = examples.world(
        policy=examples.policy(vaults=(examples.policy_vault(), examples.policy_vault("dr", air_gapped=True))),
        dr={"vaults": (examples.dr_vault(type="LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),)},
    )
    assert worst(gapped, "VLT-01") is PASS


def test_28_a_rule_that_writes_straight_into_an_air_gapped_vault() -> None:
    gapped = examples.VAULT_ARN.replace("shop-vault", "shop-gapped")
    finding = verdict(ruled(air_gapped_vault_arn=gapped), "PLN-02", "main/daily")
    assert finding.status is FAIL
    assert "into shop-gapped" in finding.message


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
    here = {int(name[5:7]) for name in globals() if name.startswith("test_") and name[5:7].isdigit()}
    assert here | set(ELSEWHERE) == set(CASES)
    for file, name in ELSEWHERE.values():
        assert f"def {name}(" in (Path(__file__).parents[1] / file).read_text(encoding="utf-8")


def test_34_an_account_that_a_mock_accepted_is_refused_here() -> None:
    """Mocks take a plan that AWS refuses, and lose the fields that matter: neither is green."""
    impossible = ruled(delete_after_days=90, move_to_cold_after_days=30)
    assert verdict(impossible, "FEA-01", "main/daily").status is FAIL
    assert verdict(impossible, "PLN-05", "main/daily").status is FAIL
    lost = examples.world(primary={"tables": (examples.table(pitr=examples.pitr(window_days=None, latest=None)),)})
    assert verdict(lost, "PIT-02").status is UNKNOWN
    assert verdict(lost, "PIT-03").status is UNKNOWN
