"""RP-01: the latest backup of each tier is there."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unknown, unread, verdict
from backcheck.controls.deployment import retention
from backcheck.controls.expected_points import (
    Due,
    backup_for,
    expectation,
    in_force_since,
    nothing_due,
    points_in,
    rule_tiers,
    usable,
)
from backcheck.controls.moments import CLOCK_SKEW, instant, told
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.policy.firing import kept
from backcheck.policy.model import Tier
from backcheck.policy.rpo import spell

AT = "ListRecoveryPointsByBackupVault.Status, CreationDate, CreatedBy"
UNDER_WAY = frozenset({"CREATED", "PENDING", "RUNNING"})


def _points(**changes: object) -> World:
    """With last night's point changed, or gone."""
    return examples.world(
        primary={"vaults": (examples.vault(recovery_points=examples.points(examples.of_last_night, **changes)),)}
    )


@control(
    id="RP-01",
    title="The latest backup of each tier is there",
    severity=Severity.CRITICAL,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="This is the backup that you would restore today.",
    remedy=(
        "aws backup start-backup-job --backup-vault-name VAULT --resource-arn TABLE --iam-role-arn ROLE "
        "--lifecycle DeleteAfterDays=DAYS; then see why the job did not do it (JOB-01)"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByBackupVault.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",
    ),
    maps_to=(
        "NIST-800-53r5:CP-9",
        "SOC2:A1.2",
        "ISO-27001:2022:A.8.13",
        "CIS-8.1:11.2",
    ),
    passes={
        "last night's": examples.world,
        "AVAILABLE is as good": lambda: _points(status="AVAILABLE"),
        "made on demand since": lambda: _points(
            plan_id=None, plan_version=None, rule_id=None, created=examples.NOW - timedelta(hours=2)
        ),
    },
    fails={
        "gone": _points,
        "expired": lambda: _points(status="EXPIRED"),
        "partial": lambda: _points(status="PARTIAL"),
        "made on demand, for a day": lambda: _points(
            plan_id=None, rule_id=None, created=examples.NOW - timedelta(hours=2), delete_after_days=1
        ),
        "of a table that was deleted since": lambda: examples.world(
            primary={
                "tables": (examples.table(created=examples.NOW - timedelta(days=20)),),
                "vaults": (
                    examples.vault(
                        recovery_points=examples.points(lambda one: one.created > examples.NOW - timedelta(days=20))
                    ),
                ),
            }
        ),
    },
    unknown={
        "points not listed": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
        "points of the future": lambda: _points(created=examples.NOW + timedelta(days=2)),
        "before the policy holds": lambda: examples.world(policy=examples.policy(effective_from=date(2062, 11, 1))),
    },
)
def latest_backup_is_there(subject: ScopedTable, world: World) -> Iterator[Verdict]:
    """For each tier the latest firing whose deadline has passed left a usable point; the newest of all is fresh."""
    if not subject.tiers:
        yield not_applicable("the policy gives this table no tier")
        return
    held = {tier.vault: points_in(world.policy.vault(tier.vault), subject, world) for tier in subject.tiers}
    for tier in subject.tiers:
        points = held[tier.vault]
        if isinstance(points, Gap):
            yield unread(points, resource=subject.resource, tier=tier.id)
        else:
            yield _of_tier(subject, tier, points, world)
    if world.policy.validation is not None:
        yield _newest(subject, tuple(held.values()), world.policy.validation.max_backup_age_hours, world)


def _of_tier(subject: ScopedTable, tier: Tier, points: tuple[RecoveryPoint, ...], world: World) -> Verdict:
    due = expectation(subject.tiers, world).due(tier, in_force_since(subject, tier, world))
    if not due:
        return nothing_due(subject, world, what=f"no {tier.name} backup", tier=tier.id)
    if future := _of_the_future(points, world):
        return unknown(future, at=AT, tier=tier.id)
    ids = rule_tiers(subject, world)
    if isinstance(ids, Gap) and not all(point.rule_name for point in points):
        return unread(ids, resource=subject.resource, tier=tier.id)
    good = usable(points, world.now)
    found = backup_for(due[-1], good, {} if isinstance(ids, Gap) else ids)
    on_demand = None if found else _made_on_demand(due[-1], tier, good)
    point = found or on_demand
    name, at = subject.table.name, told(due[-1].at)
    return verdict(
        point is not None,
        expected=f"a usable point of {at}, due by {told(due[-1].deadline)}",
        observed=f"{point.arn}, {point.status}" if point else _what_there_is(due[-1], points),
        at=AT,
        message=f"{name}: the {tier.name} backup of {at} {'is there' if point else 'is missing'}",
        notes=("it was made on demand, not by the rule",) if on_demand else (),
        tier=tier.id,
        instances=[instant(due[-1].at)],
    )


def _of_the_future(points: tuple[RecoveryPoint, ...], world: World) -> str:
    """Points are oldest first."""
    if not points or points[-1].created <= world.now + CLOCK_SKEW:
        return ""
    return f"a point of {told(points[-1].created)} lies in the future: the clocks disagree"


def _made_on_demand(due: Due, tier: Tier, points: tuple[RecoveryPoint, ...]) -> RecoveryPoint | None:
    """What a person does about a missing backup: made since, and kept as long as the tier's would be."""
    made = (point for point in reversed(points) if point.plan_id is None and point.rule_id is None)
    long = kept(tier.retention_days)
    return next((p for p in made if p.created >= due.at and kept(retention(p.delete_after_days)) >= long), None)


def _what_there_is(due: Due, points: tuple[RecoveryPoint, ...]) -> str:
    """A point that cannot be used is worth a word."""
    bad = [point for point in points if due.at <= point.created <= due.deadline]
    if bad:
        return f"{bad[0].arn} is {bad[0].status}"
    return f"the newest point is of {told(points[-1].created)}" if points else "no point at all"


def _newest(
    subject: ScopedTable, held: tuple[tuple[RecoveryPoint, ...] | Gap, ...], hours: int, world: World
) -> Verdict:
    """Age counts from the deadline of the firing that made the point, whichever end of its window it came at."""
    points = [point for one in held if not isinstance(one, Gap) for point in usable(one, world.now)]
    newest = max(points, key=lambda point: point.created, default=None)
    gaps = [one for one in held if isinstance(one, Gap)]
    future = "".join(_of_the_future(one, world) for one in held if not isinstance(one, Gap))
    limit = timedelta(hours=hours)
    since = _counted_from(newest, subject, world) if newest else subject.table.created
    fresh = newest is not None and world.now - since <= limit
    if gaps and not fresh:
        return unread(gaps[0], resource=subject.resource)
    if future and not fresh:
        return unknown(future, at=AT)
    if newest is None and not expectation(subject.tiers, world).any_since(subject.table.created):
        return nothing_due(subject, world, what="no backup")
    age = max(world.now - since, timedelta(0))
    return verdict(
        fresh,
        expected=f"a point at most {hours} h past its deadline",
        observed=f"{newest.arn} of {told(newest.created)}" if newest else "no usable point",
        at=AT,
        message=f"the newest backup of {subject.table.name} is of {told(newest.created)}, due {spell(age)} ago"
        if newest
        else f"{subject.table.name} has no usable backup at all",
        notes=tuple(_running(subject, world)),
        instances=() if newest else ["no backup"],
    )


def _counted_from(point: RecoveryPoint, subject: ScopedTable, world: World) -> datetime:
    ending = [
        due.deadline
        for tier in subject.tiers
        for due in expectation(subject.tiers, world).due(tier, point.created - timedelta(days=2))
        if due.at <= point.created <= due.deadline
    ]
    return max(ending, default=point.completed or point.created)


def _running(subject: ScopedTable, world: World) -> Iterator[str]:
    jobs = world.index.backup_jobs(subject.region, subject.table.arn)
    for job in () if isinstance(jobs, Gap) else jobs:
        if job.state in UNDER_WAY:
            yield f"a backup job is {job.state} since {told(job.created)}"
