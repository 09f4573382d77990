"""`backcheck reconcile`: bring lost items back after an incident, and touch nothing that came since."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backcheck.commands.options import FILE, policy_option
from backcheck.errors import UsageError

if TYPE_CHECKING:
    from backcheck.reconcile.classify import Window

_endpoint = click.option("--endpoint-url", metavar="URL", help="An emulator's endpoint; AWS itself if not given.")
_profile = click.option("--profile", metavar="NAME", help="The AWS profile to use.")


@click.group("reconcile")
def command() -> None:
    """Bring lost items back after an incident, and touch nothing that came since."""


def _moment(_: click.Context, __: click.Parameter, written: str | None) -> datetime | None:
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise click.BadParameter(f"{written!r} is not a time, such as 2026-11-22T12:00:00Z") from error
    if moment.tzinfo is None:
        raise click.BadParameter(f"{written!r} has no zone: write 2026-11-22T12:00:00Z")
    return moment.astimezone(UTC)


@command.command("plan")
@click.option("--restored", required=True, metavar="TABLE", help="Restored to the moment before the bad deployment.")
@click.option("--live", required=True, metavar="TABLE", help="The table that is in use.")
@click.option("--bad-from", metavar="TIME", callback=_moment, help="When the deployment began to write.")
@click.option("--bad-until", metavar="TIME", callback=_moment, help="The first moment when it no longer wrote.")
@click.option("--keys", type=FILE, help='What it wrote, one key a line: {"id": {"S": "p-1"}}; all else is legitimate.')
@click.option(
    "--export",
    "exports",
    multiple=True,
    metavar="DIR_OR_S3_URL",
    help="Incremental, with both images, of the bad window; more, of the time since, may follow.",
)
@click.option("--unfiltered", is_flag=True, help="Your word that the exports have no filter.")
@click.option("--show-keys", is_flag=True, help="Write keys into the plan, not only their digests.")
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Processes that read.")
@click.option("--region", help="AWS Region.")
@_endpoint
@_profile
@click.option("--out", required=True, type=FILE, help="Where the plan goes.")
def plan_command(
    restored: str,
    live: str,
    bad_from: datetime | None,
    bad_until: datetime | None,
    keys: Path | None,
    exports: tuple[str, ...],
    unfiltered: bool,
    show_keys: bool,
    processes: int,
    region: str | None,
    endpoint_url: str | None,
    profile: str | None,
    out: Path,
) -> int:
    """Tell what was lost or damaged from what was written since. Changes nothing.

    \b
    Exit codes:
      0  every item that differs has a decision
      2  some need one: edit their `decision` in the plan, to restore or keep
    """
    from backcheck.manifest.scan import Connection
    from backcheck.reconcile import ledger, report
    from backcheck.reconcile.build import Request, build
    from backcheck.reconcile.document import render

    _refuse_existing(out, ledger.beside(out))
    request = Request(
        restored=restored,
        live=live,
        bad=_window(bad_from, bad_until, keys),
        keys=keys,
        exports=exports,
        unfiltered=unfiltered,
        show_keys=show_keys,
        processes=processes,
        profile=profile,
    )
    connection = Connection(region=region, profile=profile, endpoint_url=endpoint_url)
    plan = build(connection, request, datetime.now(UTC))
    try:
        out.write_bytes(render(plan))
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(out)) from error
    click.echo(report.plan_text(plan, str(out)))
    return 2 if plan.undecided else 0


def _window(start: datetime | None, end: datetime | None, keys: Path | None) -> Window | None:
    from backcheck.reconcile.classify import Window

    if (start is None) != (end is None):
        raise UsageError("--bad-from and --bad-until belong together")
    if start is None or end is None:
        if keys is None:
            raise UsageError("nothing says what the deployment wrote", hint="--bad-from with --bad-until, or --keys")
        return None
    if start >= end:
        raise UsageError("--bad-until is not after --bad-from")
    return Window(start=start, end=end)


def _refuse_existing(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise UsageError("exists already: a plan, once applied, is a record", where=str(path), hint="another --out")


@command.command("apply")
@click.argument("plan_file", metavar="PLAN", type=FILE)
@policy_option
@click.option("--allow-destructive", is_flag=True, help="Write to the live table.")
@_endpoint
@_profile
@click.option("--role-arn", metavar="ARN", help="The role to assume in the policy's first account.")
def apply_command(
    plan_file: Path,
    policy: Path,
    allow_destructive: bool,
    endpoint_url: str | None,
    profile: str | None,
    role_arn: str | None,
) -> int:
    """Write back what PLAN decides to restore, and nothing over what is newer than the plan.

    Killed or failed, run it again: it goes on where it stopped, by the ledger beside PLAN.

    \b
    Exit codes:
      0  every item that was to be restored is, and every other one has a decision
      2  some were skipped, or still need a decision
    """
    from backcheck.drill.reach import Reach
    from backcheck.inventory.collect.connect import Kind, targets
    from backcheck.policy.load import load
    from backcheck.reconcile import document, ledger, report
    from backcheck.reconcile.apply import apply

    loaded = load(policy)
    plan = document.read(plan_file)
    if not allow_destructive:
        raise UsageError("applying a plan writes to the live table: nothing was begun", hint="--allow-destructive")
    region, account = plan.live.arn.split(":")[3:5]
    kind = Kind.LIVE if endpoint_url is None else Kind.ENDPOINT
    found = targets(loaded.accounts, kind=kind, profile=profile, role_arn=role_arn, endpoint_url=endpoint_url)
    reach = Reach(found)
    reach.client("dynamodb", account, region)
    reach.check_callers([(account, region)])
    with ledger.opened(ledger.beside(plan_file), plan.id) as book:
        tally = apply(plan, reach.connection(account, region), book)
    click.echo(report.tally_text(plan, tally))
    return 0 if tally.complete else 2
