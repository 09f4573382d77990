"""DRF-02: the document that people read is the policy's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, verdict
from backcheck.controls.subjects import PolicySubject
from backcheck.finding import Severity, Verdict
from backcheck.policy.render_markdown import to_markdown


def _with_a_document(world: World) -> Iterator[PolicySubject]:
    if world.document is not None:
        yield PolicySubject(policy=world.policy)


@control(
    id="DRF-02",
    title="The policy document is what the policy says",
    severity=Severity.MEDIUM,
    reads=POLICY_ONLY,
    each=_with_a_document,
    why="People act by the document. The lab's own was a placeholder; one that lags behind promises what nobody does.",
    remedy="backcheck policy render POLICY --out docs/policies/backup-policy.md",
    sources=("https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final",),
    maps_to=("NIST-800-53r5:CP-1", "NIST-800-53r5:CP-2"),
    passes={"as rendered": lambda: _world(to_markdown(examples.policy()))},
    fails={
        "a placeholder": lambda: _world("# Backup Policy content here...\n"),
        "one number changed": lambda: _world(to_markdown(examples.policy()).replace("35 days", "36 days", 1)),
        "empty": lambda: _world(""),
    },
    no_unknown="the document is given as text, or the control does not apply",
)
def document_is_the_policys(subject: PolicySubject, world: World) -> Verdict:
    """The document is, byte for byte, what `policy render` makes of the policy."""
    rendered, document = to_markdown(subject.policy), world.document or ""
    line, wanted, found = _first_difference(rendered, document)
    return verdict(
        rendered == document,
        expected=wanted or "byte for byte what `policy render` writes",
        observed=found or ("the same bytes" if rendered == document else "nothing"),
        at=f"line {line} of the document" if line else "the document",
        message=f"the document differs from the policy in line {line}" if line else "the document is the policy's",
    )


def _first_difference(rendered: str, document: str) -> tuple[int, str, str]:
    """(line, what it should be, what it is) of the first difference; 0 where there is none."""
    lines = zip_longest(rendered.splitlines(keepends=True), document.splitlines(keepends=True), fillvalue="")
    for number, (wanted, found) in enumerate(lines, start=1):
        if wanted != found:
            return number, wanted.rstrip("\n"), found.rstrip("\n") if found != wanted.rstrip("\n") else repr(found)
    return 0, "", ""


def _world(document: str) -> World:
    return replace(examples.world(), document=document)
