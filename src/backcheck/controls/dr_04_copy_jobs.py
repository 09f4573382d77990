"""DR-04: copy jobs are healthy."""

from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unknown, unread, verdict
from backcheck.controls.expected_points import expectation, in_force_since, nothing_due
from backcheck.controls.jobs import UNDER_WAY, health, month_before
from backcheck.controls.moments import few, told
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap

AT = "ListCopyJobs.State, CreationDate"
BAD = ("FAILED", "PARTIAL", "FAILING")
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
        "one, where thirty were due": lambda: examples.world(primary={"copy_jobs": examples.copy_jobs()[:1]}),
        "none at all": lambda: examples.world(primary={"copy_jobs": ()}),
    },
    unknown={
        "jobs not listed": lambda: examples.world(primary={"copy_jobs": examples.gap("ListCopyJobs")}),
        "a state that is new": lambda: examples.world(
            primary={
                "copy_jobs": (
                    *examples.copy_jobs(),
                    examples.copy_job(examples.NOW - timedelta(days=9), state="QUARANTINED"),
                )
            }
        ),
    },
)
def copy_jobs_are_healthy(subject: ScopedTable, world: World) -> Verdict:
    """None FAILED or PARTIAL in 24 hours, 99 of 100 good in 30 days, none under way for more than 24 hours."""
    if not any(tier.copies for tier in subject.tiers):
        return not_applicable("the policy asks for no copy of this table")
    jobs = world.index.copy_jobs(subject.region, subject.table.arn)
    if isinstance(jobs, Gap):
        return unread(jobs, resource=subject.resource)
    jobs = tuple(job for job in jobs if job.created >= subject.table.created)
    due = _due(subject, world)
    seen = health(jobs, BAD, world.now, due=due)
    slow = [job for job in jobs if job.state in UNDER_WAY and world.now - job.created > LONGEST]
    problems = [*seen.bad_today, *(f"{job.state} since {told(job.created)}" for job in slow)]
    if not jobs:
        if not due:
            return nothing_due(subject, world, what="no copy")
        problems = ["no copy job in 30 days, though copies were due"]
    if seen.strange and not problems and seen.sound:
        return unknown(f"{few(list(seen.strange))}: a state that this version does not know", at=AT)
    return verdict(
        not problems and seen.sound,
        expected="none failed in 24 h, 99% completed in 30 days, none under way for more than 24 h",
        observed=few([*problems, seen.rate]),
        at=AT,
        message=f"{subject.table.name}: {few([*problems, seen.rate])}",
        notes=seen.notes,
        instances=(*seen.bad_ids, *(job.id for job in slow)) if jobs else ["no job"],
    )


def _due(subject: ScopedTable, world: World) -> int:
    """Copies of the month that must have been tried by now: AWS has as long for one as DR-04 lets it run."""
    asked, start = expectation(subject.tiers, world), month_before(world.now)
    return sum(
        len(one.copy_vaults)
        for tier in subject.tiers
        for one in asked.due(tier, max(start, in_force_since(subject, tier, world)))
        if one.deadline + LONGEST <= world.now
    )
