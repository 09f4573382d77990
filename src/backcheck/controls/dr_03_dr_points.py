"""DR-03: there is a DR copy of every backup that should have one."""

from collections.abc import Iterator
from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unread, verdict
from backcheck.controls.expected_points import (
    Due,
    copy_for,
    expectation,
    in_force_since,
    kept_since,
    nothing_due,
    points_in,
    rule_tiers,
    usable,
)
from backcheck.controls.moments import few, instant, told
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.policy.model import Copy, Tier
from backcheck.policy.rpo import spell

LOOK_BACK = timedelta(days=30)
COPY_TIME = timedelta(hours=24)
"""A copy is missed this long after its backup's deadline: as long as DR-04 lets a copy job run."""

AT = "ListRecoveryPointsByBackupVault.CreationDate, CreatedBy, Status"


@control(
    id="DR-03",
    title="Every backup has its DR copy",
    severity=Severity.CRITICAL,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="A copy action is an intention. When the region is gone, what counts is what has arrived.",
    remedy=(
        "aws backup start-copy-job --recovery-point-arn SOURCE --source-backup-vault-name VAULT "
        "--destination-backup-vault-arn DR_VAULT --iam-role-arn ROLE (cold points are not copied across Regions)"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByBackupVault.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html",
    ),
    maps_to=("NIST-800-53r5:CP-6", "NIST-800-53r5:CP-6(2)", "CIS-8.1:11.4"),
    passes={"a copy each": examples.world},
    fails={
        "a day without": lambda: examples.world(
            dr={"vaults": (examples.dr_vault(recovery_points=examples.copies(lambda one: one.created.day == 10)),)}
        ),
        "none for two days": lambda: examples.world(
            dr={
                "vaults": (
                    examples.dr_vault(
                        recovery_points=examples.copies(lambda one: one.created > examples.NOW - timedelta(days=2))
                    ),
                )
            }
        ),
        "expired": lambda: examples.world(
            dr={
                "vaults": (
                    examples.dr_vault(
                        recovery_points=examples.copies(lambda one: one.created.day == 10, status="EXPIRED")
                    ),
                )
            }
        ),
    },
    unknown={
        "points not listed": lambda: examples.world(
            dr={"vaults": (examples.dr_vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
    },
)
def every_backup_is_copied(subject: ScopedTable, world: World) -> Iterator[Verdict]:
    """Each firing of 30 days that takes effect and copies has its point there; the newest is within the objective."""
    copying = [(tier, copy) for tier in subject.tiers for copy in tier.copies]
    if not copying:
        yield not_applicable("the policy asks for no copy of this table")
        return
    held = {copy.vault: points_in(world.policy.vault(copy.vault), subject, world) for _, copy in copying}
    for tier, copy in copying:
        points = held[copy.vault]
        if isinstance(points, Gap):
            yield unread(points, resource=subject.resource, tier=tier.id)
        else:
            yield _complete(subject, tier, copy, usable(points, world.now), world)
    known = [usable(points, world.now) for points in held.values() if not isinstance(points, Gap)]
    if world.policy.objectives.rpo.dr_hours is not None and len(known) == len(held):
        yield _fresh(subject, known, world.policy.objectives.rpo.dr_hours, world)


def _complete(subject: ScopedTable, tier: Tier, copy: Copy, points: tuple[RecoveryPoint, ...], world: World) -> Verdict:
    ids = rule_tiers(subject, world)
    if isinstance(ids, Gap) and not all(point.rule_name for point in points):
        return unread(ids, resource=subject.resource, tier=tier.id)
    rules = {} if isinstance(ids, Gap) else ids
    due = _due(subject, tier, copy, world)
    missing = [one for one in due if copy_for(one, points, rules) is None]
    if not due:
        return nothing_due(subject, world, what=f"no {tier.name} copy", tier=tier.id)
    return verdict(
        not missing,
        expected=f"{len(due)} copies in {copy.vault}",
        observed=f"{len(due) - len(missing)}",
        at=AT,
        message=f"{subject.table.name}: no copy in {copy.vault} of {few([told(one.at) for one in missing])}"
        if missing
        else f"{subject.table.name}: each of {len(due)} {tier.name} backups has its copy",
        tier=tier.id,
        instances=(f"{copy.vault} {instant(one.at)}" for one in missing),
    )


def _due(subject: ScopedTable, tier: Tier, copy: Copy, world: World) -> list[Due]:
    since = max(in_force_since(subject, tier, world), world.now - LOOK_BACK, kept_since(copy.retention_days, world.now))
    due = expectation(subject.tiers, world).due(tier, since)
    return [one for one in due if copy.vault in one.copy_vaults and one.deadline + COPY_TIME <= world.now]


def _fresh(subject: ScopedTable, known: list[tuple[RecoveryPoint, ...]], hours: int, world: World) -> Verdict:
    newest = max((points[-1].created for points in known if points), default=None)
    since = newest or subject.table.created
    age = world.now - since
    if newest is None and age <= timedelta(hours=hours):
        return not_applicable(f"{subject.table.name} is younger than the DR objective")
    return verdict(
        newest is not None and age <= timedelta(hours=hours),
        expected=f"at most {hours} h old",
        observed=f"{spell(age)} old" if newest else "no copy",
        at=AT,
        message=f"the newest DR copy of {subject.table.name} is of {told(newest)}, {spell(age)} ago"
        if newest
        else f"{subject.table.name} has no DR copy",
        instances=() if newest else ["no copy"],
    )
