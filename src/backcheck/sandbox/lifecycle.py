"""Lifecycles: when a recovery point goes cold and when it goes.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backcheck.sandbox.refusal import invalid

COLD_MINIMUM_DAYS = 90
LONGEST_DAYS = 36_500
"""API_BackupRuleInput caps both at 36,500 days (AWS Backup quotas: 100 years)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """Days are counted from a recovery point's creation, the day its job started."""

    cold_after_days: int | None = None
    delete_after_days: int | None = None
    """None: kept for ever."""

    @classmethod
    def read(cls, document: Mapping[str, Any] | None, *, where: str) -> Lifecycle:
        """Read and check a `Lifecycle`; -1 removes a period."""
        given = document or {}
        if given.get("DeleteAfterEvent"):
            # API_Lifecycle: with it a point goes 'after whichever condition is satisfied first. Not valid as an input.'
            invalid(f"Invalid lifecycle in {where}. DeleteAfterEvent is not valid as an input")
        cold, delete = given.get("MoveToColdStorageAfterDays"), given.get("DeleteAfterDays")
        for name, days in (("MoveToColdStorageAfterDays", cold), ("DeleteAfterDays", delete)):
            if days is not None and days != -1 and not 1 <= days <= LONGEST_DAYS:
                invalid(f"Invalid lifecycle in {where}. {name} must be from 1 to {LONGEST_DAYS} days, or -1")
        cold, delete = (None if cold == -1 else cold), (None if delete == -1 else delete)
        if cold is not None and delete is not None and delete < cold + COLD_MINIMUM_DAYS:
            # 'This value must be at least 90 days after the number of days specified in MoveToColdStorageAfterDays'
            invalid(
                f"Invalid lifecycle in {where}. DeleteAfterDays cannot be less than {COLD_MINIMUM_DAYS} days "
                f"apart from MoveToColdStorageAfterDays (got {delete} and {cold})"
            )
        return cls(cold_after_days=cold, delete_after_days=delete)

    def document(self) -> dict[str, Any] | None:
        """The `Lifecycle` that describes it; None where nothing is set."""
        days = {"MoveToColdStorageAfterDays": self.cold_after_days, "DeleteAfterDays": self.delete_after_days}
        return {name: value for name, value in days.items() if value is not None} or None

    def delete_at(self, created: datetime) -> datetime | None:
        """When a recovery point of this creation expires."""
        return None if self.delete_after_days is None else created + timedelta(days=self.delete_after_days)

    def cold_at(self, created: datetime) -> datetime | None:
        """When it moves to cold storage."""
        return None if self.cold_after_days is None else created + timedelta(days=self.cold_after_days)
