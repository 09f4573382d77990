"""RST-01: restores were drilled lately, by every method."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, sorted_out, unread, verdict
from backcheck.controls.delivery import cannot_run
from backcheck.controls.deployment import same_zone
from backcheck.controls.drills import Answer, DrilledScope, drilled_scopes, not_to_tell, nothing_yet, passed, summed_up
from backcheck.controls.moments import told
from backcheck.controls.restore_testing import lacking
from backcheck.controls.validator import function_name
from backcheck.cron import same_schedule
from backcheck.drill.record import DrillRecord
from backcheck.finding import Severity, Status, Verdict
from backcheck.inventory.backup import RestoreJob
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory
from backcheck.inventory.watch import EventRule
from backcheck.policy.model import Method

RESTORES = "Restore Job State Change"
TEMPLATE_AT = "AWS::Events::Rule.ScheduleExpression, AWS::Backup::RestoreTestingPlan, ReservedConcurrentExecutions"


def _stopped_drill() -> World:
    stopped = examples.function(name="shop-drill", reserved_concurrency=0)
    return examples.world(account={"kind": "template"}, primary={"functions": (examples.function(), stopped)})


def _tested(**changes: Any) -> World:
    testing = {"rules": (), "restore_testing": (examples.restore_testing(**changes),)}
    return examples.world(account={"kind": "template"}, primary=testing)


def _test(state: str, validation: str | None = None) -> RestoreJob:
    return RestoreJob(
        id="job-1",
        state=state,
        recovery_point_arn="arn:aws:backup:point",
        source_resource_arn=examples.TABLE_ARN,
        created_resource_arn=None,
        created=examples.NOW - timedelta(days=2),
        completed=examples.NOW - timedelta(days=2),
        testing_plan_arn="arn:aws:backup:restore-testing-plan",
        validation_status=validation,
        status_message=None,
    )


@control(
    id="RST-01",
    title="Restores were drilled lately, by every method",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=drilled_scopes,
    in_template={
        cfn.RULE: ("/ScheduleExpression", "/State"),
        cfn.TESTING: ("",),
        cfn.TESTED: ("",),
        cfn.FUNCTION: ("/ReservedConcurrentExecutions",),
    },
    why="A backup that was never restored is a hope.",
    remedy="backcheck drill --policy POLICY --live --method all --allow-destructive; and schedule it",
    sources=(
        "https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_backing_up_data_periodic_recovery_testing_data.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html",
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
    ),
    maps_to=(
        "NIST-800-53r5:CP-4",
        "NIST-800-53r5:CP-9(1)",
        "ISO-27001:2022:A.8.13",
        "SOC2:A1.3",
        "CIS-8.1:11.5",
        "HIPAA:164.308(a)(7)(ii)(D)",
        "C5:2025:OPS-08.01B",
        "DORA:Art.12",
    ),
    passes={
        "this month": examples.world,
        "a template that tests restores each month": lambda: _tested(),
        "by AWS's own schedule": lambda: examples.world(
            primary={"rules": (), "restore_testing": (examples.restore_testing(),)}
        ),
    },
    fails={
        "long ago": lambda: examples.world(
            drills=examples.drills(
                "backup",
                started=examples.NOW - timedelta(days=90),
                finished=examples.NOW - timedelta(days=90),
            )
        ),
        "it passed, and failed since": lambda: examples.world(
            drills=(
                *examples.drills(),
                examples.drill(
                    "pitr",
                    started=examples.NOW - timedelta(days=1),
                    finished=examples.NOW - timedelta(days=1),
                    passed=False,
                ),
            )
        ),
        "AWS's latest restore test failed": lambda: examples.world(primary={"restore_jobs": (_test("FAILED"),)}),
        "what a restore test brought back was refused": lambda: examples.world(
            primary={"restore_jobs": (_test("COMPLETED", "FAILED"),)}
        ),
        "the last one failed": lambda: examples.world(drills=examples.drills("dr-copy", passed=False)),
        "a template without a schedule": lambda: examples.world(account={"kind": "template"}, primary={"rules": ()}),
        "a template whose restore testing restores none of the vault's points": lambda: _tested(
            takes=examples.tested_points(exclude_vaults=("*:backup-vault:shop-vault",))
        ),
        "a template whose restore testing is too seldom": lambda: _tested(schedule="cron(0 3 2 1 ? *)"),
        "a template whose schedule starts nothing": lambda: examples.world(
            account={"kind": "template"}, primary={"rules": (examples.drill_rule(target_arns=()),)}
        ),
        "a template whose schedule starts what cannot run": _stopped_drill,
        "a template whose restore tests are over": lambda: _tested(schedule="cron(0 3 2 * ? 2020)"),
    },
    unknown={
        "none yet": lambda: examples.world(drills=()),
        "history not read": lambda: examples.world(drills=examples.gap("read", service="ledger")),
        "the only one could not be tried": lambda: examples.world(
            drills=examples.drills("backup", passed=False, undetermined=True, detail="could not be tried: AccessDenied")
        ),
        "a template whose restore testing takes a role that was not judged": lambda: _tested(
            selections=(examples.tested_tables(role_arn=f"arn:aws:iam::{examples.ACCOUNT}:role/other"),)
        ),
        "simulated, for a live account": lambda: examples.world(drills=examples.drills("pitr", simulated=True)),
    },
)
def restores_were_drilled(subject: DrilledScope, world: World) -> Verdict:
    """The last drill of each method that shows anything passed, lately; so did AWS's own last restore test.

    Templates show their schedule.
    """
    unscheduled, stopped = _unscheduled(subject, world), tuple(dict.fromkeys(_stopped(subject, world)))
    if Reads.TEMPLATE in world.reads:
        return _schedule(subject, (*unscheduled, *stopped))
    limit = timedelta(days=subject.drill.max_age_days)
    answers = [_of(method, subject.of(method), subject, world.now - limit) for method in subject.drill.methods]
    answers += _failed_tests(subject, world)
    _, gap = sorted_out(unscheduled)
    shown = "whether drills are scheduled is not known" if gap else "the account shows no schedule for drills"
    notes = (shown, *map(str, unscheduled)) if unscheduled else ()
    notes = (*notes, *(one for one in stopped if isinstance(one, str)), *_failed_restores(subject, world))
    return summed_up(subject, answers, expected=f"each method passed within {limit.days} days", notes=notes)


def _schedule(subject: DrilledScope, lacks: Sequence[str | Gap]) -> Verdict:
    """What a template says: that drills will run."""
    known, gap = sorted_out(lacks)
    if gap:
        return unread(gap, resource=subject.resource)
    return verdict(
        not known,
        expected=f"a schedule that drills: {subject.drill.schedule}",
        observed="; ".join(known) or "scheduled",
        at=TEMPLATE_AT,
        message=f"{subject.name}: {'; '.join(known) or 'its drills are scheduled'}",
    )


def _of(method: Method, records: Sequence[DrillRecord], subject: DrilledScope, since: datetime) -> Answer:
    """The latest drill that shows anything decides: what came back last month does not come back today."""
    decided = [record for record in records if not record.undetermined or record.unsound]
    if not records:
        return nothing_yet(method, subject)
    if not decided:
        return Answer(status=Status.UNKNOWN, text=f"{method}: nothing is proven yet, {_last(records)}")
    if decided[-1].unsound:
        return not_to_tell(method, decided[-1])
    if not decided[-1].passed:
        earlier = [record for record in decided if record.passed]
        when = f"since {told(earlier[-1].finished)} no drill has passed" if earlier else "no drill has passed"
        return passed(False, f"{method}: {when}, {_last(decided)}")
    later = (f"{method}: a later drill {_last(records)}",) if records[-1] is not decided[-1] else ()
    unsound = (f"{method}: {record.detail}" for record in decided if record.unsound)
    return passed(decided[-1].finished >= since, f"{method}: passed {told(decided[-1].finished)}", (*later, *unsound))


def _last(records: Sequence[DrillRecord]) -> str:
    return f"last tried {told(records[-1].started)}: {records[-1].detail}"


def _unscheduled(subject: DrilledScope, world: World) -> tuple[str | Gap, ...]:
    """Why nothing drills; nothing where a rule or AWS's restore testing does, Gaps alone where that is not known."""
    found: list[str | Gap] = []
    for region in world.index.regions.values():
        rules = () if isinstance(region.rules, Gap) else region.rules
        if any(_is_due_with(rule, subject) and rule.target_arns for rule in rules):
            return ()
        found += (one for one in (region.rules, region.restore_testing) if isinstance(one, Gap))
        for plan in () if isinstance(region.restore_testing, Gap) else region.restore_testing:
            lacks = tuple(lacking(plan, region, subject, world))
            if not lacks:
                return ()
            found += [one for one in lacks if isinstance(one, str)] or lacks
    gaps = tuple(one for one in found if isinstance(one, Gap))
    return gaps or (*(one for one in found if isinstance(one, str)), "nothing runs when a drill is due")


def _is_due_with(rule: EventRule, subject: DrilledScope) -> bool:
    """Rules of EventBridge run in UTC."""
    in_utc = same_zone(subject.drill.timezone, "UTC")
    return rule.enabled and in_utc and same_schedule(rule.schedule or "", subject.drill.schedule)


def _stopped(subject: DrilledScope, world: World) -> Iterator[str | Gap]:
    """Functions that would drill, or validate what a restore test restored, and cannot run."""
    for region in world.index.regions.values():
        for rule in () if isinstance(region.rules, Gap) else region.rules:
            if not (_is_due_with(rule, subject) or (rule.enabled and RESTORES in rule.detail_types)):
                continue
            if isinstance(rule.target_arns, Gap):
                yield rule.target_arns
                continue
            for name in (function_name(arn) for arn in rule.target_arns if ":lambda:" in arn):
                yield from _not_running(region, name, rule.name)


def _not_running(region: RegionInventory, name: str, rule: str) -> Iterator[str | Gap]:
    """Nothing for a target that is no function; a Gap where the function may be one that was not read."""
    functions = [one for one in region.functions if not isinstance(one, Gap) and one.name == name]
    if not functions:
        yield from (one for one in region.functions if isinstance(one, Gap))
    for why in (why for one in functions for why in cannot_run(one)):
        yield why if isinstance(why, Gap) else f"{why}; rule {rule} starts it"


def _failed_tests(subject: DrilledScope, world: World) -> Iterator[Answer]:
    """AWS's own restore testing: its latest test of the table that ended decides, in each region."""
    for region in world.index.regions.values():
        jobs = region.restore_jobs
        if isinstance(jobs, Gap):
            yield Answer(status=Status.UNKNOWN, text=f"restore tests in {region.region} were not read: {jobs}")
            continue
        ended = [
            job
            for job in jobs
            if job.source_resource_arn == subject.resource
            and job.testing_plan_arn is not None
            and (job.state in ("FAILED", "ABORTED", "COMPLETED"))
        ]
        if ended and _is_bad(last := max(ended, key=lambda job: job.created)):
            yield passed(False, f"the latest restore test in {region.region} is {_told(last)}")


def _is_bad(job: RestoreJob) -> bool:
    return job.state in ("FAILED", "ABORTED") or job.validation_status in ("FAILED", "TIMED_OUT")


def _told(job: RestoreJob) -> str:
    state = f"{job.state}, validation {job.validation_status}" if job.validation_status else job.state
    return f"{state}: {job.status_message or 'no message'}"


def _failed_restores(subject: DrilledScope, world: World) -> Iterator[str]:
    for region in world.index.regions.values():
        for job in () if isinstance(region.restore_jobs, Gap) else region.restore_jobs:
            if job.source_resource_arn == subject.resource and _is_bad(job):
                yield f"restore job {job.id} of {told(job.created)} is {_told(job)}"
