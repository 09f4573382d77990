"""`backcheck snapshot`: read an account and write its inventory, nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from backcheck.accounts import take
from backcheck.commands.options import FILE, account_options, choice_of, policy_option
from backcheck.commands.progress import progress
from backcheck.commands.written import refuse_the_policy
from backcheck.errors import UsageError
from backcheck.policy.load import load


@click.command()
@policy_option
@account_options
@click.option("--out", required=True, type=FILE, help="Where the snapshot goes, such as snapshot.json.gz.")
def command(policy: Path, out: Path, **account: Any) -> int:
    """Read an account and write its inventory.

    Exit code 2: something of it could not be read, and is named.
    """
    refuse_the_policy(out, policy)
    choice = choice_of(**account)
    if choice.snapshot is not None:
        raise UsageError(
            "a snapshot of a snapshot is a copy", hint="name an account: --live, --endpoint-url, --sandbox"
        )
    with progress(sys.stderr) as told:
        taken = take(choice, load(policy), told)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(taken.data)
    inventory = taken.inventory
    calls = sum(record.calls for record in inventory.calls)
    click.echo(f"{out}: {len(list(inventory.tables()))} tables, {calls} requests, {len(inventory.gaps)} not answered")
    click.echo(f"sha256 {taken.sha256}")
    for gap in inventory.gaps:
        click.echo(f"backcheck: not read: {gap}", err=True)
    return 2 if inventory.gaps else 0
