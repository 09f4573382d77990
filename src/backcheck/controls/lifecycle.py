"""What AWS Backup asks of a lifecycle."""

from __future__ import annotations

MINIMUM_COLD_DAYS = 90
"""DeleteAfterDays is at least this much more than MoveToColdStorageAfterDays (botocore, Lifecycle)."""

CONTINUOUS_MAXIMUM_DAYS = 35
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html"""


def long_enough_in_cold(retention_days: int | None, cold_after_days: int | None) -> bool:
    """Whether AWS accepts the pair; nothing cold, or nothing deleted, is always accepted."""
    if cold_after_days is None or retention_days is None:
        return True
    return retention_days - cold_after_days >= MINIMUM_COLD_DAYS


def cold(days: int | None) -> str:
    """The move to cold storage in words."""
    return "never cold" if days is None else f"cold after {days} days"
