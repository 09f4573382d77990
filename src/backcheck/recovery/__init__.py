"""What a table can be brought back from right now, for 3 a.m.: read from the inventory and the drills alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from backcheck.controls.control import World
from backcheck.drill.record import DrillRecord
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory
from backcheck.policy.model import Policy
from backcheck.recovery.afterwards import afterwards
from backcheck.recovery.measured import expected, measured
from backcheck.recovery.table import Lost, Sought, find
from backcheck.recovery.ways import Way, by_pitr, by_points

__all__ = ("Lost", "Recovery", "Way", "recovery")

EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Every way back of one table, the newest state first; then those whose key cannot be used.

    What is off or not known comes last.
    """

    table: Sought
    ways: tuple[Way, ...]
    expected: tuple[str, ...]
    """For each way, how long it took in the last drill of its method; empty where it does not exist."""
    measured: tuple[str, ...]
    """What each drill of this table has shown last, by method; says so where there was none."""
    afterwards: tuple[str, ...]
    """What a restore does not bring back, and the command where the inventory knows it."""
    notes: tuple[str, ...] = ()
    """What is to be said of the question before any way."""


def recovery(
    name: str,
    policy: Policy,
    inventory: Inventory,
    drills: Sequence[DrillRecord] | Gap = (),
    at: datetime | None = None,
) -> Recovery:
    """The ways back of a table by name or ARN, to `at` or the latest state. Raises UsageError where it is unknown."""
    table = find(name, inventory)
    at = at.astimezone(UTC) if at else None
    moment = at or inventory.taken_at
    world = World(policy=policy, now=inventory.taken_at, inventory=inventory)
    found = [by_pitr(table, moment, inventory, world, wanted=at), *by_points(table, inventory, world, moment)]
    found.sort(key=_rank, reverse=True)
    return Recovery(
        table=table,
        ways=tuple(found),
        expected=tuple(expected(way.method, table.arn, drills) if way.command else "" for way in found),
        measured=tuple(measured(table.arn, drills)),
        afterwards=tuple(afterwards(table, inventory)),
        notes=(_of_the_future(at, inventory.taken_at),) if at and at > inventory.taken_at else (),
    )


def _rank(way: Way) -> tuple[bool, bool, datetime, bool]:
    """What exists, and what works, before what does not; the newer state first; of one state, a key that was read."""
    return way.moment is not None, way.works, way.moment or EARLIEST, way.key_usable is True


def _of_the_future(at: datetime, now: datetime) -> str:
    return (
        f"{at:%Y-%m-%d %H:%M:%S} UTC is in the future of this inventory, which was taken at {now:%Y-%m-%d %H:%M:%S} "
        "UTC: what came after that is not in it"
    )
