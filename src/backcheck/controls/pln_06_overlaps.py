"""PLN-06: where one rule replaces another, it makes the other's copies."""

from datetime import datetime
from typing import Any

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, unknown, verdict
from backcheck.controls.deployment import DeployedPlan, as_tiers, deployed_plans
from backcheck.controls.moments import few
from backcheck.controls.other_plans import other_plans
from backcheck.finding import Severity, Verdict
from backcheck.policy.calendar import calendar_of
from backcheck.policy.overlap import Violation, violations

AT = "GetBackupPlan.Rules[].ScheduleExpression, StartWindowMinutes, CopyActions"
ACROSS_PLANS = (
    "overlaps a rule of this plan and is kept as long or longer: within one plan AWS would make its backup instead, "
    "and no page says what it does across two"
)


def _with_another(*, kind: str = "sandbox", **changes: Any) -> World:
    another = examples.plan(
        name="legacy", id="legacy", rules=(examples.rule(delete_after_days=365, copies=(), **changes),)
    )
    return examples.world(account={"kind": kind}, primary={"plans": (examples.plan(), another)})


@control(
    id="PLN-06",
    title="No overlap of rules costs a copy",
    severity=Severity.HIGH,
    reads=BOTH,
    each=deployed_plans,
    in_template={cfn.PLAN: (cfn.BACKUP_RULES,), cfn.SELECTION: ("/BackupSelection",), **cfn.TABLES},
    why="Where start windows overlap AWS makes one backup, the longer kept one, and only that rule's copies.",
    remedy="Give the longer-kept rule the same copies, or move its schedule out of the other's start window.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",),
    maps_to=("NIST-800-53r5:CP-6", "NIST-800-53r5:CP-9"),
    passes={
        "the monthly rule copies too": examples.world,
        "another plan at another time": lambda: _with_another(schedule="cron(0 12 ? * * *)", kind="template"),
        "another plan, in an account that shows its points": lambda: _with_another(),
    },
    fails={
        "the monthly rule has no copy": lambda: examples.world(
            primary={"plans": (examples.plan(rules=(examples.rule(), examples.rule("Monthly", copies=()))),)}
        ),
    },
    unknown={
        "plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)}),
        "a template in which another plan's rule overlaps": lambda: _with_another(kind="template"),
    },
)
def overlaps_keep_copies(deployed: DeployedPlan, world: World) -> Verdict:
    """In the 400 days from today no firing is replaced by one that lacks its copies."""
    tiers = as_tiers(deployed, world)
    calendar = calendar_of(tiers, start_of_day(world.now))
    found = violations(calendar)
    others = tuple(other_plans(deployed, start_of_day(world.now), world))
    rivals = [f"{rule} of plan {one.plan.name}" for one in others for rule in one.rivals]
    if rivals and not found and Reads.TEMPLATE in world.reads:
        return unknown(f"{few(rivals)} {ACROSS_PLANS}", at=AT)
    return verdict(
        not found,
        expected="each replacing rule makes the replaced one's copies",
        observed="; ".join(map(_told, found)) or "none is lost",
        at=AT,
        message=f"days without a copy: {'; '.join(map(_told, found))}"
        if found
        else "overlapping rules keep all copies",
        notes=(
            *calendar.notes,
            *(f"{one}: points that no tier of the policy asks for" for one in others),
            *(f"{rival} {ACROSS_PLANS}: DR-03 and RP-01 count what there is" for rival in rivals),
        ),
    )


def start_of_day(moment: datetime) -> datetime:
    """Midnight, so that a day's audits share one calendar."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _told(violation: Violation) -> str:
    days = few([f"{day:%Y-%m-%d}" for day in violation.dates], 3)
    copies = ", ".join(copy.vault for copy in violation.missing)
    return f"{violation.winner.name} replaces {violation.loser.name} without its copy to {copies} on {days}"
