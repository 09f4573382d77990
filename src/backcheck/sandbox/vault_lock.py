"""Vault lock: what it forbids.

https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backcheck.sandbox.refusal import invalid

LONGEST_DAYS = 36_500
SHORTEST_GRACE_DAYS = 3
"""'It must be a number no less than 3 and no greater than 36,500; otherwise, an error will return.'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock. While there is one nobody deletes a recovery point or changes its lifecycle, not even root."""

    min_days: int | None
    max_days: int | None
    lock_date: datetime | None
    """From here on it is immutable (compliance mode); None in governance mode."""

    @classmethod
    def configured(
        cls, *, min_days: int | None, max_days: int | None, changeable_for_days: int | None, now: datetime
    ) -> Lock:
        """A lock by PutBackupVaultLockConfiguration's bounds; with a grace time it is in compliance mode."""
        if min_days is not None and min_days < 1:
            invalid("MinRetentionDays must be at least 1 day")
        if max_days is not None and not 1 <= max_days <= LONGEST_DAYS:
            invalid(f"MaxRetentionDays must be from 1 to {LONGEST_DAYS} days")
        if min_days is not None and max_days is not None and min_days > max_days:
            invalid("MinRetentionDays cannot be greater than MaxRetentionDays")
        if changeable_for_days is None:
            return cls(min_days=min_days, max_days=max_days, lock_date=None)
        if not SHORTEST_GRACE_DAYS <= changeable_for_days <= LONGEST_DAYS:
            invalid(f"ChangeableForDays must be from {SHORTEST_GRACE_DAYS} to {LONGEST_DAYS}")
        return cls(min_days=min_days, max_days=max_days, lock_date=now + timedelta(days=changeable_for_days))

    def immutable(self, now: datetime) -> bool:
        """'On and after the specified date' nobody changes or deletes the lock."""
        return self.lock_date is not None and now >= self.lock_date

    def refuses(self, retention_days: int | None) -> str | None:
        """Why a backup or copy job of this retention fails; None if it does not. None days are for ever."""
        if self.min_days is not None and retention_days is not None and retention_days < self.min_days:
            return f"Retention of {retention_days} days is below the vault lock's minimum of {self.min_days} days"
        if self.max_days is not None and (retention_days is None or retention_days > self.max_days):
            days = "Indefinite retention" if retention_days is None else f"Retention of {retention_days} days"
            return f"{days} exceeds the vault lock's maximum of {self.max_days} days"
        return None
