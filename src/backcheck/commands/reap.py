"""`backcheck reap`: remove what dead drills left behind, by their ledgers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from backcheck.commands.options import FOLDER, account_options, choice_of, policy_option
from backcheck.errors import Error, UsageError
from backcheck.policy.load import load


@click.command()
@policy_option
@account_options
@click.option(
    "--poll", type=click.FloatRange(0.01), default=5.0, show_default=True, help="First pause of a wait, in s."
)
@click.option("--give-up-after", type=click.FloatRange(1), default=120.0, show_default=True, help="Minutes for a wait.")
@click.option("--allow-destructive", is_flag=True, help="Delete those tables.")
@click.option("--out", required=True, type=FOLDER, help="The folder that drills were given: their ledgers are in it.")
def command(policy: Path, poll: float, give_up_after: float, allow_destructive: bool, out: Path, **account: Any) -> int:
    """Remove the tables that dead drills left behind.

    Only what a ledger in --out names, and only where the table's name, its tag and AWS's record of the restore say the
    same. A drill that is under way is left alone.
    """
    from backcheck.drill import history
    from backcheck.drill.ledger import FOLDER as LEDGERS
    from backcheck.drill.opening import opened
    from backcheck.drill.reach import Patience, Reach
    from backcheck.drill.reap import reap

    choice = choice_of(**account)
    if not allow_destructive:
        raise UsageError("reaping deletes tables: nothing was begun", hint="add --allow-destructive")
    loaded = load(policy)
    _check_ledgers(out, out / LEDGERS)
    limit = timedelta(minutes=give_up_after)
    patience = Patience(first_seconds=poll, longest_seconds=max(poll, 60.0), limit=limit)
    left = False
    with opened(choice, loaded) as account_opened:
        reach, clock, drills = Reach(account_opened.acting), account_opened.clock, out / history.FILE
        found = list(reap(out / LEDGERS, reach, clock, patience, limit=limit, drills=drills))
    for one in found:
        left |= not one.done
        click.echo(f"{'done' if one.done else 'NOT DONE'}: {one.what}: {one.text}")
    if not found:
        click.echo("nothing to reap: no ledger names a table that is not known to be gone")
    return 2 if left else 0


def _check_ledgers(out: Path, ledgers: Path) -> None:
    """Raise UsageError where there is no such folder, Error where no drill was given it: that is not 'all is gone'."""
    if not out.is_dir():
        raise UsageError("there is no such folder", where=str(out), hint="name the --out of the drill")
    if not any(ledgers.glob("*.jsonl")):
        raise Error(f"no ledger in {out}: is this the --out of the drill?", hint=f"its ledgers are in {ledgers}")
