"""JOB-01: backup jobs succeed."""

from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unknown, unread, verdict
from backcheck.controls.expected_points import expectation, in_force_since, nothing_due
from backcheck.controls.jobs import health, month_before
from backcheck.controls.moments import few
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap

AT = "ListBackupJobs.State, MessageCategory"
BAD = ("FAILED", "ABORTED", "EXPIRED", "PARTIAL")


@control(
    id="JOB-01",
    title="Backup jobs succeed",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="A job that failed last night is the backup that is missing today; EXPIRED ones fail without a word.",
    remedy="Read StatusMessage: aws backup list-backup-jobs --by-resource-arn TABLE --by-state FAILED (and EXPIRED)",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupJob.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "SOC2:A1.2"),
    passes={
        "all completed": examples.world,
        "completed with issues": lambda: examples.world(
            primary={"backup_jobs": examples.backup_jobs(message_category="AccessDenied", status_message="no tags")}
        ),
    },
    fails={
        "failed": lambda: examples.world(primary={"backup_jobs": examples.backup_jobs(state="FAILED")}),
        "expired": lambda: examples.world(primary={"backup_jobs": examples.backup_jobs(state="EXPIRED")}),
        "one of thirty aborted": lambda: examples.world(
            primary={
                "backup_jobs": (
                    *examples.backup_jobs(),
                    examples.backup_job(examples.NOW - timedelta(days=9), state="ABORTED"),
                )
            }
        ),
        "one, where thirty were due": lambda: examples.world(primary={"backup_jobs": examples.backup_jobs()[:1]}),
        "none at all": lambda: examples.world(primary={"backup_jobs": ()}),
    },
    unknown={
        "jobs not listed": lambda: examples.world(primary={"backup_jobs": examples.gap("ListBackupJobs")}),
        "a state that is new": lambda: examples.world(
            primary={
                "backup_jobs": (
                    *examples.backup_jobs(),
                    examples.backup_job(examples.NOW - timedelta(days=9), state="QUARANTINED"),
                )
            }
        ),
    },
)
def jobs_succeed(subject: ScopedTable, world: World) -> Verdict:
    """None FAILED, ABORTED, EXPIRED or PARTIAL in 24 hours, 99 of 100 good in 30 days; issues are notes."""
    jobs = world.index.backup_jobs(subject.region, subject.table.arn)
    if isinstance(jobs, Gap):
        return unread(jobs, resource=subject.resource)
    own = [job for job in jobs if job.created >= subject.table.created]
    due = _due(subject, world)
    seen = health(own, BAD, world.now, due=due)
    problems = list(seen.bad_today)
    if not own:
        if not due:
            return nothing_due(subject, world, what="no backup")
        problems = ["no backup job in 30 days, though backups were due"]
    if seen.strange and not problems and seen.sound:
        return unknown(f"{few(list(seen.strange))}: a state that this version does not know", at=AT)
    return verdict(
        not problems and seen.sound,
        expected="none bad in 24 h, 99% completed in 30 days",
        observed=few([*problems, seen.rate]),
        at=AT,
        message=f"{subject.table.name}: {few([*problems, seen.rate])}",
        notes=seen.notes,
        instances=seen.bad_ids if own else ["no job"],
    )


def _due(subject: ScopedTable, world: World) -> int:
    """Backups of the month that the rules must have tried."""
    asked, start = expectation(subject.tiers, world), month_before(world.now)
    return sum(len(asked.due(tier, max(start, in_force_since(subject, tier, world)))) for tier in subject.tiers)
