"""What a control is: its record, its examples, and a function that claims something about one subject.

The examples are its tests and its page in the docs. A control reads a World and nothing else: no clock, no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from backcheck.controls.cfn import Pointers
from backcheck.controls.index import Index
from backcheck.drill.record import DrillRecord
from backcheck.finding import Severity, Status, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory
from backcheck.policy.model import Policy


class Reads(StrEnum):
    """What a control needs before it can say anything."""

    POLICY = "policy"
    TEMPLATE = "template"
    ACCOUNT = "account"


POLICY_ONLY = frozenset({Reads.POLICY})
ACCOUNT_ONLY = frozenset({Reads.ACCOUNT})
BOTH = frozenset({Reads.TEMPLATE, Reads.ACCOUNT})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that a control may look at."""

    policy: Policy
    now: datetime
    """Aware, UTC."""
    inventory: Inventory | None = None
    """None: the policy alone is judged, and only POLICY controls run."""
    drills: tuple[DrillRecord, ...] | Gap = ()
    """The drill history, oldest first."""
    document: str | None = None
    """The policy document for people, where one was given (DRF-02)."""
    own: frozenset[str] | None = None
    """Ids of the user's own controls that are judged here as well; None: nobody looked for any."""
    known_regions: frozenset[str] = frozenset()
    """AWS's Regions, as far as this installation knows them; empty: nobody looked."""
    index: Index = field(init=False, repr=False, compare=False)
    """The inventory by the keys that controls ask for; made anew with each World."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", Index(self.inventory))

    @property
    def reads(self) -> frozenset[Reads]:
        """Which controls can be judged here: a template is an inventory whose accounts are of kind `template`."""
        if self.inventory is None:
            return POLICY_ONLY
        kinds = {account.kind for account in self.inventory.accounts}
        return frozenset({Reads.POLICY, Reads.TEMPLATE if kinds == {"template"} else Reads.ACCOUNT})


class Subject(Protocol):
    """What a claim is about."""

    @property
    def resource(self) -> str:
        """ARN, or `policy:<name>#<pointer>`."""
        ...

    @property
    def tier(self) -> str | None:
        """The tier's id, where the claim is about one."""
        ...


S = TypeVar("S", bound=Subject)
P = TypeVar("P")
Worlds = Mapping[str, Callable[[], World]]
"""Examples: what the example shows, and how to build it (lazily: nobody pays for examples that are not read)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Generic[S]):
    """One check with an id."""

    id: str
    title: str
    """The claim, as a sentence."""
    severity: Severity
    reads: frozenset[Reads]
    each: Callable[[World], Iterable[S | Verdict]]
    """The subjects. A Verdict among them stands for subjects that could not be read, and is a finding itself."""
    claim: Callable[[S, World], Verdict | Iterable[Verdict]]
    why: str
    """What happens to a company that fails it."""
    remedy: str
    """What to paste or to do."""
    sources: tuple[str, ...]
    """Pages that the claim rests on."""
    in_template: Pointers = field(default_factory=dict)
    """What the claim rests on in a template, besides its own resource: where that is not known, it is UNKNOWN.

    Of the resource's own type the first property is where a finding points; `{rule}` is the tier's rule in its plan.
    """
    maps_to: tuple[str, ...] = ()
    """Requirements that a PASS is evidence for, such as `NIST-800-53r5:CP-9`."""
    passes: Worlds = field(default_factory=dict)
    fails: Worlds = field(default_factory=dict)
    unknown: Worlds = field(default_factory=dict)
    no_unknown: str = ""
    """Why there is no unknown example, where there is none: a policy is always readable once it loads."""

    def judge(self, world: World) -> Iterator[Verdict]:
        """Every verdict of this control in `world`; one NOT_APPLICABLE where it has no subject. Never nothing."""
        empty = True
        for subject in self.each(world):
            for verdict in self._verdicts(subject, world):
                empty = False
                yield verdict
        if empty:
            yield not_applicable(f"{self.title}: nothing in the policy asks for it", resource=world.policy.resource())

    def _verdicts(self, subject: S | Verdict, world: World) -> Iterator[Verdict]:
        if isinstance(subject, Verdict):
            yield subject
            return
        outcome = self.claim(subject, world)
        for verdict in (outcome,) if isinstance(outcome, Verdict) else outcome:
            yield _about(verdict, subject)


AnyControl = Control[Any]


def control(
    *,
    id: str,
    title: str,
    severity: Severity,
    reads: frozenset[Reads],
    each: Callable[[World], Iterable[S | Verdict]],
    why: str,
    remedy: str,
    sources: tuple[str, ...],
    in_template: Pointers | None = None,
    maps_to: tuple[str, ...] = (),
    passes: Worlds,
    fails: Worlds,
    unknown: Worlds | None = None,
    no_unknown: str = "",
) -> Callable[[Callable[[S, World], Verdict | Iterable[Verdict]]], Control[S]]:
    """Make a Control of a claim: `def pitr_is_on(table, world) -> Verdict`."""

    def made(claim: Callable[[S, World], Verdict | Iterable[Verdict]]) -> Control[S]:
        return Control(
            id=id,
            title=title,
            severity=severity,
            reads=reads,
            each=each,
            claim=claim,
            why=why,
            remedy=remedy,
            sources=sources,
            in_template=in_template or {},
            maps_to=maps_to,
            passes=passes,
            fails=fails,
            unknown=unknown or {},
            no_unknown=no_unknown,
        )

    return made


def expect(
    observed: object, *, equals: object, at: str, message: str, notes: tuple[str, ...] = (), tier: str | None = None
) -> Verdict:
    """PASS where `observed == equals`, else FAIL; both values are shown. `message` says what a FAIL means."""
    return verdict(
        observed == equals, expected=equals, observed=observed, at=at, message=message, notes=notes, tier=tier
    )


def verdict(
    holds: bool,
    *,
    expected: object,
    observed: object,
    at: str,
    message: str,
    notes: tuple[str, ...] = (),
    tier: str | None = None,
    resource: str = "",
    instances: Iterable[str] = (),
) -> Verdict:
    """PASS where the claim holds, else FAIL. `instances` names what is wrong one by one: Verdict.instances."""
    return Verdict(
        status=Status.PASS if holds else Status.FAIL,
        message=message,
        expected=str(expected),
        observed=str(observed),
        at=at,
        notes=notes,
        tier=tier,
        resource=resource,
        instances=() if holds else tuple(sorted(set(instances))),
    )


def unknown(message: str, *, at: str, resource: str = "", tier: str | None = None) -> Verdict:
    """Not known, and why."""
    return Verdict(status=Status.UNKNOWN, message=message, at=at, resource=resource, tier=tier)


def unread(gap: Gap, *, resource: str = "", tier: str | None = None) -> Verdict:
    """Not known because of a Gap, which is named."""
    return unknown(f"could not be read: {gap}", at=gap.operation, resource=resource or gap.resource, tier=tier)


def sorted_out(found: Iterable[P | Gap]) -> tuple[list[P], Gap | None]:
    """What is wrong; where nothing is, the first of what could not be read: a FAIL outweighs it."""
    kept = list(found)
    problems = [one for one in kept if not isinstance(one, Gap)]
    gap = next((one for one in kept if isinstance(one, Gap)), None)
    return problems, None if problems else gap


def not_applicable(message: str, *, resource: str = "", tier: str | None = None) -> Verdict:
    """The claim is not about this policy or account, and why."""
    return Verdict(status=Status.NOT_APPLICABLE, message=message, resource=resource, tier=tier)


def _about(verdict: Verdict, subject: Subject) -> Verdict:
    if verdict.resource and verdict.tier:
        return verdict
    return Verdict(
        status=verdict.status,
        message=verdict.message,
        expected=verdict.expected,
        observed=verdict.observed,
        at=verdict.at,
        resource=verdict.resource or subject.resource,
        tier=verdict.tier or subject.tier,
        notes=verdict.notes,
        location=verdict.location,
        instances=verdict.instances,
    )
