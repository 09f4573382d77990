"""`backcheck policy render`: the policy for people, or for AWS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from backcheck.commands.written import refuse_the_policy, write
from backcheck.policy.load import load
from backcheck.policy.model import Policy
from backcheck.policy.render_cloudformation import to_cloudformation
from backcheck.policy.render_markdown import to_markdown
from backcheck.policy.render_yaml import to_yaml

FORMS: dict[str, Callable[[Policy], str]] = {
    "markdown": to_markdown,
    "yaml": to_yaml,
    "cloudformation": to_cloudformation,
}


@click.command("render")
@click.argument("policy", metavar="P", type=click.Path(path_type=Path))
@click.option("--to", "form", type=click.Choice(list(FORMS)), default="markdown", show_default=True)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write; standard output if not."
)
def command(policy: Path, form: str, out: Path | None) -> int:
    """Write a policy as the document that people read, as YAML with nothing left to defaults, or as CloudFormation.

    The CloudFormation is a fragment of vaults, keys, plans and selections that complies with the policy: a start.
    """
    refuse_the_policy(out, policy)
    text = FORMS[form](load(policy))
    if out is None:
        click.echo(text, nl=False)
        return 0
    write(out, text)
    return 0
