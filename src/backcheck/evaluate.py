"""evaluate(world, controls) -> findings: pure, without I/O or clock."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePath

from backcheck.controls.control import AnyControl, World, unknown
from backcheck.finding import Finding, Location, Status, Verdict
from backcheck.policy.model import Policy

WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.WAIVED, Status.PASS, Status.NOT_APPLICABLE)


def evaluate(world: World, controls: Iterable[AnyControl]) -> tuple[Finding, ...]:
    """Every finding of every control that can be judged in this world, sorted by control, resource and tier."""
    findings = [finding for one in controls if one.reads & world.reads for finding in _findings(one, world)]
    return tuple(sorted(findings, key=lambda finding: finding.key))


def _findings(one: AnyControl, world: World) -> Iterator[Finding]:
    try:
        verdicts = tuple(one.judge(world))
    except Exception as error:  # noqa: BLE001  a control that crashes has determined nothing: say so, never be silent
        why = f"the control itself failed: {type(error).__name__}: {error} ({_place(error)})"
        verdicts = (unknown(why, at=f"control {one.id}", resource=world.policy.resource()),)
    for about in _by_subject(verdicts).values():
        yield _finding(one, _as_one(about), world)


def _place(error: Exception) -> str:
    """Where it was raised, as file and line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{PurePath(last.filename).name}:{last.lineno}"


def _by_subject(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    found: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault((verdict.resource, verdict.tier or ""), []).append(verdict)
    return found


def _as_one(verdicts: list[Verdict]) -> Verdict:
    """One verdict on one resource and tier: the worst decides and speaks, the notes of all are kept.

    Two findings with one key could not be told apart by a waiver or a baseline: a new FAIL could pass for a known one.
    """
    if len(verdicts) == 1 and not verdicts[0].notes and not verdicts[0].instances:
        return verdicts[0]
    worst = min((verdict.status for verdict in verdicts), key=WORST_FIRST.index)
    deciding = [verdict for verdict in verdicts if verdict.status is worst]
    return replace(
        deciding[0],
        message=_joined(verdict.message for verdict in deciding),
        expected=_joined(verdict.expected for verdict in deciding),
        observed=_joined(verdict.observed for verdict in deciding),
        notes=tuple(dict.fromkeys(note for verdict in verdicts for note in verdict.notes)),
        instances=tuple(sorted({one for verdict in deciding for one in verdict.instances})),
    )


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _finding(one: AnyControl, verdict: Verdict, world: World) -> Finding:
    return Finding(
        control=one.id,
        status=verdict.status,
        severity=one.severity,
        resource=verdict.resource,
        tier=verdict.tier,
        expected=verdict.expected,
        observed=verdict.observed,
        at=verdict.at,
        message=verdict.message,
        notes=verdict.notes,
        remediation=one.remedy,
        maps_to=one.maps_to,
        location=verdict.location or _line_of(verdict, world.policy),
        instances=verdict.instances,
    )


def _line_of(verdict: Verdict, policy: Policy) -> Location | None:
    """Where the policy's file says what a verdict on the policy is about."""
    whole = policy.resource()
    if not verdict.resource.startswith(whole):
        return None
    pointer = verdict.at if verdict.at.startswith("/") else verdict.resource.removeprefix(whole)
    line = policy.source.line_of(pointer) or policy.source.line_of(verdict.resource.removeprefix(whole))
    return Location(file=policy.source.file, line=line) if line else None
