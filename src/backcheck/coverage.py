"""What was asked and not answered, as findings: a run with a gap is never green, whether or not a control needed it."""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.finding import Finding, Severity, Status
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory
from backcheck.policy.model import Policy

CONTROL = "COV-01"

REMEDY = "Give the audit this permission (backcheck permissions prints them all), or waive it with a reason."


def coverage(inventory: Inventory, policy: Policy) -> Iterator[Finding]:
    """UNKNOWN for each operation in each region that did not answer. Never a PASS: being answered proves nothing."""
    groups: dict[tuple[str, str, str, str], list[Gap]] = {}
    for gap in inventory.gaps:
        groups.setdefault((gap.account, gap.region, gap.service, gap.operation), []).append(gap)
    for (account, region, service, operation), gaps in groups.items():
        yield _finding(
            Status.UNKNOWN,
            resource=f"account:{account}/{region}/{service}:{operation}",
            message=_told(f"{service}:{operation}", region, gaps),
            observed=", ".join(sorted({gap.code for gap in gaps})),
        )
    if not groups:
        message = "every call was answered" if inventory.calls else "no account was asked"
        yield _finding(Status.NOT_APPLICABLE, resource=policy.resource(), message=message, observed="")


def _told(operation: str, region: str, gaps: list[Gap]) -> str:
    about = sorted({gap.resource for gap in gaps if gap.resource})
    named = (
        f" about {', '.join(about[:3])}" + (f" and {len(about) - 3} more" if len(about) > 3 else "") if about else ""
    )
    return f"{operation} in {region}{named} was not answered: {gaps[0].detail}"


def _finding(status: Status, *, resource: str, message: str, observed: str) -> Finding:
    return Finding(
        control=CONTROL,
        status=status,
        severity=Severity.HIGH,
        resource=resource,
        tier=None,
        expected="an answer",
        observed=observed,
        at="the coverage ledger",
        message=message,
        notes=(),
        remediation=REMEDY,
        maps_to=(),
    )
