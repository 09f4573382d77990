"""The drill history: what each restore that was really performed has shown. The audit's RST controls read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRecord:
    """One method of one drill on one table."""

    run_id: str
    account: str
    table_arn: str
    method: str
    """pitr, backup or dr-copy."""
    started: datetime
    finished: datetime
    active_minutes: float | None
    """Restore request until the table was ACTIVE; None: it never was."""
    verified_minutes: float | None
    """Restore request until the first verified read."""
    passed: bool
    """It has shown everything that the policy's drill.checks ask for."""
    integrity: str
    """equal, different or not-proven, as the comparison said."""
    witness: str
    """Kind of the witness: export, sealed-manifest, quiet-scan."""
    independent: bool
    settings: str
    """equal, listed or different; empty where they were not all read."""
    cleaned_up: bool
    simulated: bool
    detail: str
    phases: tuple[tuple[str, float], ...] = ()
    """What it did, in order, and for how many seconds."""
    undetermined: bool = False
    """It has not passed, and nothing that it has shown says that the backup is at fault."""
    boundary: str = ""
    """asserted or broken, by the canary; empty: not asserted."""
