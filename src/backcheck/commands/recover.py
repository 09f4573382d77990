"""`backcheck recover`: what a table can be brought back from right now. Reads, and restores nothing."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from backcheck.accounts import moment, take
from backcheck.commands.options import FILE, account_options, choice_of, policy_option
from backcheck.commands.progress import progress
from backcheck.drill import history
from backcheck.policy.load import load
from backcheck.recovery import Recovery, recovery


@click.command()
@click.argument("table")
@policy_option
@account_options
@click.option("--at", metavar="TIME", help="The moment to go back to; the latest state by default.")
@click.option("--drills", type=FILE, help="The drill history, DIR/drills.jsonl of `backcheck drill --out DIR`.")
def command(table: str, policy: Path, at: str | None, drills: Path | None, **account: Any) -> int:
    """Show the ways back of a TABLE, by name or ARN: the newest state first, how long it took in a drill, and how.

    Exit code 2: no way works.
    """
    loaded = load(policy)
    with progress(sys.stderr) as told:
        taken = take(choice_of(**account), loaded, told)
    records = history.read(drills) if drills else ()
    found = recovery(table, loaded, taken.inventory, records, at=moment(at))
    if any(one.simulated for one in taken.inventory.accounts):
        click.echo("SIMULATED: this account is an emulator")
    _tell(found, taken.inventory.taken_at)
    if drills is None:
        click.echo("  (no drill history was named: --drills DIR/drills.jsonl)")
    return 0 if any(way.works for way in found.ways) else 2


def _tell(found: Recovery, now: datetime) -> None:
    click.echo(f"{found.table.arn}, as of {now:%Y-%m-%d %H:%M:%S} UTC")
    for note in found.notes:
        click.echo(f"NOTE: {note}")
    for number, (way, expected) in enumerate(zip(found.ways, found.expected, strict=True), start=1):
        head = f"{way.moment:%Y-%m-%d %H:%M:%S} UTC" if way.moment else "-"
        click.echo(f"\n{number}. {way.name}: {head}\n   {way.says}")
        if way.command:
            click.echo(f"   takes: {expected}\n   run:   {way.command}\n   then:  {way.then}")
    click.echo("\nafter any restore")
    for line in found.afterwards:
        click.echo(f"  {line}")
    click.echo("\nlast drills")
    for line in found.measured:
        click.echo(f"  {line}")
