"""Where a template says what a finding is about: the resource by ARN, the property, the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from backcheck.controls.cfn import ALARM, KEY, PLAN, ROLE, RULE, TOPIC
from backcheck.finding import Finding, Location, Status
from backcheck.gate.deployment import Deployment, Made, Place
from backcheck.gate.reads import READS
from backcheck.gate.wording import PROPERTIES, SAID, likeness, rule_names, said_below, texts_in, written_in
from backcheck.policy.model import PRIMARY, Policy

DEPLOYS = "TPL-01"
"""Whether CloudFormation would create the stack."""
_NAME = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9_]")
_MADE_UP = frozenset({PLAN, KEY})
"""Their ARNs end in an id that nobody chose, and that another run would not have."""


class Places:
    """Looks findings up in the templates that they come from."""

    def __init__(self, deployment: Deployment, policy: Policy) -> None:
        """Of one deployment."""
        self.made = tuple(deployment.made())
        self._policy = policy
        self._by_arn = {made.arn: made for made in self.made if made.arn}
        self._outcomes = deployment.outcomes

    def of(self, finding: Finding) -> Made | None:
        """The resource that a finding is about; None where it is about none of a template's."""
        return self._by_arn.get(finding.resource)

    @property
    def is_partial(self) -> bool:
        """Whether more resources could be there: of a stack that is refused, a macro, a loop over what is not known."""
        return any(outcome.refusal or any(outcome.adding()) for outcome in self._outcomes)

    def why_not(self, region: str = "") -> str:
        """Why what may be in this region, or anywhere, cannot be told: a stack was refused, or none was given."""
        refused = [one.spec for one in self._outcomes if one.refusal and region in ("", one.spec.region)]
        if refused:
            names = ", ".join(spec.name for spec in refused)
            return f"cannot be told: stack {names} is refused (see {DEPLOYS}), and it may be in there"
        adding = [one for outcome in self._outcomes for one in outcome.adding()] if not region else []
        if adding:
            at, what = adding[0]
            return f"cannot be told: {at.file}:{at.line} adds resources that are not known ({what.reason})"
        return f"cannot be told: {region}: no template for this account and region was given"

    def pointer(self, finding: Finding, made: Made) -> str:
        """Below Properties, the property that a finding of this control is about."""
        pointers = READS.get(finding.control, {}).get(made.resource.type, ("",))
        index = self.rule_index(finding, made)
        return pointers[0].replace("{rule}", str(index)) if index is not None else pointers[0].partition("/{rule}")[0]

    def rule_index(self, finding: Finding, made: Made) -> int | None:
        """Which of a plan's rules a finding on a tier is about."""
        tier = self._policy.tier(finding.tier) if finding.tier else None
        if tier is None or made.wanted is None or made.resource.type != PLAN:
            return None
        names = list(rule_names(made.wanted))
        return names.index(tier.rule) if tier.rule in names else None

    def located(self, finding: Finding) -> Finding:
        """The finding with file and line, and with a resource that is the same in every run."""
        made = self.of(finding)
        is_open = finding.status in (Status.FAIL, Status.UNKNOWN) and finding.control in READS
        said = self._said(finding, made) if is_open and finding.at != "snapshot" else None
        if made is not None:
            resource = named(made) if _is_made_up(made) else finding.resource
            return replace(finding, resource=resource, location=said or _at(made, self.pointer(finding, made)))
        if not is_open or finding.at == "snapshot":
            return finding
        nearest = self._nearest(finding)
        if said is None and nearest is not None:
            said = _at(nearest, self.pointer(finding, nearest))
        if said is not None:
            return replace(finding, location=said)
        spec = self._outcomes[0].spec
        return replace(finding, location=Location(file=spec.file, line=spec.template.section("Resources").mark.line))

    def _said(self, finding: Finding, own: Made | None) -> Location | None:
        """What the message's first clause names of a resource that the control reads; None where it names nothing."""
        clause = finding.message.partition("; ")[0]
        for words, kind, pointers in SAID:
            found = words.search(clause) if kind in READS[finding.control] else None
            if found and words.groups and (written := self._written(found[1], finding.control)):
                return written
            made = self._meant(kind, found[words.groups] if words.groups else clause, finding, own) if found else None
            if made is not None and made.wanted is not None:
                pointer = next((one for one in pointers if one in made.wanted.lines), pointers[0])
                deeper = said_below(clause, made.wanted, pointer) if pointer.startswith(f"{PROPERTIES}/") else ""
                return Location(file=made.file, line=made.wanted.line_of(deeper or pointer))
        return None

    def _written(self, name: str, control: str) -> Location | None:
        """Where a resource that the control reads speaks of something by its name, though nothing is called so."""
        for made in self.made:
            if made.wanted is not None and made.resource.type in READS[control]:
                pointer = written_in(made.wanted, name)
                if pointer:
                    return Location(file=made.file, line=made.wanted.line_of(pointer))
        return None

    def _meant(self, kind: str, words: str, finding: Finding, own: Made | None) -> Made | None:
        """The resource of this type that the words are about: the finding's own, one named, one tied to either."""
        if own is not None and own.resource.type == kind:
            return own
        place = own.place if own else _place(finding, self._policy)
        told = [made for made in self.made if made.arn and made.arn in words and made.place == place]
        around = [own, *told] if own else told
        could_be = [made for made in self.made if made.resource.type == kind]
        by_name = likeness(words, [f"{made.resource.logical_id} {made.resource.physical_id}" for made in could_be])
        by_text = likeness(words, [" ".join(_texts(made)) for made in could_be])

        def rank(index: int) -> tuple[bool, bool, bool, float, float]:
            made = could_be[index]
            tied = any(made is one or _are_tied(made, one) for one in around)
            return (made.place == place, tied, _is_named(made, words), by_name[index], by_text[index])

        return could_be[max(range(len(could_be)), key=rank)] if could_be else None

    def _nearest(self, finding: Finding) -> Made | None:
        """What stands nearest to something that is missing: a resource of a type that the control reads."""
        place = _place(finding, self._policy)
        kinds = list(READS[finding.control])
        could_be = [made for made in self.made if made.resource.type in kinds and self._could_be(finding, made)]

        def distance(made: Made) -> tuple[bool, int, bool]:
            return (made.place != place, kinds.index(made.resource.type), not _is_named(made, finding.message))

        return min(could_be, key=distance, default=None)

    def _could_be(self, finding: Finding, made: Made) -> bool:
        properties = made.wanted.properties if made.wanted else {}
        validation = self._policy.validation
        if finding.control == "ALR-02" and made.resource.type == RULE and validation is not None:
            return properties.get("ScheduleExpression") == validation.schedule
        if finding.control == "ALR-02":
            return True
        if made.resource.type == RULE:
            return ("EventPattern" in properties) == (finding.control == "ALR-01")
        return made.resource.type not in (ALARM, TOPIC) or finding.control.startswith("ALR")


def _place(finding: Finding, policy: Policy) -> Place:
    """Where a finding on a part of the policy looks: where its vault is to be, as its suffix says, or the primary one.

    The suffix is `@ACCOUNT/REGION`, in the policy's keys (`controls.deployment.Place`).
    """
    pointer, _, suffix = finding.resource.partition("#")[2].rpartition("@")
    if not pointer:
        pointer, suffix = suffix, ""
    vault = policy.vault(pointer.removeprefix("/vaults/"))
    keys = (vault.account, vault.region) if vault else tuple(suffix.split("/")) if suffix else (PRIMARY, PRIMARY)
    account = policy.account(keys[0]) or policy.accounts[0]
    return (account.id, policy.regions.get(keys[-1], keys[-1]))


def _is_named(made: Made, words: str) -> bool:
    """Whether a finding's words have the resource's name."""
    return made.resource.physical_id in _NAME.findall(words)


def named(made: Made) -> str:
    """A resource by its place in its file, for what has no ARN that somebody chose."""
    return f"template:{made.file}#/Resources/{made.resource.logical_id}"


def _is_made_up(made: Made) -> bool:
    if made.resource.type == ROLE and made.wanted is not None:
        return "RoleName" not in made.wanted.properties
    return made.resource.type in _MADE_UP


def _texts(made: Made) -> Iterator[str]:
    return texts_in(made.wanted.properties) if made.wanted else iter(())


def _are_tied(one: Made, other: Made) -> bool:
    """Whether either refers to the other."""
    if one.file != other.file or one.wanted is None or other.wanted is None:
        return False
    return one.wanted.logical_id in other.wanted.depends_on or other.wanted.logical_id in one.wanted.depends_on


def _at(made: Made, pointer: str) -> Location:
    line = made.wanted.line_of(f"{PROPERTIES}{pointer}") if made.wanted and pointer else made.resource.line
    return Location(file=made.file, line=line)
