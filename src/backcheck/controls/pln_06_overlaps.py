"""PLN-06: where one rule replaces another, it makes the other's copies."""

from datetime import datetime

from backcheck.controls import examples
from backcheck.controls.control import BOTH, World, control, verdict
from backcheck.controls.deployment import DeployedPlan, as_tiers, deployed_plans
from backcheck.controls.moments import few
from backcheck.finding import Severity, Verdict
from backcheck.policy.calendar import calendar_of
from backcheck.policy.overlap import Violation, violations


@control(
    id="PLN-06",
    title="No overlap of rules costs a copy",
    severity=Severity.HIGH,
    reads=BOTH,
    each=deployed_plans,
    why="Where start windows overlap AWS makes one backup, the longer kept one, and only that rule's copies.",
    remedy="Give the longer-kept rule the same copies, or move its schedule out of the other's start window.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",),
    maps_to=("NIST-800-53r5:CP-6", "NIST-800-53r5:CP-9"),
    passes={"the monthly rule copies too": examples.world},
    fails={
        "the monthly rule has no copy": lambda: examples.world(
            primary={"plans": (examples.plan(rules=(examples.rule(), examples.rule("Monthly", copies=()))),)}
        ),
    },
    unknown={"plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)})},
)
def overlaps_keep_copies(deployed: DeployedPlan, world: World) -> Verdict:
    """In the 400 days from today no firing is replaced by one that lacks its copies."""
    tiers = as_tiers(deployed, world)
    calendar = calendar_of(tiers, start_of_day(world.now))
    found = violations(calendar)
    return verdict(
        not found,
        expected="each replacing rule makes the replaced one's copies",
        observed="; ".join(map(_told, found)) or "none is lost",
        at="GetBackupPlan.Rules[].ScheduleExpression, StartWindowMinutes, CopyActions",
        message=f"days without a copy: {'; '.join(map(_told, found))}"
        if found
        else "overlapping rules keep all copies",
        notes=calendar.notes,
    )


def start_of_day(moment: datetime) -> datetime:
    """Midnight, so that a day's audits share one calendar."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _told(violation: Violation) -> str:
    days = few([f"{day:%Y-%m-%d}" for day in violation.dates], 3)
    copies = ", ".join(copy.vault for copy in violation.missing)
    return f"{violation.winner.name} replaces {violation.loser.name} without its copy to {copies} on {days}"
