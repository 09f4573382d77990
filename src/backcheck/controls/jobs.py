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

    @property
    def sound(self) -> bool:
        """None bad today, and 99 of 100 good in the month."""
        return not self.bad_today and 100 * self.completed >= SUCCESS_PERCENT * self.finished

    @property
    def rate(self) -> str:
        """Completed of finished."""
        return f"{self.completed} of {self.finished} completed in 30 days"


def health(jobs: Sequence[Job], bad: Iterable[str], now: datetime) -> Health:
    """Jobs of a month; `bad` are the states in which a job ends without what it was for."""
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
