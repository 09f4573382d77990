"""`backcheck drill`: restore, verify, clean up. Without --allow-destructive it only shows its plan."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Never

import click

from backcheck.accounts import Choice, take
from backcheck.commands.options import FILE, FOLDER, account_options, choice_of, policy_option
from backcheck.errors import UsageError
from backcheck.policy.load import load
from backcheck.policy.model import Method, Policy

ALL = "all"
METHODS = [*(one.value for one in Method), ALL]


@click.command()
@policy_option
@account_options
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default=ALL,
    show_default=True,
    help="How to restore.",
)
@click.option("--target", metavar="TABLE", help="Only this table, by the policy's key, name or ARN.")
@click.option("--dry-run", is_flag=True, help="Show every resource, tag, role and cost; change nothing.")
@click.option("--allow-destructive", is_flag=True, help="Make tables, and delete those again.")
@click.option("--witness-bucket", metavar="BUCKET", help="Export the source there as of T; else it is scanned twice.")
@click.option(
    "--poll", type=click.FloatRange(0.01), default=5.0, show_default=True, help="First pause of a wait, in s."
)
@click.option("--give-up-after", type=click.FloatRange(1), default=480.0, show_default=True, help="Minutes for a wait.")
@click.option("--inventory-after", type=FILE, help="Of a sandbox, which ends with the command: its account afterwards.")
@click.option("--out", type=FOLDER, help="Where the history drills.jsonl, the ledger and the evidence go.")
def command(
    policy: Path,
    method: str,
    target: str | None,
    dry_run: bool,
    allow_destructive: bool,
    witness_bucket: str | None,
    poll: float,
    give_up_after: float,
    inventory_after: Path | None,
    out: Path | None,
    **account: Any,
) -> int:
    """Restore what the policy wants drilled, prove that it is the same, and clean up."""
    choice = choice_of(**account)
    loaded = load(policy)
    wanted = {
        "methods": () if method == ALL else (Method(method),),
        "target": target,
        "witness_bucket": witness_bucket,
    }
    if dry_run:
        return _dry_run(loaded, choice, wanted)
    if not allow_destructive:
        raise UsageError(
            "a drill makes tables and deletes them again: nothing was begun", hint="--dry-run, or --allow-destructive"
        )
    if out is None:
        raise UsageError("a drill needs a place for its ledger and history", hint="--out DIR")
    if inventory_after is not None and choice.sandbox is None:
        raise UsageError("--inventory-after is for a sandbox", hint="backcheck snapshot reads any other account")
    from backcheck.drill.reach import Patience

    patience = Patience(first_seconds=poll, longest_seconds=max(poll, 60.0), limit=timedelta(minutes=give_up_after))
    with _terminated_in_order():
        return _drill(loaded, choice, wanted, patience, out, inventory_after)


@contextmanager
def _terminated_in_order() -> Iterator[None]:
    """SIGTERM, which a build out of time is sent, cleans up as Ctrl-C does. A second one does not disturb that."""

    def interrupt(number: int, frame: FrameType | None) -> Never:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _dry_run(policy: Policy, choice: Choice, wanted: dict[str, Any]) -> int:
    from backcheck.drill.plan import plan
    from backcheck.drill.report import plan_text

    inventory = take(choice, policy).inventory
    made = plan(policy, inventory, now=inventory.taken_at, suffix=secrets.token_hex(3), **wanted)
    click.echo("\n".join(plan_text(made)))
    if made.too_dear or any(one.known for one in made.obstacles):
        return 1
    return 2 if made.obstacles else 0


def _drill(
    policy: Policy, choice: Choice, wanted: dict[str, Any], patience: Any, out: Path, inventory_after: Path | None
) -> int:
    from backcheck.drill.opening import opened
    from backcheck.drill.session import perform
    from backcheck.evidence import terminal

    with opened(choice, policy) as account:
        done = perform(policy, account, wanted, patience, out, regions=choice.regions, tell=_tell)
        if inventory_after is not None:
            inventory_after.parent.mkdir(parents=True, exist_ok=True)
            inventory_after.write_bytes(done.snapshot_after(policy, account))
    for line in terminal.summary(done.run, done.folder, done.run.summary.exit_code):
        click.echo(line)
    return done.run.summary.exit_code


def _tell(text: str) -> None:
    click.echo(text, err=True)
