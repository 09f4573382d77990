"""The table that is to come back: as it is, or known from its recovery points alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.errors import UsageError
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A table that the inventory does not have, known from its recovery points alone."""

    arn: str
    name: str
    region: str


Sought = Table | Lost


def find(name: str, inventory: Inventory) -> Sought:
    """The table by name or ARN. Raises UsageError where there is none, or several."""
    found: list[Sought] = [table for table in inventory.tables() if name in (table.name, table.arn)]
    found = found or [lost for lost in _lost(inventory) if name in (lost.name, lost.arn)]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(table.arn for table in found)
        raise UsageError(f"{name} is the name of {len(found)} tables", hint=f"name one by its ARN: {places}")
    unread = "".join(f"; not read: {gap}" for gap in inventory.gaps[:3])
    known = ", ".join(sorted(table.name for table in inventory.tables())[:8]) or "none"
    raise UsageError(f"the inventory has no table {name}, and no recovery point of one{unread}", hint=f"it has {known}")


def restored_name(table: Sought, region: str, inventory: Inventory) -> str:
    """A name that is free there: no restore writes over a table (API_RestoreTableToPointInTime, restoring-dynamodb)."""
    taken = {
        name
        for one in inventory.regions()
        if one.region == region and not isinstance(one.table_names, Gap)
        for name in one.table_names
    }
    names = (f"{table.name[:240]}-restored{suffix}" for suffix in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if name not in taken)


def _lost(inventory: Inventory) -> Iterator[Lost]:
    arns = {point.resource_arn for point in inventory.recovery_points() if ":table/" in point.resource_arn}
    for arn in sorted(arns):
        yield Lost(arn=arn, name=arn.rpartition("/")[2], region=arn.split(":")[3])
