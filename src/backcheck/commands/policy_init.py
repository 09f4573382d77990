"""`backcheck policy init`: today's set-up, written down as a policy, with what is wrong in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from backcheck import draft
from backcheck.accounts import Choice, opened
from backcheck.commands.moment import parse_moment
from backcheck.commands.options import FILE
from backcheck.commands.progress import progress
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.draft.access import undenied
from backcheck.draft.text import text
from backcheck.errors import PolicyError, UsageError
from backcheck.evaluate import evaluate
from backcheck.inventory import snapshot
from backcheck.inventory.model import Inventory
from backcheck.policy.load import load
from backcheck.policy.model import Policy
from backcheck.policy.render_yaml import write_yaml

_PLACED = re.compile(r"@(?:[^@/]+/)?([a-z]{2}(?:-[a-z]+)+-[0-9])$")
EVERYTHING = "*"
TEMPLATES_ACCOUNT, TEMPLATES_REGION = "123456789012", "us-east-1"
"""Where templates go that do not say it."""


@click.command("init")
@click.option("--from-account", is_flag=True, help="Read an account: with --live, --endpoint-url or --sandbox.")
@click.option(
    "--from-template", "templates", multiple=True, metavar="[NAME=]TEMPLATE[@REGION]", help="May be repeated."
)
@click.option("--from-snapshot", "taken", type=FILE, help="An account, as `backcheck snapshot` wrote it.")
@click.option("--parameter", "pairs", multiple=True, metavar="[STACK.]K=V", help="A parameter of the templates.")
@click.option("--name", default="draft", show_default=True, help="The policy's name.")
@click.option("--owner", default="owner@example.com", show_default=True, help="Who answers for it.")
@click.option("--account", help="The account's twelve digits; asked of AWS without it.")
@click.option(
    "--region",
    "regions",
    metavar="REGION",
    multiple=True,
    help="Where to look, besides where copies go; may be repeated. Of templates: where those without @REGION go.",
)
@click.option("--live", is_flag=True, help="AWS itself.")
@click.option("--endpoint-url", metavar="URL", help="What answers there, such as an emulator.")
@click.option("--sandbox", metavar="SCENARIO", help="The embedded account of a scenario, by file or name.")
@click.option("--profile", metavar="NAME", help="The AWS profile to use.")
@click.option("--role-arn", metavar="ARN", help="The role to assume in the account.")
@click.option("--at", callback=parse_moment, metavar="TIME", help="Judge as of this time; now without it.")
@click.pass_context
def command(
    context: click.Context,
    from_account: bool,
    templates: tuple[str, ...],
    taken: Path | None,
    pairs: tuple[str, ...],
    name: str,
    owner: str,
    account: str | None,
    regions: tuple[str, ...],
    live: bool,
    endpoint_url: str | None,
    sandbox: str | None,
    profile: str | None,
    role_arn: str | None,
    at: datetime,
) -> int:
    """Write today's set-up down as a policy, on standard output: what is there, and above it what is wrong with that.

    Each guess is marked with `decide:`. An account is only read. Exit code 2: something of it could not be read.
    """
    if [from_account, bool(templates), taken is not None].count(True) != 1:
        raise UsageError(
            "name either an account, templates or one snapshot",
            hint="--from-account --live, --from-template T, or --from-snapshot FILE",
        )
    choice = Choice(
        live=live, endpoint_url=endpoint_url, sandbox=sandbox, profile=profile, role_arn=role_arn, regions=regions
    )
    if not from_account and choice != Choice(regions=regions):
        raise UsageError("no account is read here", hint="say --from-account, or leave out what names one")
    if from_account:
        inventory = _from_account(choice, account, name, owner)
    elif taken:
        inventory = snapshot.read(taken)
    else:
        inventory = _from_templates(templates, pairs, account, regions, at)
    now = at if context.get_parameter_source("at") is click.core.ParameterSource.COMMANDLINE else inventory.taken_at
    source = str(taken) if taken else ", ".join(templates) or f"account {inventory.accounts[0].id}"
    return _written(inventory, now, source, name, owner)


def _written(inventory: Inventory, now: datetime, source: str, name: str, owner: str) -> int:
    drafted, world = written_down(inventory, now, name=name, owner=owner)
    click.echo(text(drafted, evaluate(world, CONTROLS), inventory.gaps, source), nl=False)
    for gap in inventory.gaps:
        click.echo(f"backcheck: not read: {gap}", err=True)
    return 2 if inventory.gaps else 0


def written_down(inventory: Inventory, now: datetime, *, name: str, owner: str) -> tuple[draft.Draft, World]:
    """The draft, and what there is to judge with it. Raises UsageError or Error where there is nothing to write of."""
    drafted = draft.draft(inventory, _loaded, name=name, owner=owner, year=now.year)
    drafted = draft.without_denial(drafted, undenied(_world(drafted, inventory, now)))
    return drafted, _world(drafted, inventory, now)


def _world(drafted: draft.Draft, inventory: Inventory, now: datetime) -> World:
    return World(policy=_loaded(drafted.document), now=now, inventory=inventory)


def _from_account(choice: Choice, account: str | None, name: str, owner: str) -> Inventory:
    """Read twice: every table and plan first, then what an audit of the policy that these make would read."""
    choice.check()
    with progress(sys.stderr) as told, opened(choice, told) as there:
        home = None if choice.regions else there.home()
        regions = choice.regions or ((home,) if home else ())
        if not regions:
            raise UsageError("nothing says which Region to look at", hint="--region, once for each")
        found = there.read(_everything(account or there.identity(), regions))
        drafted = draft.draft(found, _loaded, name=name, owner=owner, year=found.taken_at.year)
        return there.read(_loaded(drafted.document))


def _everything(account: str, regions: Sequence[str]) -> Policy:
    """A policy of every table of the Regions, the first being the primary one."""
    others = sorted({*regions[1:]} - {regions[0]})
    names = {"primary": regions[0]} | {f"other-{at}": name for at, name in enumerate(others)}
    return _loaded(
        {
            "schema": "backcheck/policy/v1",
            "name": "everything",
            "owner": "nobody@example.com",
            "account": account,
            "regions": dict(names),
            "tables": {key: {"pattern": EVERYTHING, "region": key} for key in names},
            "objectives": dict(draft.PLACEHOLDER),
            "tiers": dict(draft.NO_PLAN),
        }
    )


def _from_templates(
    templates: tuple[str, ...], pairs: tuple[str, ...], account: str | None, regions: tuple[str, ...], now: datetime
) -> Inventory:
    from backcheck.gate.deployment import deployed
    from backcheck.gate.stacks import parameters_of, stacks_of
    from backcheck.template.node import TemplateError

    if len(regions) > 1:
        raise UsageError("templates have one Region of their own", hint="--from-template TEMPLATE@REGION for others")
    region = regions[0] if regions else TEMPLATES_REGION
    others = {found[1] for one in templates if (found := _PLACED.search(one))} - {region}
    everything = _everything(account or TEMPLATES_ACCOUNT, (region, *sorted(others)))
    try:
        deployment = deployed(stacks_of(templates, parameters_of(pairs, None), everything), everything, now)
    except TemplateError as error:
        raise UsageError(error.message, where=error.where, hint=error.hint) from error
    for outcome in deployment.outcomes:
        if outcome.refusal:
            at = outcome.refused_at
            where = f"{at.file}:{at.line}" if at else outcome.spec.file
            raise UsageError(f"it would be refused: {outcome.refusal}", where=where, hint="correct the template first")
    return deployment.inventory


def _loaded(document: draft.JsonMap) -> Policy:
    """Through a file, as every policy is loaded."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(write_yaml(document))
        try:
            return load(path)
        except PolicyError as error:  # its file is gone when this is read: what was asked for is to blame
            raise PolicyError("the policy to be written", error.problems) from error
