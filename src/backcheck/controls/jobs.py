"""What jobs say about the last day and the last month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backcheck.controls.moments import told
from backcheck.inventory.backup import BackupJob, CopyJob

MONTH = timedelta(days=30)
"""AWS lists the jobs of the last 30 days (botocore, ListBackupJobs)."""

SUCCESS_PERCENT = 99
GOOD = "COMPLETED"

UNDER_WAY = frozenset({"CREATED", "PENDING", "RUNNING", "ABORTING", "COMPLETING"})
"""States that are no end yet (botocore, BackupJobState and CopyJobState)."""
Job = BackupJob | CopyJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the jobs of one table went."""

    finished: int
    completed: int
    bad_today: tuple[str, ...]
    """Those of the last 24 hours that did not complete, told."""
    notes: tuple[str, ...]
    bad_ids: tuple[str, ...]
    """The jobs of the month that did not complete."""
    strange: tuple[str, ...]
    """Jobs in a state that this version does not know, told: whether they are good or bad is not known."""
    due: int
    """Jobs that the month should have, at least."""

    @property
    def sound(self) -> bool:
        """None bad today, and 99 of 100 good in the month: of those that ended, and of those that were due."""
        return not self.bad_today and 100 * self.completed >= SUCCESS_PERCENT * max(self.finished, self.due)

    @property
    def rate(self) -> str:
        """Completed of finished, and of due where there are not that many."""
        told_of = f"{self.completed} of {self.finished} completed in 30 days"
        return told_of if self.due <= self.finished else f"{told_of}, and {self.due} were due"


def month_before(now: datetime) -> datetime:
    """From when on jobs must be listed: a day less than AWS lists, for the oldest may just have dropped out."""
    return now - MONTH + timedelta(days=1)


def health(jobs: Sequence[Job], bad: Iterable[str], now: datetime, *, due: int) -> Health:
    """Jobs of a month; `bad` are the states in which a job ends without what it was for, `due` how many there must be.

    What is still under way may be one of those that are due: it counts for neither side.
    """
    states = frozenset(bad)
    month = [job for job in jobs if job.created > now - MONTH]
    ended = [job for job in month if job.state in states]
    completed = [job for job in month if job.state == GOOD]
    today = [job for job in ended if (job.completed or job.created) > now - timedelta(days=1)]
    return Health(
        finished=len(ended) + len(completed),
        completed=len(completed),
        bad_today=tuple(_told(job) for job in today),
        notes=tuple(dict.fromkeys(_note(job) for job in completed if _has_issues(job))),
        bad_ids=tuple(job.id for job in ended),
        strange=tuple(_told(job) for job in month if job.state not in states | UNDER_WAY | {GOOD}),
        due=due - sum(job.state in UNDER_WAY for job in month),
    )


def _has_issues(job: Job) -> bool:
    """'Completed with issues' is COMPLETED with a message (AWS-Backup developer guide, eventbridge)."""
    return job.message_category not in (None, "SUCCESS")


def _note(job: Job) -> str:
    return (
        f"completed with issues ({job.message_category}) at {told(job.created)}: {job.status_message or 'no message'}"
    )


def _told(job: Job) -> str:
    return f"{job.state} at {told(job.created)}: {job.status_message or 'no message'}"
