"""RST-04: the restored table is set up as the source is, or what is not is listed."""

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control
from backcheck.controls.drills import Answer, DrilledScope, by_latest, drilled_scopes, passed
from backcheck.drill.record import DrillRecord
from backcheck.finding import Severity, Status, Verdict
from backcheck.policy.model import Method


@control(
    id="RST-04",
    title="The restored table is set up as the source is",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=drilled_scopes,
    why="A restore leaves out TTL, tags, streams, alarms and PITR: the table that saves you is itself unprotected.",
    remedy="Re-apply what the drill lists: aws dynamodb update-time-to-live, tag-resource, update-continuous-backups",
    sources=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html",
        "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableFromBackup.html",
    ),
    maps_to=("NIST-800-53r5:CP-10",),
    passes={
        "equal": examples.world,
        "listed": lambda: examples.world(drills=examples.drills("backup", settings="listed", detail="ttl, tags")),
    },
    fails={"different": lambda: examples.world(drills=examples.drills("backup", settings="different"))},
    unknown={
        "none yet": lambda: examples.world(drills=()),
        "said otherwise": lambda: examples.world(drills=examples.drills("backup", settings="")),
    },
)
def settings_come_back(subject: DrilledScope, world: World) -> Verdict:
    """Keys, indexes, billing, class and encryption are equal; the rest is re-applied or listed."""

    def judge(method: Method, record: DrillRecord) -> Answer:
        text = f"{method}: settings {record.settings or f'not all compared: {record.detail}'}"
        if record.settings in ("equal", "listed"):
            return passed(
                True, text, (f"{method}: to re-apply: {record.detail}",) if record.settings == "listed" else ()
            )
        return passed(False, text) if record.settings == "different" else Answer(status=Status.UNKNOWN, text=text)

    return by_latest(subject, judge, expected="equal, or listed")
