"""Where a template says what a finding is about: the resource by ARN, the property, the line."""

from __future__ import annotations

import re
from dataclasses import replace

from backcheck.finding import Finding, Location, Status
from backcheck.gate.deployment import Deployment, Made, Place, rule_names
from backcheck.gate.reads import ALARM, KEY, PLAN, READS, ROLE, RULE, TOPIC
from backcheck.policy.model import PRIMARY, Policy

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
        if made is not None:
            line = _line(made, self.pointer(finding, made))
            resource = named(made) if _is_made_up(made) else finding.resource
            return replace(finding, resource=resource, location=Location(file=made.file, line=line))
        is_open = finding.status in (Status.FAIL, Status.UNKNOWN) and finding.control in READS
        if not is_open or finding.at == "snapshot":
            return finding
        nearest = self._nearest(finding) if finding.resource.startswith("policy:") else None
        if nearest is not None:
            return replace(
                finding, location=Location(file=nearest.file, line=_line(nearest, self.pointer(finding, nearest)))
            )
        spec = self._outcomes[0].spec
        return replace(finding, location=Location(file=spec.file, line=spec.template.section("Resources").mark.line))

    def _nearest(self, finding: Finding) -> Made | None:
        """What stands nearest to something that is missing: a resource of a type that the control reads."""
        place = _place(finding, self._policy)
        kinds = list(READS[finding.control])
        could_be = [made for made in self.made if made.resource.type in kinds and self._could_be(finding, made)]
        return min(
            could_be,
            key=lambda made: (made.place != place, kinds.index(made.resource.type), not _is_named(made, finding)),
            default=None,
        )

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


def _is_named(made: Made, finding: Finding) -> bool:
    """Whether a finding's message has the resource's name."""
    return made.resource.physical_id in _NAME.findall(finding.message)


def named(made: Made) -> str:
    """A resource by its place in its file, for what has no ARN that somebody chose."""
    return f"template:{made.file}#/Resources/{made.resource.logical_id}"


def _is_made_up(made: Made) -> bool:
    if made.resource.type == ROLE and made.wanted is not None:
        return "RoleName" not in made.wanted.properties
    return made.resource.type in _MADE_UP


def _line(made: Made, pointer: str) -> int:
    return made.wanted.line_of(f"/Properties{pointer}") if made.wanted else made.resource.line
