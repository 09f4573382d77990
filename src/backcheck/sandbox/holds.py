"""Legal holds: what they keep from being deleted.

https://docs.aws.amazon.com/aws-backup/latest/devguide/legalhold.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import page, shown
from backcheck.sandbox.refusal import limit_exceeded, not_found
from backcheck.sandbox.tagging import set_tags
from backcheck.sandbox.world import Region

if TYPE_CHECKING:
    from backcheck.sandbox.points import RecoveryPoint

MAX_HOLDS = 50
"""Legal holds per account (aws-backup-limits)."""


@dataclass(slots=True, kw_only=True)
class LegalHold:
    """A hold on the recovery points that its selection names."""

    id: str
    arn: str
    title: str
    description: str
    created: datetime
    cancelled: datetime | None = None
    selection: dict[str, Any]


def holding(region: Region, point: RecoveryPoint) -> str | None:
    """The id of a hold that keeps this point; None if nothing does."""
    for hold in region.holds.values():
        if hold.cancelled is None and _selects(hold.selection, point):
            return hold.id
    return None


@operation("backup", "CreateLegalHold")
def create_hold(call: Call) -> Reply:
    """Hold what the selection names; without one, everything."""
    if len(call.region.holds) >= MAX_HOLDS:
        limit_exceeded(f"The account has {MAX_HOLDS} legal holds")
    hold_id = call.world.new_id()
    hold = LegalHold(
        id=hold_id,
        arn=call.region.arn("backup", f"legal-hold:{hold_id}"),
        title=call.params["Title"],
        description=call.params["Description"],
        created=call.now,
        selection=call.params.get("RecoveryPointSelection") or {},
    )
    set_tags(call.region, hold.arn, call.params.get("Tags"))
    call.region.holds[hold_id] = hold
    return shown({**_row(hold), "RecoveryPointSelection": hold.selection or None})


@operation("backup", "GetLegalHold")
def get_hold(call: Call) -> Reply:
    """One hold."""
    hold = _hold_of(call)
    return shown({**_row(hold), "RecoveryPointSelection": hold.selection or None})


@operation("backup", "ListLegalHolds")
def list_holds(call: Call) -> Reply:
    """Every hold, cancelled ones included."""
    return page(call, "LegalHolds", [_row(hold) for hold in call.region.holds.values()])


@operation("backup", "CancelLegalHold")
def cancel_hold(call: Call) -> Reply:
    """Release what it held."""
    _hold_of(call).cancelled = call.now
    return {}


def _hold_of(call: Call) -> LegalHold:
    hold = call.region.holds.get(call.params["LegalHoldId"])
    if hold is None:
        not_found(f"Legal hold {call.params['LegalHoldId']} not found")
    return hold


def _selects(selection: dict[str, Any], point: RecoveryPoint) -> bool:
    vaults, resources = selection.get("VaultNames"), selection.get("ResourceIdentifiers")
    period = selection.get("DateRange")
    if period and not _utc(period["FromDate"]) <= point.created <= _utc(period["ToDate"]):
        return False
    if not vaults and not resources:
        return True
    return point.vault_name in (vaults or ()) or point.resource_arn in (resources or ())


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _row(hold: LegalHold) -> dict[str, Any]:
    return {
        "Title": hold.title,
        "Status": "CANCELED" if hold.cancelled else "ACTIVE",
        "Description": hold.description,
        "LegalHoldId": hold.id,
        "LegalHoldArn": hold.arn,
        "CreationDate": hold.created,
        "CancellationDate": hold.cancelled,
    }
