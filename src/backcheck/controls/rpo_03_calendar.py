"""RPO-03: the calendar that every other verdict rests on is AWS's own."""

from datetime import datetime, timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unknown, unread, verdict
from backcheck.controls.deployment import DEFAULT_SCHEDULE, DeployedPlan, as_tiers, deployed_plans
from backcheck.controls.moments import few, told
from backcheck.cron import Cron, CronError
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import ScheduledRun
from backcheck.inventory.gap import Gap
from backcheck.policy.calendar import calendar_of

AT = "GetBackupPlan.ScheduledRunsPreview"
Runs = set[tuple[str, datetime]]


def _preview(*, hours: int = 0, leave_out: int = 0) -> World:
    runs = tuple(
        ScheduledRun(rule_id=run.rule_id, time=run.time + timedelta(hours=hours))
        for index, run in enumerate(examples.preview())
        if index != leave_out - 1
    )
    return examples.world(primary={"plans": (examples.plan(preview=runs),)})


@control(
    id="RPO-03",
    title="Our calendar is AWS's",
    severity=Severity.MEDIUM,
    reads=ACCOUNT_ONLY,
    each=deployed_plans,
    why="If AWS runs a schedule at other times than we reckon, every verdict on what must exist is wrong.",
    remedy="Report the schedule, its time zone and AWS's preview; until then trust no verdict of RP, DR-03, RPO.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_GetBackupPlan.html",),
    passes={"the same ten runs": examples.world},
    fails={"an hour later": lambda: _preview(hours=1), "one left out": lambda: _preview(leave_out=3)},
    unknown={
        "no preview": lambda: examples.world(primary={"plans": (examples.plan(preview=()),)}),
        "plan not read": lambda: examples.world(primary={"plans": (examples.plan(preview=examples.gap()),)}),
    },
)
def calendar_is_awss(deployed: DeployedPlan, world: World) -> Verdict:
    """The next runs that we compute are those that AWS previews, from when it was asked to the last one it shows."""
    preview = deployed.plan.preview
    if isinstance(preview, Gap):
        return unread(preview, resource=deployed.resource)
    if not preview or world.inventory is None:
        return unknown("AWS shows no next runs", at=AT)
    start, last = world.inventory.taken_at, max(run.time for run in preview)
    try:
        ours = _runs(deployed, start, last + timedelta(seconds=1))
    except CronError as error:
        return unknown(error.message, at=AT)
    theirs = {(run.rule_id, _minute(run.time)) for run in preview}
    # AWS shows ten: at the moment of the last one there may be more.
    only_ours = {(rule, time) for rule, time in ours - theirs if time < _minute(last)}
    replaced = only_ours & _replaced(deployed, start, last, world)
    differing = sorted((theirs - ours) | (only_ours - replaced))
    names = {rule.id: rule.name for rule in deployed.rules}
    shown = few([f"{names.get(rule, rule)} {told(time)}" for rule, time in differing])
    return verdict(
        not differing,
        expected=f"the {len(preview)} runs that AWS previews",
        observed=shown or "the same",
        at=AT,
        message=f"{deployed.plan.name}: ours and AWS's next runs {f'differ: {shown}' if differing else 'agree'}",
        notes=(f"AWS leaves out {len(replaced)} runs that a longer-kept rule replaces",) if replaced else (),
    )


def _runs(deployed: DeployedPlan, start: datetime, end: datetime) -> Runs:
    return {
        (rule.id, time)
        for rule in deployed.rules
        for time in Cron.parse(rule.schedule or DEFAULT_SCHEDULE).between(start, end, rule.timezone)
    }


def _replaced(deployed: DeployedPlan, start: datetime, last: datetime, world: World) -> Runs:
    """Whether the preview shows runs that an overlap replaces is not documented: either is taken."""
    ids = {rule.name: rule.id for rule in deployed.rules}
    calendar = calendar_of(as_tiers(deployed, world), start, last + timedelta(seconds=1))
    lost = (outcome.firing for outcome in calendar.outcomes if not outcome.effective)
    return {(ids.get(firing.tier.rule, ""), firing.at) for firing in lost}


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
