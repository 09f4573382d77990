"""PIT-01: point-in-time recovery is on."""

from backcheck.controls import examples
from backcheck.controls.control import BOTH, World, control, expect, not_applicable, unread
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap

AT = "DescribeContinuousBackups.PointInTimeRecoveryStatus"


@control(
    id="PIT-01",
    title="Point-in-time recovery is on",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=tables_in_scope,
    why="Without it a bad deployment costs everything since the last nightly backup.",
    remedy=(
        "aws dynamodb update-continuous-backups --table-name TABLE "
        "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true,RecoveryPeriodInDays=35"
    ),
    sources=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html",
    ),
    maps_to=(
        "NIST-800-53r5:CP-9",
        "NIST-800-53r5:CP-10",
        "HIPAA:164.308(a)(7)(ii)(A)",
        "SOC2:A1.2",
        "CIS-8.1:11.2",
    ),
    passes={"on": examples.world},
    fails={"off": lambda: examples.world(primary={"tables": (examples.table(pitr=examples.pitr(enabled=False)),)})},
    unknown={
        "throttled": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.gap("DescribeContinuousBackups", "ThrottlingException")),)}
        ),
    },
)
def pitr_is_on(subject: ScopedTable, world: World) -> Verdict:
    """PointInTimeRecoveryStatus is ENABLED; ContinuousBackupsStatus always is, and says nothing."""
    if not world.policy.pitr_of(subject.scope).enabled:
        return not_applicable("the policy does not ask for point-in-time recovery here")
    status = subject.table.pitr
    if isinstance(status, Gap):
        return unread(status)
    return expect(
        "ENABLED" if status.enabled else "DISABLED",
        equals="ENABLED",
        at=AT,
        message=f"{subject.table.name} can be restored to any second of its window"
        if status.enabled
        else f"{subject.table.name} cannot be restored to a point in time: switch recovery on, it starts from now",
    )
