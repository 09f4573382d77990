"""RP-03: each recovery point is really kept as long as its tier says."""

from collections.abc import Iterator
from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unknown, unread, verdict
from backcheck.controls.deployment import kept_for, retention
from backcheck.controls.expected_points import made_by, points_in, rule_tiers, usable
from backcheck.controls.moments import DAY, few
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.policy.model import Tier

AT = "ListRecoveryPointsByBackupVault.Lifecycle, CalculatedLifecycle.DeleteAt"


def _points(**changes: object) -> World:
    points = examples.points(examples.of_last_night, **changes)
    return examples.world(primary={"vaults": (examples.vault(recovery_points=points),)})


@control(
    id="RP-03",
    title="Each recovery point is kept as long as its tier says",
    severity=Severity.CRITICAL,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="A new retention in the plan does not reach the points that are there: they are deleted as they were made.",
    remedy=(
        "aws backup update-recovery-point-lifecycle --backup-vault-name VAULT --recovery-point-arn ARN "
        "--lifecycle DeleteAfterDays=DAYS"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_UpdateRecoveryPointLifecycle.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CalculatedLifecycle.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "ISO-27001:2022:A.8.13"),
    passes={"as the tier says": examples.world},
    fails={
        "made under an older plan": lambda: _points(
            delete_after_days=7, plan_version="v0", delete_at=examples.NOW + timedelta(days=6, hours=13)
        ),
        "for ever": lambda: _points(delete_after_days=None, delete_at=None),
        "deleted earlier than its lifecycle says": lambda: _points(delete_at=examples.NOW + timedelta(days=3)),
        "the copy is shorter": lambda: examples.world(
            dr={
                "vaults": (
                    examples.dr_vault(
                        recovery_points=examples.copies(
                            examples.of_last_night,
                            delete_after_days=7,
                            delete_at=examples.NOW + timedelta(days=6, hours=13),
                        )
                    ),
                )
            }
        ),
    },
    unknown={
        "points not listed": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
        "no date in the reply": lambda: _points(delete_at=None),
    },
)
def points_are_kept_as_promised(subject: ScopedTable, world: World) -> Iterator[Verdict]:
    """Lifecycle is the tier's, and DeleteAt lies that many days, give or take one, after creation; copies likewise."""
    if not subject.tiers:
        yield not_applicable("the policy gives this table no tier")
    for tier in subject.tiers:
        yield _of_tier(subject, tier, world)


def _of_tier(subject: ScopedTable, tier: Tier, world: World) -> Verdict:
    ids = rule_tiers(subject, world)
    wanted = [(tier.vault, tier.retention_days), *((copy.vault, copy.retention_days) for copy in tier.copies)]
    wrong: list[RecoveryPoint] = []
    undated: list[RecoveryPoint] = []
    gaps: list[Gap] = []
    seen = 0
    for vault, days in wanted:
        points = points_in(world.policy.vault(vault), subject, world)
        if isinstance(points, Gap):
            gaps.append(points)
            continue
        if isinstance(ids, Gap) and not all(point.rule_name for point in points):
            gaps.append(ids)
        rules = {} if isinstance(ids, Gap) else ids
        mine = [point for point in usable(points, world.now) if made_by(point, (tier,), rules)]
        seen += len(mine)
        wrong += [point for point in mine if _is_kept_otherwise(point, days)]
        undated += [point for point in mine if point.delete_at is None and point.delete_after_days is not None]
    bad = [_told(point) for point in wrong]
    if not bad and gaps:
        return unread(gaps[0], resource=subject.resource, tier=tier.id)
    if not bad and undated:
        return unknown(f"the reply has no DeleteAt for {undated[0].arn}", at=AT, tier=tier.id)
    if not seen:
        return not_applicable(f"{subject.table.name} has no {tier.name} point yet", tier=tier.id)
    return verdict(
        not bad,
        expected=", ".join(f"{kept_for(days)} in {vault}" for vault, days in wanted),
        observed=few(bad, 3) or f"{seen} points as promised",
        at=AT,
        message=f"{subject.table.name}: {len(bad)} of {seen} {tier.name} points are kept otherwise: {few(bad, 3)}"
        if bad
        else f"{subject.table.name}: all {seen} {tier.name} points are kept as promised",
        tier=tier.id,
        instances=(point.arn.rpartition(":")[2] for point in wrong),
    )


def _is_kept_otherwise(point: RecoveryPoint, days: int | None) -> bool:
    if retention(point.delete_after_days) != days:
        return True
    if point.delete_at is None or days is None:
        return False
    return abs(point.delete_at - point.created - timedelta(days=days)) > DAY


def _told(point: RecoveryPoint) -> str:
    name, until = point.arn.rpartition(":")[2], f" until {point.delete_at:%Y-%m-%d}" if point.delete_at else ""
    return f"{name} (plan version {point.plan_version}) {kept_for(point.delete_after_days)}{until}"
