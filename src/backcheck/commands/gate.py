"""`backcheck gate`: templates against the policy, before anybody deploys them."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backcheck.commands.moment import parse_moment
from backcheck.commands.options import FILE, FOLDER, policy_option
from backcheck.errors import Error, UsageError
from backcheck.evidence import annotations as workflow
from backcheck.evidence import terminal
from backcheck.evidence.checkout import checkout_at
from backcheck.template.node import TemplateError

if TYPE_CHECKING:
    from backcheck.finding import Run
    from backcheck.gate.checkov import Running
    from backcheck.gate.stacks import StackSpec
    from backcheck.policy.model import Policy


TOOLS = ("cfn-lint", "checkov")
"""Controls that say of another tool what it did."""


@click.command()
@policy_option
@click.argument("templates", nargs=-1, required=True, metavar="[NAME=]TEMPLATE[@REGION]...")
@click.option(
    "--parameter", "pairs", multiple=True, metavar="[STACK.]K=V", help="For every template that has it, or for one."
)
@click.option("--parameters", "file", type=FILE, help="Parameters in a file: YAML or JSON, or CloudFormation's own.")
@click.option("--against", type=FILE, metavar="SNAPSHOT", help="Also compare with an account: drift, field by field.")
@click.option("--checkov", type=FILE, metavar="PATH", help="checkov's executable; found on the PATH without it.")
@click.option("--at", callback=parse_moment, metavar="TIME", help="Judge as of this time; now without it.")
@click.option("--out", required=True, type=FOLDER, help="Where findings.json, .sarif, junit.xml and report.html go.")
def command(
    policy: Path,
    templates: tuple[str, ...],
    pairs: tuple[str, ...],
    file: Path | None,
    against: Path | None,
    checkov: Path | None,
    at: datetime,
    out: Path,
) -> int:
    """Judge templates against a policy, before they are deployed.

    Every template becomes a stack of a simulated account, in the order given: what one exports the next imports. REGION
    is AWS's name or the policy's key, such as dr; NAME is the stack's, else the file's. Judge all templates of a system
    together: what is in none of them cannot be told.
    """
    from backcheck.gate.checkov import at_work
    from backcheck.gate.stacks import parameters_of, stacks_of
    from backcheck.policy.load import load

    loaded = load(policy)
    try:
        stacks = stacks_of(templates, parameters_of(pairs, file), loaded)
        with at_work(checkov, stacks) as running:  # before anything else: it takes longest
            run = _gate(stacks, loaded, at, running, against, out)
    except TemplateError as error:
        raise UsageError(error.message, where=error.where, hint=error.hint) from error
    code = run.summary.exit_code
    for finding in run.findings:
        if finding.control in TOOLS:  # whether it ran at all
            click.echo("; ".join((finding.message, *finding.notes)))
    for line in terminal.summary(run, out, code):
        click.echo(line)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in workflow.commands(run, checkout_at(Path.cwd())):
            click.echo(line)
    return code


def _gate(
    stacks: tuple[StackSpec, ...],
    policy: Policy,
    at: datetime,
    running: Running | None,
    against: Path | None,
    out: Path,
) -> Run:
    """Judge, compare with an account where one is named, and write the evidence."""
    try:
        from backcheck.gate import drift
        from backcheck.gate.evidence import write
        from backcheck.gate.judge import judge
    except ImportError as error:
        raise Error(f"{error.name} is not installed", hint="pip install 'backcheck[gate]'") from error
    account = drift.read(against, policy) if against else None
    judged = judge(stacks, policy, at, running=running)
    if account is not None:
        table = drift.compare(judged, account)
        judged = drift.with_findings(judged, table)
        click.echo(drift.as_text(table))
    write(judged, stacks[0].file, out, checkout_at(Path.cwd()))
    return judged.run
