"""`backcheck diff`: what changed between two runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import click
import orjson

from backcheck.commands.options import FILE
from backcheck.difference import Change, compare, read
from backcheck.evidence.changes import told
from backcheck.evidence.terminal import LISTED, printable
from backcheck.evidence.write import SNAPSHOT
from backcheck.finding import Status
from backcheck.inventory import snapshot
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.lost import kept_until, lost_points
from backcheck.inventory.model import Inventory


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
def command(before: Path, after: Path) -> int:
    """Compare two findings.json: 0 nothing got worse, 1 a new FAIL or one for more, 2 a new UNKNOWN.

    With the snapshots of both runs beside them, recovery points that are gone before their retention ended are worse,
    too, whether or not the policy asks for them.
    """
    changes = compare(read(before), read(after))
    for change in changes:
        click.echo(_line(change))
    lost = _lost(before, after)
    worse = [change for change in changes if change.worse]
    better = sum(change.better for change in changes)
    click.echo(f"{len(worse)} worse, {better} better, {len(changes) - len(worse) - better} otherwise changed")
    if lost or any(change.after is Status.FAIL for change in worse):
        return 1
    return 2 if worse else 0


def _line(change: Change) -> str:
    word = "worse " if change.worse else "better" if change.better else "      "
    return f"{word} {told(change)}"


def _lost(before: Path, after: Path) -> int:
    """Print the recovery points that are gone, and return how many; say so where that cannot be told."""
    earlier, later = _account(before), _account(after)
    for file, account in ((before, earlier), (after, later)):
        if account is None:
            click.echo(f"recovery points were not compared: {SNAPSHOT} beside {file} is not there, or another run's")
    if earlier is None or later is None:
        return 0
    found = list(lost_points(earlier, later))
    gone = sorted((one for one in found if isinstance(one, RecoveryPoint)), key=lambda point: point.created)
    for line in (*_gone(gone), *(f"       {one}" for one in found if isinstance(one, str))):
        click.echo(printable(line))
    return len(gone)


def _gone(points: list[RecoveryPoint]) -> Iterator[str]:
    for point in points[:LISTED]:
        end = kept_until(point)
        kept = f"until {end:%Y-%m-%d}" if end else "for ever"
        yield (
            f"worse  {point.arn} of {point.resource_arn}, made {point.created:%Y-%m-%d %H:%M} UTC, "
            f"is gone from {point.vault_name} in {point.region}: it was to be kept {kept}"
        )
    if points:
        yield f"{len(points)} recovery points are gone before their retention ended"


def _account(findings: Path) -> Inventory | None:
    """The inventory that a run judged, from the snapshot that it left beside its findings."""
    path = findings.with_name(SNAPSHOT)
    match orjson.loads(findings.read_bytes()):
        case {"run": {"snapshot": {"sha256": stated}}} if path.is_file():
            same = hashlib.sha256(path.read_bytes()).hexdigest() == stated
            return snapshot.read(path) if same else None
        case _:
            return None
