"""`backcheck diff`: what changed between two runs."""

from __future__ import annotations

from pathlib import Path

import click

from backcheck.commands.options import FILE
from backcheck.difference import Change, compare, read
from backcheck.evidence.changes import told
from backcheck.finding import Status


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
def command(before: Path, after: Path) -> int:
    """Compare two findings.json: 0 nothing got worse, 1 a new FAIL or one for more, 2 a new UNKNOWN."""
    changes = compare(read(before), read(after))
    for change in changes:
        click.echo(_line(change))
    worse = [change for change in changes if change.worse]
    better = sum(change.better for change in changes)
    click.echo(f"{len(worse)} worse, {better} better, {len(changes) - len(worse) - better} otherwise changed")
    if any(change.after is Status.FAIL for change in worse):
        return 1
    return 2 if worse else 0


def _line(change: Change) -> str:
    word = "worse " if change.worse else "better" if change.better else "       "[:6]
    return f"{word} {told(change)}"
