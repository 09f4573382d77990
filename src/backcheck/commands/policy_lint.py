"""`backcheck policy lint`: what is wrong with a policy, before anything else is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path

import click

from backcheck import waivers
from backcheck.accounts import known_regions
from backcheck.commands.moment import parse_moment
from backcheck.commands.options import FILE
from backcheck.controls import CONTROLS
from backcheck.controls.control import Reads, World
from backcheck.controls.own import own_controls
from backcheck.errors import PolicyError, UsageError
from backcheck.evaluate import evaluate
from backcheck.finding import Finding, Status, Summary
from backcheck.policy.load import load
from backcheck.policy.model import Policy
from backcheck.policy.render_yaml import explain
from backcheck.waivers import waive

LOUD = {Status.FAIL: "FAIL", Status.UNKNOWN: "????", Status.WAIVED: "WAIV"}
"""What is printed in full, and under which name."""

ARITHMETIC = ("RPO-01",)
"""Controls whose arithmetic is worth reading when it comes out right, too."""


@click.command("lint")
@click.argument("policies", metavar="P...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--at", callback=parse_moment, metavar="DATE", help="Judge as of that day; today if not given.")
@click.option("--explain", "explained", is_flag=True, help="Print the policy with every default filled in and marked.")
@click.option(
    "--document",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy document that people read: must be what `policy render` writes (DRF-02).",
)
@click.option(
    "--controls", "files", type=FILE, multiple=True, help="Controls of your own that waivers may name; may be repeated."
)
def command(
    policies: tuple[Path, ...], at: datetime, explained: bool, document: Path | None, files: tuple[Path, ...]
) -> int:
    """Check policies: format, arithmetic, schedules, overlaps, objectives, waivers, references.

    Exit code 0: compliant, 1: something fails, 2: something could not be told, 4: a file does not load.
    """
    if document and len(policies) > 1:
        raise UsageError("--document belongs to one policy", hint="lint the policies one by one")
    loaded = _load_all(policies)
    own = _own(files, loaded)
    findings: list[Finding] = []
    for policy in loaded:
        if explained:
            click.echo(explain(policy), nl=False)
        found = lint(policy, at, document, own)
        # With --explain the result is the policy: it can be piped into a file.
        click.echo("\n".join(_report(policy, found, at)), err=explained)
        findings += found
    return Summary.of(findings).exit_code


def lint(
    policy: Policy, now: datetime, document: Path | None = None, own: frozenset[str] | None = None
) -> tuple[Finding, ...]:
    """Every finding on the policy alone. `own`: ids of the user's own controls; None where they were not loaded."""
    text = document.read_bytes().decode("utf-8", errors="replace") if document else None
    world = World(policy=policy, now=now, document=text, own=own, known_regions=known_regions())
    found = evaluate(world, (control for control in CONTROLS if Reads.POLICY in control.reads))
    # What waivers of other controls come to, an audit says; POL-11 judges every waiver as such.
    return tuple(finding for finding in waive(found, policy, now.date()) if finding.control != waivers.CONTROL)


def _own(files: tuple[Path, ...], policies: Iterable[Policy]) -> frozenset[str] | None:
    """Ids of the user's own controls; None where a waiver names one that nobody has loaded, from a file perhaps."""
    catalogue = {control.id for control in CONTROLS}
    named = {waiver.control for policy in policies for waiver in policy.waivers} - catalogue
    found = frozenset(one.id for one in own_controls(files)) if files or named else frozenset()
    return found if files or named <= found else None


def _load_all(paths: Iterable[Path]) -> list[Policy]:
    loaded, broken = [], []
    for path in paths:
        try:
            loaded.append(load(path))
        except PolicyError as error:
            broken.append(error)
    if len(broken) == 1:
        raise broken[0]
    if broken:
        raise UsageError("\n".join(error.diagnostics() for error in broken))
    return loaded


def _report(policy: Policy, findings: tuple[Finding, ...], at: datetime) -> Iterator[str]:
    yield f"{policy.source.file}: {policy.name} {policy.version}, as of {at:%Y-%m-%d}"
    titles = {control.id: control.title for control in CONTROLS}
    for control, group in groupby(findings, key=lambda finding: finding.control):
        yield from _control(control, titles[control], list(group))
    summary = Summary.of(findings)
    yield (
        f"{summary.passed} pass, {summary.failed} fail, {summary.unknown} unknown, "
        f"{summary.waived} waived, {summary.not_applicable} not applicable"
    )


def _control(control: str, title: str, findings: list[Finding]) -> Iterator[str]:
    loud = [finding for finding in findings if finding.status in LOUD]
    if not loud:
        passed = any(finding.status is Status.PASS for finding in findings)
        yield f"  {'PASS' if passed else 'n/a '}  {control}  {title if passed else findings[0].message}"
    for finding in findings:
        if finding in loud:
            yield from _in_full(finding)
        elif control in ARITHMETIC and finding.status is Status.PASS:
            yield f"        {finding.message}"
    for note in dict.fromkeys(note for finding in findings for note in finding.notes):
        yield f"        note: {note}"


def _in_full(finding: Finding) -> Iterator[str]:
    yield f"  {LOUD[finding.status]}  {finding.control}  {finding.message}"
    where = f"{finding.location.file}:{finding.location.line}: " if finding.location else ""
    yield f"        at:       {where}{finding.at}"
    if finding.waiver:
        waiver = finding.waiver
        yield f"        waived:   {waiver.ticket}, {waiver.days_left} days left: {waiver.reason}"
    elif finding.status is Status.FAIL:
        yield f"        expected: {finding.expected}"
        yield f"        observed: {finding.observed}"
        yield f"        try:      {finding.remediation}"
