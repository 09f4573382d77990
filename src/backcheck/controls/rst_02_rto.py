"""RST-02: coming back takes no longer than the policy says."""

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable
from backcheck.controls.drills import Answer, DrilledScope, by_latest, drilled_scopes, passed
from backcheck.drill.record import DrillRecord
from backcheck.finding import Severity, Status, Verdict
from backcheck.policy.model import Method


@control(
    id="RST-02",
    title="Coming back takes no longer than the RTO",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=drilled_scopes,
    why="AWS gives no promise for a restore: only the measured time says whether the business is back in time.",
    remedy="Restore fewer indexes at once, prepare the steps afterwards, or state the RTO that can be kept.",
    sources=(
        "https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_backing_up_data_periodic_recovery_testing_data.html",
    ),
    maps_to=("NIST-800-53r5:CP-10", "NIST-800-53r5:CP-6(2)", "SOC2:A1.3"),
    passes={"in an hour": examples.world},
    fails={"in ten hours": lambda: examples.world(drills=examples.drills("backup", verified_minutes=600.0))},
    unknown={
        "none yet": lambda: examples.world(drills=()),
        "never came to be read": lambda: examples.world(drills=examples.drills("pitr", verified_minutes=None)),
    },
)
def restore_is_in_time(subject: DrilledScope, world: World) -> Verdict:
    """From the request to the first verified read, in the latest drill of each method."""
    rto = world.policy.objectives.rto
    limits = {Method.PITR: rto.pitr_minutes, Method.BACKUP: rto.backup_minutes, Method.DR_COPY: rto.dr_minutes}

    def judge(method: Method, record: DrillRecord) -> Answer:
        limit, took = limits[method], record.verified_minutes
        if limit is None:
            return passed(True, f"{method}: no objective")
        if took is None:
            over = record.active_minutes is not None and record.active_minutes > limit
            if over:
                return passed(False, f"{method}: active only after {record.active_minutes:.0f} min")
            return Answer(status=Status.UNKNOWN, text=f"{method}: the drill never came to a verified read")
        whole = (record.finished - record.started).total_seconds() / 60
        phases = ", ".join(f"{name} {seconds / 60:.1f}" for name, seconds in record.phases)
        note = f"{method}: {whole:.0f} min in all" + (f": {phases}" if phases else "")
        return passed(took <= limit, f"{method}: {took:.0f} of {limit} min", (note,))

    if not any(limits[method] for method in subject.drill.methods):
        return not_applicable("the policy states no RTO: objectives.rto_hours")
    stated = ", ".join(f"{method} {minutes} min" for method, minutes in limits.items() if minutes is not None)
    return by_latest(subject, judge, expected=stated)
