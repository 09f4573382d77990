"""Point-in-time recovery: its window, its lag, and what changing it costs.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from backcheck.sandbox import tables
from backcheck.sandbox.history import History
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.refusal import Refusal

SHORTEST_DAYS, LONGEST_DAYS = 1, 35
LAG = timedelta(minutes=5)
"""'LatestRestorableDateTime is typically 5 minutes before the current time.'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuous:
    """Point-in-time recovery of one table, since it was last turned on."""

    enabled: datetime
    """Turning it off and on again starts a new history."""
    period_days: int
    floor: datetime
    """Before this nothing is kept: a shorter period has dropped it, and a longer one does not bring it back."""

    def earliest(self, now: datetime) -> datetime:
        """The start of the window."""
        return max(self.enabled, self.floor, now - timedelta(days=self.period_days))

    def latest(self, now: datetime, *, lag: timedelta) -> datetime:
        """The end of the window."""
        return max(self.enabled, now - LAG - lag)

    def changed(self, period_days: int, now: datetime) -> Continuous:
        """With another period; what the old one had dropped stays dropped."""
        return Continuous(enabled=self.enabled, period_days=period_days, floor=self.earliest(now))


@operation("dynamodb", "UpdateContinuousBackups")
def update(call: Call) -> Reply:
    """Turn it on, off, or change the period: 1 to 35 days, 35 by default."""
    table, table_id = _table_of(call)
    specification = call.params["PointInTimeRecoverySpecification"]
    known, now = call.region.continuous.get(table_id), call.now
    if not specification["PointInTimeRecoveryEnabled"]:
        call.region.continuous.pop(table_id, None)
        call.region.histories.pop(table_id, None)
    else:
        days = specification.get("RecoveryPeriodInDays", known.period_days if known else LONGEST_DAYS)
        if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
            raise Refusal("ValidationException", f"RecoveryPeriodInDays must be {SHORTEST_DAYS} to {LONGEST_DAYS}")
        fresh = Continuous(enabled=now, period_days=days, floor=now)
        call.region.continuous[table_id] = known.changed(days, now) if known else fresh
        if known is None:
            call.region.histories[table_id] = History(table)
    # moto's own restore and export look here.
    described = _described(call, table_id)
    table.continuous_backups = described
    return {"ContinuousBackupsDescription": described}


@operation("dynamodb", "DescribeContinuousBackups")
def describe(call: Call) -> Reply:
    """ContinuousBackupsStatus is always ENABLED; PointInTimeRecoveryStatus is what tells."""
    _, table_id = _table_of(call)
    return {"ContinuousBackupsDescription": _described(call, table_id)}


def _table_of(call: Call) -> tuple[Any, str]:
    name = call.params["TableName"].split("/")[-1]
    table = dynamodb_backends[call.region.account][call.region.name].tables.get(name)
    if table is None:
        raise Refusal("TableNotFoundException", f"Table not found: {name}")
    return table, tables.table_id(table)


def _described(call: Call, table_id: str) -> dict[str, Any]:
    known, now = call.region.continuous.get(table_id), call.now
    if known is None:
        recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
    else:
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": known.period_days,
            "EarliestRestorableDateTime": known.earliest(now),
            "LatestRestorableDateTime": known.latest(now, lag=call.world.faults.pitr_lag),
        }
    return {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}
