"""What other tools say of templates, as findings: merged with ours, and none of it ever a PASS.

checkov calls a check PASSED where its value hangs on a variable that it could not resolve, and neither tool knows the
policy. So only what they object to counts, and only where it is about backups and no control of ours says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from backcheck.finding import Finding, Location, Severity, Status
from backcheck.gate.reads import SLICE

EQUIVALENT: Mapping[str, tuple[str, ...]] = {
    "cfn-lint:E3504": ("PLN-05", "FEA-01", "TPL-01"),
    "checkov:CKV_AWS_28": ("PIT-01",),
    "checkov:CKV_AWS_165": ("PIT-01",),
    "checkov:CKV_AWS_166": ("VLT-02",),
}
"""Rules that say what a control of ours says, and which."""

RULES_OF_THE_POLICY = frozenset({"checkov:CKV_AWS_166"})
"""Where the policy asks for something else, the policy decides."""

ABOUT_BACKUP = frozenset(EQUIVALENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """One objection of one tool."""

    tool: str
    rule: str
    title: str
    file: str
    line: int
    logical_id: str
    """Empty where it is about no resource."""
    message: str
    is_error: bool
    """False for a warning, which decides nothing."""

    @property
    def control(self) -> str:
        """`cfn-lint:E3504`."""
        return f"{self.tool}:{self.rule}"

    @property
    def resource(self) -> str:
        """The template, or the resource in it."""
        return f"template:{self.file}" + (f"#/Resources/{self.logical_id}" if self.logical_id else "")


Kinds = Mapping[tuple[str, str], str]
"""(file, logical id) to resource type."""
Owners = Mapping[tuple[str, str], tuple[str, ...]]
"""(file, logical id) to the resources that our findings give it: its ARN, and its place in the template."""


def merged(findings: Iterable[Finding], lints: Iterable[Lint], kinds: Kinds, owners: Owners) -> tuple[Finding, ...]:
    """Our findings and theirs. What both say stands once, on ours, with a note that names the other."""
    kept = list(findings)
    for same in _grouped(lints).values():
        lint = same[0]
        at = _equal(lint, kept, owners)
        if at is not None and kept[at].status is Status.FAIL:
            kept[at] = replace(kept[at], notes=(*kept[at].notes, f"{lint.control}, line {lint.line}: {lint.message}"))
        else:
            ours = kept[at] if at is not None else None
            kept.append(_finding(lint, same, kinds.get((lint.file, lint.logical_id), ""), ours))
    return tuple(sorted(kept, key=lambda finding: finding.key))


def _grouped(lints: Iterable[Lint]) -> dict[tuple[str, str, str], list[Lint]]:
    """By rule, file and resource: a rule that objects to three lines of one resource is one finding."""
    found: dict[tuple[str, str, str], list[Lint]] = {}
    for lint in lints:
        found.setdefault((lint.control, lint.file, lint.logical_id), []).append(lint)
    return found


def _equal(lint: Lint, findings: list[Finding], owners: Owners) -> int | None:
    """Our finding that says the same of the same resource, a FAIL before any other."""
    controls = EQUIVALENT.get(lint.control, ())
    places = {*owners.get((lint.file, lint.logical_id), ()), lint.resource, f"template:{lint.file}"}
    about = [index for index, one in enumerate(findings) if one.control in controls and one.resource in places]
    failed = [index for index in about if findings[index].status is Status.FAIL]
    return next(iter(failed or about), None)


def _finding(lint: Lint, same: list[Lint], kind: str, ours: Finding | None) -> Finding:
    status, note = _judged(lint, kind, ours)
    lines = ", ".join(str(one.line) for one in same)
    return Finding(
        control=lint.control,
        status=status,
        severity=Severity.HIGH if lint.is_error else Severity.LOW,
        resource=lint.resource,
        tier=None,
        expected=lint.title,
        observed=lint.message,
        at=f"{lint.file} line {lines}",
        message=f"{lint.logical_id or lint.file}: {lint.message}",
        notes=(note,) if note else (),
        remediation=f"See {lint.rule} in {lint.tool}'s documentation.",
        maps_to=(),
        location=Location(file=lint.file, line=max(lint.line, 1)),
    )


def _judged(lint: Lint, kind: str, ours: Finding | None) -> tuple[Status, str]:
    if lint.control in RULES_OF_THE_POLICY and ours is not None and ours.status is Status.PASS:
        return Status.NOT_APPLICABLE, f"the policy decides, and {ours.control} passes"
    if lint.control in ABOUT_BACKUP:
        return Status.FAIL, ""
    if not lint.is_error:
        return Status.NOT_APPLICABLE, "a warning: shown, and decides nothing"
    if lint.tool == "cfn-lint" and (kind in SLICE or not lint.logical_id):
        return Status.FAIL, ""
    return Status.NOT_APPLICABLE, "it says nothing about backup"


def silent(tool: str, status: Status, message: str, file: str, *notes: str) -> Finding:
    """A tool as a whole: that it ran, or that it did not."""
    return Finding(
        control=tool,
        status=status,
        severity=Severity.LOW,
        resource=f"template:{file}",
        tier=None,
        expected="",
        observed="",
        at=tool,
        message=message,
        notes=notes,
        remediation="",
        maps_to=(),
    )
