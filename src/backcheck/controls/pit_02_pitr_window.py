"""PIT-02: the recovery window is as deep as the policy says."""

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, unknown, verdict
from backcheck.controls.pitr import DEFAULT_WINDOW_DAYS, DESCRIBE, HOWITWORKS, Recoverable, recoverable_tables
from backcheck.finding import Severity, Verdict

AT = "DescribeContinuousBackups.RecoveryPeriodInDays"


@control(
    id="PIT-02",
    title="The recovery window is as deep as the policy says",
    severity=Severity.HIGH,
    reads=BOTH,
    each=recoverable_tables,
    in_template={
        cfn.TABLE: ("/PointInTimeRecoverySpecification/RecoveryPeriodInDays",),
        cfn.GLOBAL_TABLE: ("/Replicas",),
    },
    why="Damage that is noticed after the window cannot be undone to the second. Shortening drops history at once.",
    remedy=(
        "aws dynamodb update-continuous-backups --table-name TABLE "
        "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true,RecoveryPeriodInDays=35"
    ),
    sources=(HOWITWORKS, DESCRIBE),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={"35 days": examples.world},
    fails={
        "one day": lambda: examples.world(primary={"tables": (examples.table(pitr=examples.pitr(window_days=1)),)}),
    },
    unknown={
        "no window in the reply": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.pitr(window_days=None)),)}
        ),
    },
)
def window_is_deep_enough(subject: Recoverable, world: World) -> Verdict:
    """RecoveryPeriodInDays is at least the policy's; a template that states none gets AWS's default of 35."""
    days = subject.status.window_days
    notes: tuple[str, ...] = ()
    if days is None:
        if Reads.TEMPLATE not in world.reads:
            return unknown("the reply has no RecoveryPeriodInDays", at=AT)
        days, notes = DEFAULT_WINDOW_DAYS, ("RecoveryPeriodInDays is not stated: AWS's default of 35 applies",)
    wanted = subject.promised.window_days
    return verdict(
        days >= wanted,
        expected=f"at least {wanted} days",
        observed=f"{days} days",
        at=AT,
        message=f"{subject.table.name} can go back {days} days; the policy says {wanted}",
        notes=notes,
    )
