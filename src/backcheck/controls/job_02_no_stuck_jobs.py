"""JOB-02: no backup job hangs."""

from datetime import datetime, timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unknown, unread, verdict
from backcheck.controls.expected_points import rule_tiers
from backcheck.controls.moments import few, told
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import BackupJob
from backcheck.inventory.gap import Gap

WAITING = frozenset({"CREATED", "PENDING"})
WORKING = frozenset({"RUNNING", "ABORTING"})
AT = "ListBackupJobs.State, StartBy, ExpectedCompletionDate"


def _last_night(**changes: object) -> World:
    return examples.world(primary={"backup_jobs": examples.backup_jobs(completed=None, **changes)})


@control(
    id="JOB-02",
    title="No backup job hangs",
    severity=Severity.MEDIUM,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="One job at a time runs for a table: one that hangs makes the next ones expire.",
    remedy="aws backup stop-backup-job --backup-job-id ID; then start one on demand and open a support case.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupJob.html",),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "none under way": examples.world,
        "running within its window": lambda: examples.world(
            primary={
                "backup_jobs": (
                    examples.backup_job(examples.NOW - timedelta(minutes=30), state="RUNNING", completed=None),
                    *examples.backup_jobs(),
                )
            }
        ),
    },
    fails={
        "not started in its window": lambda: _last_night(state="CREATED"),
        "running past its window": lambda: _last_night(state="RUNNING"),
    },
    unknown={
        "jobs not listed": lambda: examples.world(primary={"backup_jobs": examples.gap("ListBackupJobs")}),
        "no window is known": lambda: _last_night(state="RUNNING", start_by=None, rule_id=None),
    },
)
def no_job_hangs(subject: ScopedTable, world: World) -> Verdict:
    """What waits is started by StartBy; what runs is complete within the completion window, or as expected."""
    jobs = world.index.backup_jobs(subject.region, subject.table.arn)
    if isinstance(jobs, Gap):
        return unread(jobs, resource=subject.resource)
    bad: list[str] = []
    hanging: list[str] = []
    unsure: list[str] = []
    under_way = [job for job in jobs if job.state in WAITING | WORKING]
    for job in under_way:
        limit = _limit(job, subject, world)
        if limit is None:
            unsure.append(f"job {job.id} is {job.state} since {told(job.created)}, and nothing says until when it may")
        elif world.now > limit:
            hanging.append(job.id)
            bad.append(f"job {job.id} is {job.state} since {told(job.created)}, and should not be since {told(limit)}")
    if unsure and not bad:
        return unknown(few(unsure), at=AT)
    return verdict(
        not bad,
        expected="none past its window",
        observed=few(bad) or f"{len(under_way)} under way",
        at=AT,
        message=f"{subject.table.name}: {few(bad) or 'no job hangs'}",
        instances=hanging,
    )


def _limit(job: BackupJob, subject: ScopedTable, world: World) -> datetime | None:
    """The end of the start window, or of the completion window after it; else when AWS expects the end."""
    if job.state in WAITING:
        return job.start_by
    ids = rule_tiers(subject, world)
    tier = None if isinstance(ids, Gap) else world.policy.tier(ids.get(job.rule_id or "", ""))
    if tier and job.start_by:
        return job.start_by + timedelta(minutes=tier.completion_window_minutes)
    return job.expected_completion
