"""Where a finding points: at the property that is at fault, or at the resource where that has no line of its own.

A sample of the sweep's changes that alter a property, and all that the exceptions are about; `python -m
tests.gate.sweep` tries whether each is noticed at all.
"""

from __future__ import annotations

import hashlib
import re

import pytest
from tests.gate.building import NOW, policy
from tests.gate.changes import Change, NodePath, every_change, our_stacks
from tests.gate.sweep import listed

from backcheck.finding import Finding, Location, Status
from backcheck.gate.judge import judge
from backcheck.template.node import Map, Node, Sequence

PROPERTY, RESOURCE, ELSEWHERE = "the property", "the resource", "elsewhere"
ALARM_AS_A_WHOLE = "metric, dimensions and threshold say together when an alarm goes off: the alarm is meant"
EXCEPTIONS: dict[str, tuple[str, str]] = {
    r"Validation(Failed|Missing)/Properties/(MetricName|Namespace|Dimensions|EvaluationPeriods|Threshold)": (
        RESOURCE, ALARM_AS_A_WHOLE),
    r"Function/Properties/EventInvokeConfig": (RESOURCE, "SAM names the resource that it refuses, and nothing of it"),
    r"AlertSubscription/Properties/TopicArn|AlertTopicPolicy/Properties/Topics": (
        RESOURCE, "moto breaks on what is no ARN: it is not known what AWS would say"),
    r"BackupFailed/Properties/EventPattern/detail-type": (
        ELSEWHERE, "then it is no rule on backups: the finding tells what the rules that are one leave out"),
    r"VaultKey/Properties/KeyPolicy/.*/Principal": (RESOURCE, "KMS says that a principal is invalid, and not whose"),
    r"DrillRole/.*/HandTheRestoreRolesToAwsBackup": (
        ELSEWHERE, "the finding is about the restore role, which is not passed, and not about who does not pass it"),
    r"dr: ~ RestoreRole/.*/UseTheKey/Action/": (
        ELSEWHERE, "what a restored table needs AWS's pages differ on: UNKNOWN, at the role's first property"),
}  # fmt: skip
"""Changes whose line is not told, where it points instead, and why."""


def _changes() -> list[Change]:
    """Sixty of those that alter what a control reads, the same ones each time, from everywhere."""
    altering = (one for one in every_change() if ": ~ " in one.name and one.name not in listed())
    return sorted(altering, key=lambda one: hashlib.sha256(one.name.encode()).digest())[:60]


SAMPLE = {change.name: change for change in _changes()}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_finding_points_at_the_property_at_fault(name: str) -> None:
    expected = next((one for pattern, (one, _) in EXCEPTIONS.items() if re.search(pattern, name)), PROPERTY)
    told = _told(SAMPLE[name])
    places = {_place(SAMPLE[name], one.location) for one in told if one.location}
    best = next((one for one in (PROPERTY, RESOURCE) if one in places), ELSEWHERE)
    assert best == expected, [(one.control, one.location, one.message) for one in told]


def _told(change: Change) -> list[Finding]:
    """What fails because of the change; what is not known, where nothing fails."""
    stacks = our_stacks()
    line_up = (*stacks[: change.stack], change.spec, *stacks[change.stack + 1 :])
    found = judge(line_up, policy(), NOW, lint=False).run.findings
    bad = [one for one in found if one.status in (Status.FAIL, Status.UNKNOWN)]
    return [one for one in bad if one.status is Status.FAIL] or bad


def _place(change: Change, at: Location) -> str:
    """What of the altered property a line is of: it, or one that holds it; its resource; or something else."""
    spec = our_stacks()[change.stack]
    lines = _lines(spec.template.section("Resources"), change.path)
    if at.file != spec.file:
        return ELSEWHERE
    return PROPERTY if at.line in lines[2:] else RESOURCE if at.line in lines else ELSEWHERE


def _lines(resources: Node, path: NodePath) -> list[int]:
    """Of the resource, of its Properties, and of each property down to the last; and of its value."""
    lines = []
    node = resources
    for token in path:
        if isinstance(node, Map):
            entry = node.entry(str(token))
            assert entry is not None
            lines.append(entry.mark.line)
            node = entry.value
        else:
            assert isinstance(node, Sequence)
            node = node.items[int(token)]
            lines.append(node.mark.line)
    return [*lines, node.mark.line] if len(path) > 2 else [lines[0], *lines, node.mark.line]
