"""What a template does not tell: a verdict that rests on a value which is not known is UNKNOWN, with path and line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from backcheck.controls.cfn import (
    BACKUP_RULES,
    INLINE,
    PERMISSION,
    ROLE_POLICY,
    RULE,
    TOPIC_INLINE,
    TOPIC_POLICY,
)
from backcheck.controls.delivery import EVENTBRIDGE, SNS
from backcheck.finding import Finding, Location, Status
from backcheck.gate.deployment import Made
from backcheck.gate.places import Places
from backcheck.gate.reads import HARMLESS, LACKING, READS, SLICE
from backcheck.sandbox.cloudformation_types import NESTED, OPAQUE
from backcheck.template.value import is_known

AWS_BACKUP = "aws.backup"
STARTING = frozenset({EVENTBRIDGE, SNS})
"""Services that start functions which a control reads of."""
NOT_GIVEN = "the snapshot has nothing of this account and region"
NOT_MODELLED = "what it does to backups is not modelled"
_NO_ROLE = re.compile(r"iam:GetRole of ([^\s:]+): NotInTemplate")
_REGION = re.compile(r" in ([a-z0-9-]+): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One part of a template that is not known."""

    made: Made
    pointer: str
    """Below Properties; empty where the whole resource is meant."""
    line: int
    reason: str

    @property
    def path(self) -> str:
        """JSON Pointer into the template."""
        below = f"/Properties{self.pointer}" if self.pointer else ""
        return f"/Resources/{self.made.resource.logical_id}{below}"


def doubts(made: tuple[Made, ...]) -> tuple[Doubt, ...]:
    """Everything that is not known about resources that a control reads, and what could hold any resource."""
    return (*(doubt for one in made for doubt in _of(one)), *_contested(made))


def is_opaque(kind: str) -> bool:
    """A resource that stands for others, which are not here."""
    return kind == NESTED or kind in OPAQUE or kind.endswith("::MODULE")


def _of(made: Made) -> Iterator[Doubt]:
    resource = made.resource
    if (resource.type not in SLICE and not is_opaque(resource.type)) or _hears_others(made):
        return
    if resource.skipped:
        reasons = "; ".join(f"{pointer}: {one.reason}" for pointer, one in resource.unresolved)
        yield Doubt(made=made, pointer="", line=resource.line, reason=reasons or resource.skipped)
    harmless = HARMLESS.get(resource.type, ())
    known_not = [(pointer, why.line, why.reason) for pointer, why in resource.unresolved]
    known_not += [(pointer, 0, NOT_MODELLED) for pointer in resource.ignored]
    for pointer, line, reason in known_not:
        parent, _, last = pointer.rpartition("/")
        about = parent if last.startswith("Fn::") else pointer  # a macro or a loop may write anything where it stands
        if not about or not any(_overlap(about, other) for other in harmless):
            written = made.wanted.line_of(f"/Properties{pointer}") if made.wanted else resource.line
            yield Doubt(made=made, pointer=about, line=line or written, reason=reason)


def _contested(made: tuple[Made, ...]) -> Iterator[Doubt]:
    """Resources of a stack that set the same thing: which of them stays, only an order between them tells.

    CloudFormation creates "in parallel to the extent possible"
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html).
    """
    setting: dict[tuple[str, ...], list[Made]] = {}
    for one in made:
        for what in _sets(one):
            setting.setdefault((one.file, *one.place, *what), []).append(one)
    for rivals in setting.values():
        first = {one.resource.logical_id: _before(one, made) for one in rivals if len(rivals) > 1}
        for one, other in itertools.permutations(rivals, 2):
            here, there = one.resource.logical_id, other.resource.logical_id
            if there not in first[here] and here not in first[there]:
                why = f"{there} sets the same, and nothing says which of the two comes last"
                yield Doubt(made=one, pointer="", line=one.resource.line, reason=why)


def _before(one: Made, made: tuple[Made, ...]) -> frozenset[str]:
    """What CloudFormation makes before a resource of the same stack, by logical id."""
    near = {it.resource.logical_id: it for it in made if (it.file, it.place) == (one.file, one.place)}
    found: set[str] = set()
    ahead = [one]
    while ahead:
        wanted = ahead.pop().wanted
        names = set(wanted.depends_on if wanted else ()) - found
        found |= names
        ahead += [near[name] for name in names if name in near]
    return frozenset(found)


def _sets(made: Made) -> Iterator[tuple[str, ...]]:
    """What a resource sets of another: a topic's one policy, a role's policy of a name."""
    physical = made.resource.physical
    if physical is None:
        return
    if made.resource.type in (TOPIC_POLICY, TOPIC_INLINE):
        yield from ((topic,) for topic in physical.keys["Topics"].split(","))
    elif made.resource.type in (INLINE, ROLE_POLICY):
        yield from ((role, physical.ref) for role in physical.keys["Roles"].split(","))


def _hears_others(made: Made) -> bool:
    """An EventBridge rule for events of other services says nothing about backups, whatever else it filters on; nor
    does a permission that lets another service start a function."""
    if made.resource.type == PERMISSION and made.wanted is not None:
        principal = made.wanted.properties.get("Principal")
        return isinstance(principal, str) and principal.endswith(".amazonaws.com") and principal not in STARTING
    if made.resource.type != RULE or made.wanted is None:
        return False
    pattern = made.wanted.properties.get("EventPattern")
    sources = pattern.get("source") if isinstance(pattern, Mapping) else None
    return isinstance(sources, tuple) and is_known(sources) and AWS_BACKUP not in sources


def doubted(finding: Finding, known: tuple[Doubt, ...], places: Places) -> Finding:
    """The finding, or UNKNOWN where it rests on what is not known.

    A PASS falls with any doubt about its own resource, and with one about what its control reads of others; a FAIL only
    with one about what decided it: a doubt elsewhere does not excuse what is plainly wrong.
    """
    if finding.control not in READS or finding.status not in (Status.PASS, Status.FAIL):
        return _explained(finding, places)
    doubt = next((one for one in known if _touches(finding, one, places)), None)
    if doubt is None:
        return finding
    return replace(
        finding,
        status=Status.UNKNOWN,
        observed="not known",
        at=doubt.path,
        message=f"cannot be told: {doubt.path} is not known: {doubt.reason}",
        location=Location(file=doubt.made.file, line=doubt.line or 1),
    )


def _explained(finding: Finding, places: Places) -> Finding:
    """In the words of a gate: there is no snapshot here, but a region that no template is for."""
    role = _NO_ROLE.search(finding.message)
    if role:
        missing = f"cannot be told: no template that was given has the role {role[1]}"
        return replace(finding, message=places.why_not() if places.is_partial else missing)
    if NOT_GIVEN not in finding.message:
        return finding
    region = _REGION.search(finding.message)
    return replace(finding, message=places.why_not(region[1] if region else ""))


def _touches(finding: Finding, doubt: Doubt, places: Places) -> bool:
    reads = READS[finding.control]
    kind = doubt.made.resource.type
    subject = places.of(finding)
    if is_opaque(kind):  # what is missing may be in there; what is there and wrong is wrong
        return finding.status is Status.FAIL and (subject is None or finding.control in LACKING)
    if kind not in reads:
        return False
    if subject is not None and subject.resource.type == kind:
        if subject != doubt.made:
            return False
        index = places.rule_index(finding, subject)
        if index is not None and _is_of_another_rule(doubt.pointer, index):
            return False
        if finding.status is Status.PASS:
            return True
    pointers = (pointer.partition("/{rule}")[0] if "{rule}" in pointer else pointer for pointer in reads[kind])
    return any(_overlap(doubt.pointer, pointer) for pointer in pointers)


def _is_of_another_rule(pointer: str, index: int) -> bool:
    own = f"{BACKUP_RULES}/{index}"
    return pointer.startswith(f"{BACKUP_RULES}/") and not _overlap(pointer, own)


def _overlap(one: str, other: str) -> bool:
    return one == other or f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
