"""RP-02: no backup within retention is missing."""

from collections.abc import Iterator

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unread, verdict
from backcheck.controls.expected_points import (
    backup_for,
    before_the_policy,
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
from backcheck.policy.model import Tier


@control(
    id="RP-02",
    title="No backup within retention is missing",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="Damage is often noticed weeks later: then the backup of the day before it is the one that is needed.",
    remedy="Explain each: aws backup list-backup-jobs --by-resource-arn TABLE; deletions are in CloudTrail.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",),
    maps_to=("NIST-800-53r5:CP-9", "ISO-27001:2022:A.8.13"),
    passes={
        "a point for each firing": examples.world,
        "the monthly rule replaces the daily one on the 1st": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.points(_daily_of_the_first)),)}
        ),
    },
    fails={
        "one night is missing": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.points(lambda one: one.created.day == 10)),)}
        ),
        "a month is missing": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.points(lambda one: one.created.month == 6)),)}
        ),
    },
    unknown={
        "points not listed": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
    },
)
def no_backup_is_missing(subject: ScopedTable, world: World) -> Iterator[Verdict]:
    """Every firing that takes effect, within retention and since the table and the plan exist, has a usable point."""
    if not subject.tiers:
        yield not_applicable("the policy gives this table no tier")
    for tier in subject.tiers:
        points = points_in(world.policy.vault(tier.vault), subject, world)
        ids = rule_tiers(subject, world)
        if isinstance(points, Gap):
            yield unread(points, resource=subject.resource, tier=tier.id)
        elif isinstance(ids, Gap) and not all(point.rule_name for point in points):
            yield unread(ids, resource=subject.resource, tier=tier.id)
        else:
            yield _of_tier(subject, tier, usable(points, world.now), {} if isinstance(ids, Gap) else dict(ids), world)


def _of_tier(
    subject: ScopedTable, tier: Tier, points: tuple[RecoveryPoint, ...], ids: dict[str, str], world: World
) -> Verdict:
    since = max(in_force_since(subject, tier, world), kept_since(tier.retention_days, world.now))
    due = expectation(subject.tiers, world).due(tier, since)
    if not due:
        return nothing_due(subject, world, what=f"no {tier.name} backup", tier=tier.id)
    lost = [one.at for one in due if backup_for(one, points, ids) is None]
    missing = [told(at) for at in lost]
    return verdict(
        not missing,
        expected=f"{len(due)} points since {told(due[0].at)}",
        observed=f"{len(due) - len(missing)}",
        at="ListRecoveryPointsByBackupVault.CreationDate, CreatedBy, Status",
        message=f"{subject.table.name}: no usable {tier.name} backup of {few(missing)}"
        if missing
        else f"{subject.table.name}: all {len(due)} {tier.name} backups are there",
        notes=before_the_policy(subject, tier, world),
        tier=tier.id,
        instances=map(instant, lost),
    )


def _daily_of_the_first(point: RecoveryPoint) -> bool:
    return point.created.day == 1 and point.rule_id == "rule-daily"
