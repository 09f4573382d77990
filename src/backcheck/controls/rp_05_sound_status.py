"""RP-05: no recovery point is in a bad state."""

from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unknown, unread, verdict
from backcheck.controls.expected_points import points_in
from backcheck.controls.moments import few
from backcheck.controls.rp_04_encrypted import vaults_of
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap

AT = "ListRecoveryPointsByBackupVault.Status"
BAD = frozenset({"EXPIRED", "PARTIAL", "STOPPED"})
SOUND = frozenset({"COMPLETED", "AVAILABLE", "CREATING", "DELETING"})
LONGEST_DELETION = timedelta(hours=24)


def _points(**changes: object) -> World:
    points = examples.points(lambda one: one.created.day == 10, **changes)
    return examples.world(primary={"vaults": (examples.vault(recovery_points=points),)})


@control(
    id="RP-05",
    title="No recovery point is in a bad state",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="EXPIRED is what remains when AWS Backup may not delete, PARTIAL half a backup; both are listed.",
    remedy="aws backup delete-recovery-point --backup-vault-name VAULT --recovery-point-arn POINT, by a role that may",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteRecoveryPoint.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RecoveryPointByBackupVault.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "all sound": examples.world,
        "being deleted now": lambda: _points(status="DELETING", delete_at=examples.NOW - timedelta(hours=2)),
    },
    fails={
        "expired": lambda: _points(status="EXPIRED"),
        "partial": lambda: _points(status="PARTIAL"),
        "being deleted for days": lambda: _points(status="DELETING", delete_at=examples.NOW - timedelta(days=3)),
    },
    unknown={
        "points not listed": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
        "a state that nobody knows": lambda: _points(status="FROZEN"),
    },
)
def no_point_is_bad(subject: ScopedTable, world: World) -> Verdict:
    """None EXPIRED, PARTIAL or STOPPED, none DELETING for more than 24 hours."""
    gaps: list[Gap] = []
    points: list[RecoveryPoint] = []
    for wanted in vaults_of(subject, world):
        found = points_in(wanted, subject, world)
        if isinstance(found, Gap):
            gaps.append(found)
        else:
            points += found
    bad = [point for point in points if point.status in BAD or _hangs(point, world)]
    strange = [point for point in points if point.status not in SOUND | BAD]
    told = few([f"{point.arn.rpartition(':')[2]} in {point.vault_name} is {point.status}" for point in bad], 3)
    if gaps and not bad:
        return unread(gaps[0], resource=subject.resource)
    if strange and not bad:
        return unknown(f"{strange[0].arn} is {strange[0].status}: a state that this version does not know", at=AT)
    if not points:
        return not_applicable(f"{subject.table.name} has no recovery point yet")
    return verdict(
        not bad,
        expected="none EXPIRED, PARTIAL or STOPPED, none DELETING for more than 24 h",
        observed=told or f"{len(points)} sound points",
        at=AT,
        message=f"{subject.table.name}: {told or f'all {len(points)} points are sound'}",
        instances=(point.arn.rpartition(":")[2] for point in bad),
    )


def _hangs(point: RecoveryPoint, world: World) -> bool:
    """AWS does not say since when it deletes: its due date is the earliest that it can have begun by itself."""
    due = point.delete_at
    return point.status == "DELETING" and due is not None and world.now - due > LONGEST_DELETION
