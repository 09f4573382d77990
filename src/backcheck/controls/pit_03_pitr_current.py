"""PIT-03: recovery reaches almost to now."""

from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unknown, verdict
from backcheck.controls.moments import CLOCK_SKEW, told
from backcheck.controls.pitr import DESCRIBE, HOWITWORKS, Recoverable, recoverable_tables
from backcheck.finding import Severity, Verdict
from backcheck.policy.rpo import spell

AT = "DescribeContinuousBackups.LatestRestorableDateTime"


@control(
    id="PIT-03",
    title="Point-in-time recovery reaches almost to now",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=recoverable_tables,
    why="The latest restorable time is the most that can be saved; where it lags, the promised RPO is broken now.",
    remedy="Nothing can be set: check https://health.aws.amazon.com and open a support case for the table.",
    sources=(HOWITWORKS, DESCRIBE),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "five minutes behind": examples.world,
        "exactly at the limit": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.pitr(latest=examples.NOW - timedelta(minutes=15))),)}
        ),
    },
    fails={
        "two hours behind": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.pitr(latest=examples.NOW - timedelta(hours=2))),)}
        ),
    },
    unknown={
        "no time in the reply": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.pitr(latest=None)),)}
        ),
        "a time in the future": lambda: examples.world(
            primary={"tables": (examples.table(pitr=examples.pitr(latest=examples.NOW + timedelta(hours=1))),)}
        ),
    },
)
def recovery_is_current(subject: Recoverable, world: World) -> Verdict:
    """LatestRestorableDateTime is no further behind now than the policy's lag and RPO allow."""
    latest, objective = subject.status.latest, world.policy.objectives.rpo.pitr_minutes
    if latest is None:
        return unknown("the reply has no LatestRestorableDateTime", at=AT)
    if latest > world.now + CLOCK_SKEW:
        return unknown(f"{told(latest)} lies in the future of {told(world.now)}: the clocks disagree", at=AT)
    limit = min(subject.promised.max_lag_minutes, objective if objective is not None else 10**9)
    lag = max(world.now - latest, timedelta(0))
    return verdict(
        lag <= timedelta(minutes=limit),
        expected=f"at most {limit} min behind",
        observed=f"{spell(lag)} behind",
        at=AT,
        message=f"{subject.table.name} can be restored to {told(latest)}, {spell(lag)} ago; the limit is {limit} min",
    )
