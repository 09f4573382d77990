"""What a report shows of the verdicts: by control, by resource, and what stands out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backcheck.controls.control import AnyControl, World
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Finding, Run, Severity, Status, Summary
from backcheck.inventory.gap import Gap

WORST = (Status.FAIL, Status.UNKNOWN, Status.WAIVED, Status.PASS, Status.NOT_APPLICABLE)

SHOWN_AT_MOST = 500
"""Findings in full, rows by resource, and notes. findings.json has all."""

NAMED_AT_MOST = 3
"""Resources that a note is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByControl:
    """One control's verdicts."""

    id: str
    title: str
    severity: Severity
    why: str
    counts: Summary
    worst: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ByResource:
    """One resource's verdicts."""

    resource: str
    counts: Summary
    worst: Status
    failing: tuple[str, ...]
    """Ids of the controls that fail or are unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One note of one control, and the resources that it is about."""

    control: str
    note: str
    resources: tuple[str, ...]
    more: int
    """Resources that are not named."""


def by_control(run: Run, controls: Iterable[AnyControl]) -> tuple[ByControl, ...]:
    """Every control that has findings, in order of id."""
    known: Mapping[str, AnyControl] = {one.id: one for one in controls}
    rows = []
    for id, findings in sorted(_grouped(run.findings, "control").items()):
        one = known.get(id)
        rows.append(
            ByControl(
                id=id,
                title=one.title if one else findings[0].message,
                severity=findings[0].severity,
                why=one.why if one else "",
                counts=Summary.of(findings),
                worst=worst(findings),
            )
        )
    return tuple(rows)


def by_resource(run: Run) -> tuple[tuple[ByResource, ...], int]:
    """Resources, the worst first, and how many more there are than are shown."""
    rows = [
        ByResource(
            resource=resource,
            counts=Summary.of(findings),
            worst=worst(findings),
            failing=tuple(sorted({f.control for f in findings if f.status in (Status.FAIL, Status.UNKNOWN)})),
        )
        for resource, findings in _grouped(run.findings, "resource").items()
    ]
    rows.sort(key=lambda row: (WORST.index(row.worst), row.resource))
    return tuple(rows[:SHOWN_AT_MOST]), max(0, len(rows) - SHOWN_AT_MOST)


def outstanding(run: Run) -> tuple[tuple[Finding, ...], int]:
    """Every FAIL and UNKNOWN, the gravest first, and how many more there are than are shown."""
    found = [finding for finding in run.findings if finding.status in (Status.FAIL, Status.UNKNOWN)]
    found.sort(key=lambda finding: (WORST.index(finding.status), finding.severity.rank, finding.key))
    return tuple(found[:SHOWN_AT_MOST]), max(0, len(found) - SHOWN_AT_MOST)


def notes(run: Run) -> tuple[tuple[Noted, ...], int]:
    """What is noted on findings that need no action, each text once, and how many more there are than are shown."""
    found: dict[tuple[str, str], list[str]] = {}
    for finding in run.findings:
        if finding.status not in (Status.FAIL, Status.UNKNOWN):
            for note in finding.notes:
                found.setdefault((finding.control, note), []).append(finding.resource)
    rows = [
        Noted(
            control=control,
            note=note,
            resources=tuple(resources[:NAMED_AT_MOST]),
            more=max(0, len(resources) - NAMED_AT_MOST),
        )
        for (control, note), resources in found.items()
    ]
    return tuple(rows[:SHOWN_AT_MOST]), max(0, len(rows) - SHOWN_AT_MOST)


def scope(world: World) -> str:
    """How many tables were judged, of how many, and what is not known of that."""
    if world.inventory is None:
        return "no account was read: the policy alone is judged"
    subjects = list(tables_in_scope(world))
    judged = len({one.resource for one in subjects if isinstance(one, ScopedTable)})
    unread = sum(not isinstance(one, ScopedTable) and one.status is Status.UNKNOWN for one in subjects)
    regions = [region for account in world.inventory.accounts for region in account.regions]
    names = [region.table_names for region in regions]
    listed = sum(len(one) for one in names if not isinstance(one, Gap))
    said = [f"{judged} in the policy's scope, of {listed} listed in {len(regions)} region(s)"]
    said += [f"of {unread} it is not known whether they are"] if unread else []
    gaps = sum(isinstance(one, Gap) for one in names)
    said += [f"{gaps} region(s) could not be listed"] if gaps else []
    return "; ".join(said)


def worst(findings: Iterable[Finding]) -> Status:
    """The verdict that decides among several."""
    found = {finding.status for finding in findings}
    return next(status for status in WORST if status in found)


def _grouped(findings: Iterable[Finding], key: str) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(getattr(finding, key), []).append(finding)
    return groups
