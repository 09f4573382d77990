"""RST-03: what comes back is equal to what was there."""

from dataclasses import replace

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control
from backcheck.controls.drills import Answer, DrilledScope, by_latest, drilled_scopes, passed
from backcheck.drill.record import DrillRecord
from backcheck.finding import Severity, Status, Verdict
from backcheck.policy.model import Canary, Method, Policy


@control(
    id="RST-03",
    title="What comes back is equal to what was there",
    severity=Severity.CRITICAL,
    reads=ACCOUNT_ONLY,
    each=drilled_scopes,
    why="A table that is ACTIVE, with the right number of wrong items, is the second incident of the day.",
    remedy="Look at the classified differences of the drill: backcheck manifest diff SOURCE RESTORED",
    sources=(
        "https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_backing_up_data_periodic_recovery_testing_data.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html",
    ),
    maps_to=(
        "NIST-800-53r5:CP-9(1)",
        "HIPAA:164.308(a)(7)(ii)(A)",
        "SOC2:A1.3",
        "NIS2:4.2.2.b",
        "CSA-CCM-4:BCR-08",
    ),
    passes={
        "equal": examples.world,
        "and the canary shows where the restore ends": lambda: examples.world(
            policy=_with_canary(), drills=examples.drills("pitr", boundary="asserted")
        ),
    },
    fails={"different": lambda: examples.world(drills=examples.drills("backup", integrity="different"))},
    unknown={
        "none yet": lambda: examples.world(drills=()),
        "not proven": lambda: examples.world(drills=examples.drills("pitr", integrity="not-proven")),
        "a canary that was not written": lambda: examples.world(policy=_with_canary()),
    },
)
def what_comes_back_is_equal(subject: DrilledScope, world: World) -> Verdict:
    """The latest drill of each method found every item equal to a witness of the source, which is named."""
    canary = subject.drill.canary is not None
    boundary = (
        "the canary asserts the boundary at T for pitr; recovery points are older than any canary"
        if canary
        else "the boundary at T is not asserted: the policy has no canary"
    )

    def judge(method: Method, record: DrillRecord) -> Answer:
        text = f"{method}: {record.integrity}, against {record.witness}"
        notes = () if record.independent else (f"{method}: the witness {record.witness} is not independent",)
        if record.integrity == "equal" and method is Method.PITR and canary and record.boundary != "asserted":
            text = f"{text}, but the boundary at T is not asserted: no canary was read"
            return Answer(status=Status.UNKNOWN, text=text, notes=notes)
        if record.integrity == "equal":
            return passed(True, text, notes)
        if record.integrity == "different":
            return passed(False, text, notes)
        return Answer(status=Status.UNKNOWN, text=text, notes=notes)

    found = by_latest(subject, judge, expected="equal to the witness, item by item")
    if found.status is not Status.PASS:
        return found
    return Verdict(
        status=found.status,
        message=found.message,
        expected=found.expected,
        observed=found.observed,
        at=found.at,
        notes=(*found.notes, boundary),
    )


def _with_canary() -> Policy:
    policy = examples.policy()
    assert policy.drill is not None
    return replace(policy, drill=replace(policy.drill, canary=Canary(role="shop-canary", key_prefix="canary-")))
