"""`backcheck policy init`: today's set-up, written down as a policy, with what is wrong in it."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from backcheck import draft
from backcheck.commands.moment import parse_moment
from backcheck.commands.options import FILE
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.draft_roles import drafted_roles
from backcheck.errors import UsageError
from backcheck.evaluate import evaluate
from backcheck.finding import Finding
from backcheck.inventory import snapshot
from backcheck.inventory.model import Inventory
from backcheck.policy.load import load
from backcheck.policy.model import Policy
from backcheck.policy.render_yaml import write_yaml

_PLACED = re.compile(r"@(?:[^@/]+/)?([a-z]{2}(?:-[a-z]+)+-[0-9])$")
EVERYTHING = "*"


@click.command("init")
@click.option(
    "--from-template", "templates", multiple=True, metavar="[NAME=]TEMPLATE[@REGION]", help="May be repeated."
)
@click.option("--from-snapshot", "taken", type=FILE, help="An account, as `backcheck snapshot` wrote it.")
@click.option("--parameter", "pairs", multiple=True, metavar="[STACK.]K=V", help="A parameter of the templates.")
@click.option("--name", default="draft", show_default=True, help="The policy's name.")
@click.option("--owner", default="owner@example.com", show_default=True, help="Who answers for it.")
@click.option("--account", default="123456789012", show_default=True, help="The account that templates are for.")
@click.option("--region", default="us-east-1", show_default=True, help="Where templates without @REGION go.")
@click.option("--at", callback=parse_moment, metavar="TIME", help="Judge as of this time; now without it.")
def command(
    templates: tuple[str, ...],
    taken: Path | None,
    pairs: tuple[str, ...],
    name: str,
    owner: str,
    account: str,
    region: str,
    at: datetime,
) -> int:
    """Write today's set-up down as a policy, on standard output: what is there, and above it what is wrong with that.

    An account is read with `backcheck snapshot` first, since that says what could not be read.
    """
    if bool(templates) == (taken is not None):
        raise UsageError("name either templates or one snapshot", hint="--from-template T, or --from-snapshot FILE")
    inventory = snapshot.read(taken) if taken else _from_templates(templates, pairs, account, region, at)
    source = str(taken) if taken else ", ".join(templates)
    document = draft.draft(inventory, name=name, owner=owner)
    policy = _loaded(document)
    world = World(policy=policy, now=at, inventory=inventory)
    click.echo(draft.text(document, _wrong(world), source, to_fill_in=drafted_roles(inventory).open), nl=False)
    return 0


def _wrong(world: World) -> tuple[Finding, ...]:
    return evaluate(world, CONTROLS)


def _from_templates(
    templates: tuple[str, ...], pairs: tuple[str, ...], account: str, region: str, now: datetime
) -> Inventory:
    from backcheck.gate.deployment import deployed
    from backcheck.gate.stacks import parameters_of, stacks_of
    from backcheck.template.node import TemplateError

    others = {found[1] for one in templates if (found := _PLACED.search(one))} - {region}
    names = {"primary": region, **{f"other-{index}": name for index, name in enumerate(sorted(others))}}
    everything = _loaded(
        {
            "schema": "backcheck/policy/v1",
            "name": "everything",
            "owner": "nobody@example.com",
            "account": account,
            "regions": dict(names),
            "tables": {key: {"pattern": EVERYTHING, "region": key} for key in names},
            "objectives": {"rpo_hours": 24, "rto_hours": 4},
            "tiers": dict(draft.NO_PLAN),
        }
    )
    try:
        deployment = deployed(stacks_of(templates, parameters_of(pairs, None), everything), everything, now)
    except TemplateError as error:
        raise UsageError(error.message, where=error.where, hint=error.hint) from error
    for outcome in deployment.outcomes:
        if outcome.refusal:
            where = f"{outcome.spec.file}:{outcome.line}" if outcome.line else outcome.spec.file
            raise UsageError(f"it would be refused: {outcome.refusal}", where=where, hint="correct the template first")
    return deployment.inventory


def _loaded(document: draft.JsonMap) -> Policy:
    """Through a file, as every policy is loaded."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(write_yaml(document))
        return load(path)
