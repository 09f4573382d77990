"""RP-06: lifecycles are carried out."""

from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unknown, unread, verdict
from backcheck.controls.moments import few
from backcheck.controls.vaults import PresentVault, present_vaults
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap

GRACE = timedelta(days=2)
AT = "DescribeRecoveryPoint.StorageClass, ListRecoveryPointsByBackupVault.CalculatedLifecycle"


def _cold(point: RecoveryPoint) -> bool:
    return point.storage_class == "COLD"


def _world(**changes: object) -> World:
    points = examples.points(_cold, **changes)
    return examples.world(primary={"vaults": (examples.vault(recovery_points=points),)})


@control(
    id="RP-06",
    title="Lifecycles are carried out",
    severity=Severity.MEDIUM,
    reads=ACCOUNT_ONLY,
    each=present_vaults,
    why="What should be gone is data that you promised to delete; what should be cold is paid for as warm.",
    remedy="Check that the role of the plan may move and delete: AWSBackupServiceRolePolicyForBackup.",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRecoveryPoint.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CalculatedLifecycle.html",
    ),
    passes={"moved and deleted on time": examples.world},
    fails={
        "warm long after": lambda: _world(storage_class="WARM"),
        "there long after": lambda: _world(delete_at=examples.NOW - timedelta(days=5)),
    },
    unknown={
        "points not listed": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
        "none described": lambda: _world(storage_class=None),
    },
)
def lifecycle_is_carried_out(subject: PresentVault, world: World) -> Verdict:
    """Two days after its date a point is COLD, or gone. Listings show no storage class, so a few are described."""
    points = subject.vault.recovery_points
    if isinstance(points, Gap):
        return unread(points, resource=subject.resource)
    overdue = [point for point in points if point.delete_at is not None and point.delete_at + GRACE < world.now]
    due = [
        point for point in points if point.usable and point.cold_at is not None and point.cold_at + GRACE < world.now
    ]
    asked = [point for point in due if point.storage_class is not None]
    warm = [point for point in asked if point.storage_class != "COLD"]
    problems = [f"{_name(point)} should have been deleted on {point.delete_at:%Y-%m-%d}" for point in overdue]
    problems += [f"{_name(point)} should be cold since {point.cold_at:%Y-%m-%d}" for point in warm]
    if due and not asked and not problems:
        return unknown(f"none of {len(due)} points that should be cold was described", at=AT)
    if not points:
        return not_applicable(f"{subject.vault.name} holds no point yet")
    return verdict(
        not problems,
        expected="cold and gone when due, give or take two days",
        observed=few(problems, 3) or f"{len(points)} points on time",
        at=AT,
        message=f"{subject.vault.name}: {few(problems, 3) or 'points move and go when they should'}",
        notes=(f"{len(asked)} of {len(due)} points that should be cold were described",)
        if len(asked) < len(due)
        else (),
        instances=problems,
    )


def _name(point: RecoveryPoint) -> str:
    return point.arn.rpartition(":")[2]
