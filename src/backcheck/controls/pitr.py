"""Tables whose point-in-time recovery is on, as the PIT controls after the first one see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls.control import World, not_applicable, unread
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import PitrStatus, Table
from backcheck.policy.model import Pitr

HOWITWORKS = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html"
DESCRIBE = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PointInTimeRecoveryDescription.html"

DEFAULT_WINDOW_DAYS = 35
"""What holds where a template states no RecoveryPeriodInDays (botocore, PointInTimeRecoverySpecification)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoverable:
    """A table with recovery on, and what the policy promises for it."""

    table: Table
    status: PitrStatus
    promised: Pitr
    tier: None = None

    @property
    def resource(self) -> str:
        """The table's ARN."""
        return self.table.arn

    @property
    def window_days(self) -> int:
        """The shorter of the promised window and the one that is set."""
        return min(self.promised.window_days, self.status.window_days or self.promised.window_days)


def recoverable_tables(world: World) -> Iterator[Recoverable | Verdict]:
    """Tables in scope with recovery on. Where it is off, PIT-01 fails that."""
    for subject in tables_in_scope(world):
        yield subject if isinstance(subject, Verdict) else _recoverable(subject, world)


def _recoverable(subject: ScopedTable, world: World) -> Recoverable | Verdict:
    promised, status = world.policy.pitr_of(subject.scope), subject.table.pitr
    if not promised.enabled:
        return not_applicable("the policy does not ask for point-in-time recovery here", resource=subject.resource)
    if isinstance(status, Gap):
        return unread(status, resource=subject.resource)
    if not status.enabled:
        return not_applicable("point-in-time recovery is off: see PIT-01", resource=subject.resource)
    return Recoverable(table=subject.table, status=status, promised=promised)
