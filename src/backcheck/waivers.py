"""Approved exceptions over findings. A waived finding is never counted as a pass, and no exception is silent.

Each waiver of the policy gets a finding of its own, WVR-01: it matched, or it is expired, needless, too long, or for
something that this run did not look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from backcheck.finding import AppliedWaiver, Finding, Location, Severity, Status
from backcheck.policy.model import Policy, Waiver

CONTROL = "WVR-01"

DAYS_AT_MOST = 180
"""POL-11's limit: a longer exception is a change of policy."""

WAIVABLE = frozenset({Status.FAIL, Status.UNKNOWN})


def waive(findings: Sequence[Finding], policy: Policy, today: date) -> tuple[Finding, ...]:
    """The findings with waivers applied, and one more for each waiver; sorted by control, resource and tier."""
    in_force = [waiver for waiver in policy.waivers if holds(waiver, today)]
    covered = [_covered(finding, in_force, today) for finding in findings]
    told = [_told(waiver, findings, policy, today) for waiver in policy.waivers] or [_none(policy)]
    return tuple(sorted((*covered, *told), key=lambda finding: finding.key))


def holds(waiver: Waiver, today: date) -> bool:
    """Whether a waiver is in force: granted, not past its last day (UTC), and not longer than the limit."""
    return waiver.granted <= today <= waiver.expires and not _is_too_long(waiver)


def matches(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver is about this finding: the same control and exactly the same resource."""
    return waiver.control == finding.control and waiver.resource == finding.resource


def _covered(finding: Finding, in_force: Sequence[Waiver], today: date) -> Finding:
    if finding.status not in WAIVABLE:
        return finding
    found = next((waiver for waiver in in_force if matches(waiver, finding)), None)
    if found is None:
        return finding
    applied = AppliedWaiver(
        owner=found.owner,
        ticket=found.ticket,
        reason=found.reason,
        expires=found.expires.isoformat(),
        days_left=(found.expires - today).days,
        original=finding.status,
    )
    return replace(finding, status=Status.WAIVED, waiver=applied)


def _none(policy: Policy) -> Finding:
    return _finding(policy, "/waivers", Status.NOT_APPLICABLE, "the policy has no waivers", "")


def _told(waiver: Waiver, findings: Sequence[Finding], policy: Policy, today: date) -> Finding:
    status, message = _state(waiver, findings, today)
    observed = f"{waiver.control} on {waiver.resource}, {waiver.granted} to {waiver.expires}"
    return _finding(policy, waiver.pointer, status, message, observed)


def _finding(policy: Policy, pointer: str, status: Status, message: str, observed: str) -> Finding:
    line = policy.source.line_of(pointer)
    return Finding(
        control=CONTROL,
        status=status,
        severity=Severity.MEDIUM,
        resource=policy.resource(pointer),
        tier=None,
        expected=f"in force, needed, at most {DAYS_AT_MOST} days",
        observed=observed,
        at=pointer,
        message=message,
        notes=(),
        remediation="Renew it with a new approval, correct its resource, or take it out of the policy.",
        maps_to=(),
        location=Location(file=policy.source.file, line=line) if line else None,
    )


def _state(waiver: Waiver, findings: Sequence[Finding], today: date) -> tuple[Status, str]:
    """A waiver that does nothing is a FAIL: it would silently cover the next failure."""
    about = f"the waiver for {waiver.control} on {waiver.resource}"
    matched = [finding for finding in findings if matches(waiver, finding)]
    if today > waiver.expires:
        return Status.FAIL, f"{about} expired on {waiver.expires}, {(today - waiver.expires).days} days ago"
    if today < waiver.granted:
        return Status.FAIL, f"{about} is granted only from {waiver.granted}"
    if _is_too_long(waiver):
        days = (waiver.expires - waiver.granted).days
        return Status.FAIL, f"{about} would hold {days} days, more than {DAYS_AT_MOST}, and is not applied"
    if not matched:
        others = sorted({finding.resource for finding in findings if finding.control == waiver.control})
        seen = f"; that control looked at {', '.join(others[:3])}" if others else "; that control looked at nothing"
        return Status.FAIL, f"{about} matches no finding{seen}"
    if not any(finding.status in WAIVABLE for finding in matched):
        return Status.FAIL, f"{about} is needless: the finding is {matched[0].status.value}"
    return Status.PASS, f"{about} applies for {(waiver.expires - today).days} more days ({waiver.ticket}){_to(matched)}"


def _to(matched: Sequence[Finding]) -> str:
    """How much it covers today: a waiver says nothing of tiers and nights, so one more is covered like the first."""
    covered = [finding for finding in matched if finding.status in WAIVABLE]
    tiers = sorted({finding.tier for finding in covered if finding.tier})
    count = sum(len(finding.instances) for finding in covered)
    told = [f"tiers {', '.join(tiers)}"] if tiers else []
    told += [f"{count} instances, and any that come"] if count else []
    return f": {'; '.join(told)}" if told else ""


def _is_too_long(waiver: Waiver) -> bool:
    return (waiver.expires - waiver.granted).days > DAYS_AT_MOST
