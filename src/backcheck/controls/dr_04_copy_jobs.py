"""DR-04: copy jobs are healthy."""

from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unread, verdict
from backcheck.controls.expected_points import expectation, in_force_since, nothing_due
from backcheck.controls.jobs import MONTH, health
from backcheck.controls.moments import few, told
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap

BAD = ("FAILED", "PARTIAL", "FAILING")
UNDER_WAY = frozenset({"CREATED", "RUNNING", "COMPLETING"})
LONGEST = timedelta(hours=24)


@control(
    id="DR-04",
    title="Copy jobs are healthy",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="Copies fail on their own, for a lock or a key in the other region, while every backup job is green.",
    remedy="Read StatusMessage: aws backup list-copy-jobs --by-resource-arn TABLE --by-state FAILED",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CopyJob.html",),
    maps_to=("NIST-800-53r5:CP-6", "NIST-800-53r5:CP-9"),
    passes={"all completed": examples.world},
    fails={
        "failed last night": lambda: examples.world(
            primary={"copy_jobs": examples.copy_jobs(state="FAILED", status_message="the vault's lock refuses it")}
        ),
        "one of thirty failed": lambda: examples.world(
            primary={
                "copy_jobs": (
                    *examples.copy_jobs(),
                    examples.copy_job(examples.NOW - timedelta(days=9), state="FAILED"),
                )
            }
        ),
        "running for two days": lambda: examples.world(
            primary={
                "copy_jobs": (
                    examples.copy_job(examples.NOW - timedelta(days=2), state="RUNNING", completed=None),
                    *examples.copy_jobs(),
                )
            }
        ),
        "none at all": lambda: examples.world(primary={"copy_jobs": ()}),
    },
    unknown={"jobs not listed": lambda: examples.world(primary={"copy_jobs": examples.gap("ListCopyJobs")})},
)
def copy_jobs_are_healthy(subject: ScopedTable, world: World) -> Verdict:
    """None FAILED or PARTIAL in 24 hours, 99 of 100 good in 30 days, none under way for more than 24 hours."""
    if not any(tier.copies for tier in subject.tiers):
        return not_applicable("the policy asks for no copy of this table")
    jobs = world.index.copy_jobs(subject.region, subject.table.arn)
    if isinstance(jobs, Gap):
        return unread(jobs, resource=subject.resource)
    jobs = tuple(job for job in jobs if job.created >= subject.table.created)
    seen = health(jobs, BAD, world.now)
    slow = [job for job in jobs if job.state in UNDER_WAY and world.now - job.created > LONGEST]
    problems = [*seen.bad_today, *(f"{job.state} since {told(job.created)}" for job in slow)]
    if not jobs:
        if not _was_due(subject, world):
            return nothing_due(subject, world, what="no copy")
        problems = ["no copy job in 30 days, though copies were due"]
    return verdict(
        not problems and seen.sound,
        expected="none failed in 24 h, 99% completed in 30 days, none under way for more than 24 h",
        observed=few([*problems, seen.rate]),
        at="ListCopyJobs.State, CreationDate",
        message=f"{subject.table.name}: {few([*problems, seen.rate])}",
        notes=seen.notes,
        instances=(*seen.bad_ids, *(job.id for job in slow)) if jobs else ["no job"],
    )


def _was_due(subject: ScopedTable, world: World) -> bool:
    """A day less than AWS lists, so that the job of the oldest cannot just have dropped out."""
    start = world.now - MONTH + timedelta(days=1)
    return any(
        one.copy_vaults
        for tier in subject.tiers
        for one in expectation(subject.tiers, world).due(tier, max(start, in_force_since(subject, tier, world)))
    )
