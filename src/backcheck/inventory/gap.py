"""What could not be read. A denied or unsupported call is a Gap, never an empty list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A call without an answer, where the answer would have stood."""

    service: str
    operation: str
    region: str
    account: str
    code: str
    """The service's error code, or `Unsupported`, `Truncated`, `Timeout`, `NotAsked`, `NotDecided`."""
    detail: str
    """The service's message, shortened; never item data."""
    resource: str = ""
    """ARN or name that the call was about; empty for a list of everything."""

    def __str__(self) -> str:
        """One line for a verdict's message."""
        about = f" of {self.resource}" if self.resource else ""
        where = f" in {self.region}" if self.region else ""  # IAM has none
        return f"{self.service}:{self.operation}{about}{where}: {self.code}: {self.detail}"


def undecided(service: str, operation: str, why: str, *, account: str, region: str = "", resource: str = "") -> Gap:
    """What cannot be told though the call was answered: it hangs on what no call or page says."""
    return Gap(
        service=service,
        operation=operation,
        region=region,
        account=account,
        code="NotDecided",
        detail=why,
        resource=resource,
    )


def known(value: T | Gap) -> T | None:
    """The value, or None where it is a Gap. For display; a verdict must say UNKNOWN and name the Gap."""
    return None if isinstance(value, Gap) else value
