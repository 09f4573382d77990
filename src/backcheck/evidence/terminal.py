"""The verdict as plain text: a finding, and the summary of a run."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from backcheck.finding import Finding, Run, Status

LISTED = 20
"""How many findings, or groups of them with one cause, the summary names; the report has all."""

SIMULATED = "SIMULATED: this shows that the suite works and is no evidence of a backup"

MARKUP = frozenset("|<>&[]()*_`#!\\~@:")

VERDICTS = {0: "compliant", 1: "not compliant", 2: "could not determine"}


def explain(finding: Finding) -> str:
    """One finding for a person: what is wrong, where it was seen, what to do."""
    lines = [f"{finding.control} {finding.status.value.upper()} {finding.resource}: {finding.message}"]
    if finding.expected or finding.observed:
        lines.append(f"  expected {finding.expected}; observed {finding.observed}")
    lines += [f"  at {finding.at}"] if finding.at else []
    lines += [f"  {place}" for place in _place(finding)]
    lines += [f"  note: {note}" for note in finding.notes]
    if finding.waiver:
        lines.append(f"  waived until {finding.waiver.expires} by {finding.waiver.owner}")
    if finding.remediation and finding.status is Status.FAIL:
        lines.append(f"  do: {finding.remediation}")
    return "\n".join(map(printable, lines))


def summary(run: Run, out: Path | None, code: int, *, known: bool = False) -> Iterator[str]:
    """The lines at the end of a run; `code` is the exit code, `known` whether a baseline has every failure."""
    counts = run.summary
    for status in (Status.FAIL, Status.UNKNOWN):
        yield from _listed([finding for finding in run.findings if finding.status is status], status)
    if run.gaps:
        yield f"{len(run.gaps)} calls were not answered; the report's coverage ledger names them"
    accounts = ", ".join(f"{account.kind} {account.id}" for account in run.accounts)
    policy = printable(f"{run.policy_name} {run.policy_version}")
    yield f"policy {policy}, {accounts}, as of {run.clock:%Y-%m-%d %H:%M} UTC"
    if run.simulated:
        yield SIMULATED
    yield (
        f"{counts.passed} pass, {counts.failed} fail, {counts.unknown} unknown, {counts.waived} waived, "
        f"{counts.not_applicable} not applicable: {_verdict(run, code, known=known)} (exit {code})"
    )
    if out:
        yield f"evidence: {out}"


def markdown(run: Run, code: int, *, known: bool = False) -> str:
    """The summary of a pipeline's page: counts, and a table of what needs action."""
    counts = run.summary
    lines = [f"## Backup audit of {_cell(run.policy_name)}: {_verdict(run, code, known=known)}", ""]
    lines += [f"> **{SIMULATED}**", ""] if run.simulated else []
    lines += ["| fail | unknown | waived | pass | not applicable |", "|---|---|---|---|---|"]
    lines += [
        f"| {counts.failed} | {counts.unknown} | {counts.waived} | {counts.passed} | {counts.not_applicable} |",
        "",
    ]
    shown = [one for one in run.findings if one.status in (Status.FAIL, Status.UNKNOWN)]
    shown.sort(key=lambda one: (one.status is not Status.FAIL, one.severity.rank, one.key))
    if shown:
        lines += ["| verdict | control | resource | what was found |", "|---|---|---|---|"]
        lines += [
            f"| {one.status.value} | {one.control} | {_cell(one.resource)} | {_cell(one.message)} |"
            for one in shown[:LISTED]
        ]
        lines += [f"| | | | and {len(shown) - LISTED} more |"] if len(shown) > LISTED else []
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    """Text that Markdown shows as it is: no markup, link or cell border from an account takes effect."""
    return "".join(f"&#{ord(char)};" if char in MARKUP else char for char in printable(text))


def _verdict(run: Run, code: int, *, known: bool) -> str:
    """The run's verdict; where the code differs, why."""
    verdict = VERDICTS[run.summary.exit_code]
    if code == run.summary.exit_code:
        return verdict
    if known and code == 2 and run.summary.unknown:
        return (
            f"{verdict}: the failures are known from the baseline, the {run.summary.unknown} unknown block all the same"
        )
    if code:
        return f"{verdict}, judged by the items that ran"
    return f"{verdict}, but {'nothing new since the baseline' if known else 'every item that ran passed'}"


def printable(text: str) -> str:
    """Text from an account on one line, without control characters: it must not steer a terminal."""
    line = text.replace("\n", " ")
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)


def _place(finding: Finding) -> Iterator[str]:
    """File and line of a finding that has them, as editors and terminals make them a link."""
    if finding.location:
        yield f"at: {finding.location.file}:{finding.location.line}"


def _listed(findings: list[Finding], status: Status) -> Iterator[str]:
    ordered = sorted(findings, key=lambda finding: (finding.severity.rank, finding.key))
    groups: dict[str, list[Finding]] = {}
    for finding in ordered:
        # what is not known for one reason is told once; what is wrong is told each time
        key = finding.message if status is Status.UNKNOWN else "\n".join(finding.key)
        groups.setdefault(key, []).append(finding)
    for group in list(groups.values())[:LISTED]:
        yield from _told(group, f"{status.value.upper():7}")
    left = sum(map(len, list(groups.values())[LISTED:]))
    if left:
        yield f"{status.value.upper():7} and {left} more"


def _told(group: list[Finding], head: str) -> Iterator[str]:
    first = group[0]
    if len(group) == 1:
        yield printable(f"{head} {first.control} {first.resource}: {first.message}")
    else:
        counts = Counter(finding.control for finding in group)
        controls = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in sorted(counts.items()))
        yield printable(f"{head} {len(group)} findings: {first.message}")
        yield from textwrap.wrap(f"on it hang {controls}", 120, initial_indent=" " * 8, subsequent_indent=" " * 8)
    if len({finding.location for finding in group}) == 1:
        yield from (printable(f"{'':7} {place}") for place in _place(first))
