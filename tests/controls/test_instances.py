"""What a FAIL is made of, from run to run: time that passes adds nothing, another bad night does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import AnyControl, World
from backcheck.difference import Key, Verdicts, compare, verdicts
from backcheck.evaluate import evaluate
from backcheck.finding import Status
from backcheck.inventory.backup import RecoveryPoint

SOON = timedelta(minutes=20)
"""Nothing new is due in so long a time, and every age that is told in minutes has grown."""

BY_ID = {one.id: one for one in CONTROLS}


def failing() -> Iterator[tuple[AnyControl, str]]:
    for one in CONTROLS:
        for name in one.fails:
            yield one, name


def judged(one: AnyControl, world: World) -> Verdicts:
    return verdicts(evaluate(world, [one]))


@pytest.mark.parametrize(("one", "name"), [pytest.param(o, n, id=f"{o.id}-{n}") for o, n in failing()])
def test_time_alone_makes_no_failure_new(one: AnyControl, name: str) -> None:
    world = one.fails[name]()
    before, after = judged(one, world), judged(one, replace(world, now=world.now + SOON))
    assert any(found.status is Status.FAIL for found in before.values())
    assert [change for change in compare(before, after) if change.worse] == []


def without(*nights: int) -> World:
    """The example shop without the points, and with failed jobs, of the nights so many days ago."""

    def lost(point: RecoveryPoint) -> bool:
        return any(timedelta(0) < examples.NOW - point.created - timedelta(days=n) < timedelta(days=1) for n in nights)

    def failed(job_age_days: int) -> dict[str, str]:
        return {"state": "FAILED"} if job_age_days in nights else {}

    return examples.world(
        primary={
            "vaults": (examples.vault(recovery_points=examples.points(lost)),),
            "backup_jobs": tuple(
                examples.backup_job(examples.NOW - timedelta(days=day, hours=11), **failed(day)) for day in range(30)
            ),
        },
        dr={"vaults": (examples.dr_vault(recovery_points=examples.copies(lost)),)},
    )


@pytest.mark.parametrize("id", ["RP-02", "JOB-01", "DR-03"])
def test_another_bad_night_is_news(id: str) -> None:
    one = BY_ID[id]
    known, more = judged(one, without(5)), judged(one, without(5, 3))
    assert made_of(known), "a night that is missing is a failure with a name"
    assert all(change.worse and len(change.added) == 1 for change in compare(known, more))
    assert compare(known, more)
    assert [change for change in compare(known, judged(one, without(5))) if change.worse] == []
    assert [change for change in compare(judged(one, without(5, 3)), known) if change.worse] == []


def test_another_stretch_over_the_rpo_is_news_in_each_place_and_by_the_point_before_it() -> None:
    one = BY_ID["RPO-02"]
    known, more = judged(one, without(5)), judged(one, without(5, 3))
    (change,) = compare(known, more)
    assert change.added == ("DR after 2026-11-18T01:10:00+00:00", "primary after 2026-11-18T01:10:00+00:00")
    assert [change for change in compare(more, known) if change.worse] == []


@pytest.mark.parametrize("days", [29, 31, 40])
def test_a_stretch_over_the_rpo_keeps_its_name_while_the_look_back_moves_over_it(days: int) -> None:
    one = BY_ID["RPO-02"]
    world = examples.world()
    known, later = (judged(one, replace(world, now=world.now + timedelta(days=after))) for after in (2, days))
    assert [change for change in compare(known, later) if change.worse] == []
    assert {name for names in made_of(known).values() for name in names} == {
        "DR after 2026-11-22T01:10:00+00:00",
        "primary after 2026-11-22T01:10:00+00:00",
    }


@pytest.mark.parametrize("id", ["JOB-01", "DR-04"])
def test_no_job_at_all_is_news_after_a_bad_one(id: str) -> None:
    one = BY_ID[id]
    bad = {"backup_jobs": examples.backup_jobs(state="FAILED"), "copy_jobs": examples.copy_jobs(state="FAILED")}
    known = judged(one, examples.world(primary=bad))
    none = judged(one, examples.world(primary={"backup_jobs": (), "copy_jobs": ()}))
    assert made_of(known)
    assert [change.added for change in compare(known, none)] == [("no job",)]


def made_of(found: Verdicts) -> dict[Key, frozenset[str]]:
    return {key: one.instances for key, one in found.items() if one.status is Status.FAIL and one.instances}
