"""A gate from end to end: templates in, a Run out. The same controls as the audit's, and what other tools say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from backcheck.accounts import known_regions
from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.errors import Error
from backcheck.finding import Finding, Location, Run, Severity, Status
from backcheck.gate import cfn_lint, checkov
from backcheck.gate.deployment import Deployment, Outcome, deployed
from backcheck.gate.doubt import Doubt, doubted, doubts, is_opaque
from backcheck.gate.linting import Lint, merged, silent
from backcheck.gate.places import DEPLOYS, Places, named
from backcheck.gate.reads import LACKING, READS
from backcheck.gate.stacks import StackSpec
from backcheck.inventory import snapshot
from backcheck.policy.model import Policy

NO_EXPORT = "no export named"
CONFIRM = "a template cannot show that its subscription is confirmed: do so once it is deployed"
NOTES = {"ALR-01": CONFIRM, "ALR-03": CONFIRM, "ALR-02": "what the function's code does, a template does not show"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a gate comes to."""

    run: Run
    world: World
    snapshot: bytes
    """The account that the templates come to, as `backcheck snapshot` would write it."""
    doubtful: frozenset[str]
    """Resource types of which something is not known."""


def judge(
    stacks: tuple[StackSpec, ...],
    policy: Policy,
    now: datetime,
    *,
    running: checkov.Running | None = None,
    lint: bool = True,
) -> Judged:
    """Deploy, audit, place, doubt and merge. Raises TemplateError for what cannot be expanded outside an account.

    `running` is checkov at work on them; None: it is said that it was not run. `lint`: False leaves out both linters.
    """
    deployment = deployed(stacks, policy, now)
    judged = _judged(deployment, policy, now)
    lints, said = _linted(stacks, running) if lint else ((), ())
    places = Places(deployment, policy)
    kinds = {(made.file, made.resource.logical_id): made.resource.type for made in places.made}
    owners = {(made.file, made.resource.logical_id): (made.arn, named(made)) for made in places.made}
    kinds |= {
        (spec.file, entry.key): str(type_of)
        for spec in stacks
        for entry in spec.template.section("Resources").entries
        if (type_of := _type(entry.value))
        and (spec.file, entry.key) not in kinds
    }  # fmt: skip
    findings = merged((*judged.run.findings, *said), lints, kinds, owners)
    return replace(judged, run=replace(judged.run, findings=findings))


def _type(node: object) -> str:
    get = getattr(node, "get", None)
    found = get("Type") if get else None
    return str(getattr(found, "text", ""))


def _judged(deployment: Deployment, policy: Policy, now: datetime) -> Judged:
    world = World(policy=policy, now=now, inventory=deployment.inventory, known_regions=known_regions())
    taken = snapshot.dumps(deployment.inventory)
    run = audit(world, CONTROLS, hashlib.sha256(taken).hexdigest())
    places = Places(deployment, policy)
    known = doubts(places.made)
    settled = (_unless_refused(one, places) if places.is_partial else one for one in run.findings)
    findings = [_placed(one, known, places) for one in settled]
    findings += [_deploys(outcome) for outcome in deployment.outcomes]
    ordered = tuple(sorted(map(_with_note, findings), key=lambda finding: finding.key))
    doubtful = frozenset(one.made.resource.type for one in known)
    return Judged(run=replace(run, findings=ordered), world=world, snapshot=taken, doubtful=doubtful)


def _placed(finding: Finding, known: tuple[Doubt, ...], places: Places) -> Finding:
    """With file and line: of what is not known, where that decides."""
    told, placed = doubted(finding, known, places), places.located(finding)
    if told.status is finding.status:
        return replace(placed, message=told.message)
    return replace(told, resource=placed.resource)


def _unless_refused(finding: Finding, places: Places) -> Finding:
    """What is missing may be in a stack that was refused; what is there and wrong is wrong."""
    lacks = finding.control in READS and (finding.control in LACKING or places.of(finding) is None)
    if not lacks or finding.status is not Status.FAIL:
        return finding
    return replace(finding, status=Status.UNKNOWN, observed="not known", message=places.why_not())


def _with_note(finding: Finding) -> Finding:
    note = NOTES.get(finding.control) if finding.status is Status.PASS else None
    return replace(finding, notes=(*finding.notes, note)) if note else finding


def _deploys(outcome: Outcome) -> Finding:
    """TPL-01: CloudFormation would create the stack."""
    file = outcome.spec.file
    unknown = list(_not_known(outcome))
    status = Status.FAIL if outcome.refusal else Status.UNKNOWN if unknown else Status.PASS
    at = outcome.refused_at or (unknown[0][0] if unknown else Location(file=file, line=1))
    said = outcome.refusal or "; ".join(dict.fromkeys(why for _, why in unknown)) or "created"
    return Finding(
        control=DEPLOYS,
        status=status,
        severity=Severity.CRITICAL,
        resource=f"template:{file}",
        tier=None,
        expected="every resource is created",
        observed=said,
        at=f"stack {outcome.spec.name} in {outcome.spec.region}",
        message=f"stack {outcome.spec.name}: {_told(status, said)}",
        notes=tuple(str(warning.message) for stack in outcome.stacks[:1] for warning in stack.template.warnings),
        remediation="Correct the template; for what is not known give parameters, nested templates or other stacks.",
        maps_to=(),
        location=at,
    )


def _told(status: Status, said: str) -> str:
    if status is Status.FAIL:
        return f"it would be refused and rolled back: {said}"
    return f"not all of it is known: {said}" if status is Status.UNKNOWN else "it would be created"


def _not_known(outcome: Outcome) -> Iterator[tuple[Location, str]]:
    """What keeps a stack from being judged as a whole: imports that nobody exports, and templates not at hand."""
    for at, adding in outcome.adding():
        yield at, f"{adding.path}: {adding.reason}"
    for stack in outcome.stacks:
        for one in stack.template.unresolved:
            if NO_EXPORT in one.reason:
                yield Location(file=stack.template.file, line=one.line or 1), f"{one.path}: {one.reason}"
        for resource in stack.not_created:
            if is_opaque(resource.type):
                at = Location(file=stack.template.file, line=resource.line or 1)
                yield at, f"/Resources/{resource.logical_id}: {resource.skipped}"


def _linted(
    stacks: tuple[StackSpec, ...], running: checkov.Running | None
) -> tuple[tuple[Lint, ...], tuple[Finding, ...]]:
    file = stacks[0].file
    lints = list(cfn_lint.lints(stacks))
    said = [silent(cfn_lint.TOOL, Status.NOT_APPLICABLE, f"cfn-lint ran and objects to {len(lints)} lines", file)]
    if running is None:
        hint = f"--checkov or {checkov.FOUND_BY} names it; pip install checkov, in an environment of its own"
        absent = silent(checkov.TOOL, Status.NOT_APPLICABLE, "checkov was not run: it was not found", file, hint)
        return tuple(lints), (*said, absent)
    try:
        more = running.lints()
    except Error as error:
        return tuple(lints), (*said, silent(checkov.TOOL, Status.UNKNOWN, f"checkov {error.message}", file))
    note = "what it passes counts for nothing: it passes values that it could not resolve"
    count = f"checkov ran, and {len(more)} of its checks failed"
    return (*lints, *more), (*said, silent(checkov.TOOL, Status.NOT_APPLICABLE, count, file, note))
