"""PIT-04: the window is really filled."""

from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unknown, verdict
from backcheck.controls.moments import DAY, told
from backcheck.controls.pitr import DESCRIBE, HOWITWORKS, Recoverable, recoverable_tables
from backcheck.finding import Severity, Verdict

AT = "DescribeContinuousBackups.EarliestRestorableDateTime"

YOUNG = timedelta(hours=1)
"""A table whose history begins within this time of its creation was never without recovery."""


@control(
    id="PIT-04",
    title="The recovery window is filled",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=recoverable_tables,
    why="Switching recovery off and on again throws the whole window away; its status looks the same afterwards.",
    remedy=(
        "Find who switched it off: aws cloudtrail lookup-events "
        "--lookup-attributes AttributeKey=EventName,AttributeValue=UpdateContinuousBackups"
    ),
    sources=(HOWITWORKS, DESCRIBE),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "35 days": examples.world,
        "a new table": lambda: examples.world(
            primary={
                "tables": (
                    examples.table(
                        created=examples.NOW - timedelta(days=2),
                        pitr=examples.pitr(earliest=examples.NOW - timedelta(days=2) + timedelta(minutes=5)),
                    ),
                )
            }
        ),
    },
    fails={
        "switched on an hour ago": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.pitr(earliest=examples.NOW - timedelta(hours=1))),)}
        ),
    },
    unknown={
        "no time in the reply": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.pitr(earliest=None)),)}
        ),
    },
)
def window_is_filled(subject: Recoverable, world: World) -> Verdict:
    """History begins a whole window ago, less a day, or with the table."""
    earliest = subject.status.earliest
    if earliest is None:
        return unknown("the reply has no EarliestRestorableDateTime", at=AT)
    deep = world.now - earliest >= timedelta(days=subject.window_days) - DAY
    young = earliest <= subject.table.created + YOUNG
    if deep or young:
        message = f"{subject.table.name} can go back to {told(earliest)}"
    else:
        message = (
            f"{subject.table.name} can go back to {told(earliest)} only: recovery was reset, or its window widened"
        )
    return verdict(
        deep or young,
        expected=f"{subject.window_days} days back, or to the table's creation at {told(subject.table.created)}",
        observed=told(earliest),
        at=AT,
        message=message,
    )
