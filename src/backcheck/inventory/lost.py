"""Recovery points that an earlier snapshot had and a later one has not, though they were to be kept. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from backcheck.inventory.backup import RecoveryPoint, Vault
from backcheck.inventory.gap import Gap, known
from backcheck.inventory.model import Inventory


def lost_points(before: Inventory, after: Inventory) -> Iterator[RecoveryPoint | str]:
    """Each usable point that is gone before its retention ended; a vault that could not be looked at again, in words.

    A point that is younger than the later snapshot is not looked for.
    """
    for vault, points in _held(before):
        there = _arns(vault, after)
        if there is None:
            if points:
                yield f"vault {vault.arn} held {len(points)} recovery points, and was not read again"
            continue
        for point in points:
            end = kept_until(point)
            due = end is None or end > after.taken_at
            if due and point.arn not in there and point.usable and point.created <= after.taken_at:
                yield point


def kept_until(point: RecoveryPoint) -> datetime | None:
    """When AWS deletes a point; None: never."""
    if point.delete_at is not None or point.delete_after_days is None:
        return point.delete_at
    return point.created + timedelta(days=point.delete_after_days)


def _held(inventory: Inventory) -> Iterator[tuple[Vault, tuple[RecoveryPoint, ...]]]:
    for region in inventory.regions():
        for vault in known(region.vaults) or ():
            yield vault, known(vault.recovery_points) or ()


def _arns(vault: Vault, after: Inventory) -> frozenset[str] | None:
    """What a vault holds in a later snapshot: nothing where it is gone itself; None where nobody could look."""
    region = after.region(vault.account, vault.region)
    if region is None or isinstance(region.vaults, Gap):
        return None
    found = next((one for one in region.vaults if one.arn == vault.arn), None)
    if found is None:
        return frozenset()
    return None if isinstance(found.recovery_points, Gap) else frozenset(p.arn for p in found.recovery_points)
