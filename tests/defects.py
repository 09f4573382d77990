"""The lab's defects that a policy shows: how each shows on the lab's version, and which test of ours holds it.

One row a defect of layer SCH (the schema refuses it) or SEM (lint finds it). tests/test_defects.py runs every row.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from backcheck.commands.policy_lint import lint
from backcheck.errors import PolicyError
from backcheck.finding import Finding, Status
from backcheck.policy.calendar import Calendar, calendar_of
from backcheck.policy.load import load, parse

ROOT = Path(__file__).parents[1]
LAB = ROOT / "fixtures" / "policies" / "bad" / "lab-as-written.yaml"
AT = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One defect of the lab."""

    number: str
    """As the list of the lab's defects counts."""
    layer: str
    """SCH or SEM."""
    says: str
    shows: Callable[[], str]
    """Runs our code on the lab's version, and gives back what it says; empty where the defect does not show."""
    expected: str
    """What must be in that."""
    held_by: str
    """The test that keeps it from coming back: file::test."""


@cache
def findings() -> tuple[Finding, ...]:
    """What lint says of the lab's rules as they were written."""
    return lint(load(LAB), AT)


def fails(control: str, tier: str = "") -> str:
    """The messages of a control's FAILs on the lab's rules."""
    found = (f for f in findings() if f.control == control and f.status is Status.FAIL)
    return "\n".join(f.message for f in found if (f.tier or "").endswith(tier))


def notes(control: str) -> str:
    """The notes of a control on the lab's rules."""
    return "\n".join(note for f in findings() if f.control == control for note in f.notes)


def without(key: str) -> str:
    """What is said of the lab's policy without a top-level key, as its document leaves it out."""
    kept, skipping = [], False
    for line in LAB.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            skipping = line.startswith(f"{key}:")
        if not skipping:
            kept.append(line)
    try:
        parse("\n".join(kept), file="lab.yaml")
    except PolicyError as error:
        return error.diagnostics()
    return ""


def with_a_duty_that_nothing_shows() -> str:
    """What lint says of the lab's sentence about its compliance team, written as a duty."""
    duty = "duties: {compliance: {does: Ensure backup retention meets regulatory requirements}}\n"
    policy = parse(LAB.read_text(encoding="utf-8") + duty, file="lab.yaml")
    found = (f for f in lint(policy, AT) if f.control == "POL-12" and f.status is Status.FAIL)
    return "\n".join(f.message for f in found)


def year(number: int) -> Calendar:
    """The lab's rules over one year."""
    start = datetime(number, 1, 1, tzinfo=UTC)
    return calendar_of(load(LAB).tiers, start, start.replace(year=number + 1))


def days_without_a_copy() -> str:
    """Counted on the calendar itself, year by year."""
    counts = (f"{number}: {len(year(number).days_without_copy(['techmoda-vault-dr']))}" for number in (2026, 2027))
    return ", ".join(counts)


def deadlines_after_the_validation() -> str:
    """When the lab's weekly and monthly backups may be complete, as against 05:00."""
    late = {
        outcome.firing.tier.name: outcome.deadline
        for outcome in year(2026).effective
        if outcome.deadline - outcome.firing.at > timedelta(hours=5)
    }
    return ", ".join(f"{name} by {deadline:%H:%M}" for name, deadline in sorted(late.items()))


def archive_outside_the_region() -> str:
    """Which of the lab's tiers have no copy at all."""
    return ", ".join(tier.name for tier in load(LAB).tiers if not tier.copies)


def the_document_that_was_saved() -> str:
    """What lint says of the file that the lab's own command leaves."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "backup-policy.md")
        saved.write_text("# Backup Policy content here...\n", encoding="utf-8")  # what its echo writes
        found = lint(load(LAB), AT, saved)
    return "\n".join(one.message for one in found if one.control == "DRF-02" and one.status is Status.FAIL)


DEFECTS: tuple[Defect, ...] = (
    Defect(
        number="D01",
        layer="SEM",
        says="Weekly: cold after 30 days, deleted after 90; AWS wants 120",
        shows=lambda: fails("POL-02", "weekly"),
        expected="cold after 30 days + 90 days in cold storage = 120 days, it is kept 90 days: AWS refuses the plan",
        held_by="tests/policy/test_bad_policies.py::test_the_labs_rules_as_written",
    ),
    Defect(
        number="D18",
        layer="SEM",
        says="Weekly and monthly replace the daily backup and do not copy: no DR copy on 61 days of 2026, 63 of 2027",
        shows=days_without_a_copy,
        expected="2026: 61, 2027: 63",
        held_by="tests/policy/test_bad_policies.py::test_the_labs_rules_as_written",
    ),
    Defect(
        number="D18",
        layer="SEM",
        says="The same, as lint says it: with the dates, and up to 3 days between copies",
        shows=lambda: fails("POL-06", "weekly"),
        expected="on 61 days of 2026 and on 63 days of 2027, first on 2026-01-01, 2026-01-04",
        held_by="tests/policy/test_bad_policies.py::test_only_one_control_refuses_it",
    ),
    Defect(
        number="D19",
        layer="SEM",
        says="A weekly backup may be complete at 06:00, a monthly one at 09:00: after the validation at 05:00",
        shows=deadlines_after_the_validation,
        expected="monthly by 09:00, weekly by 06:00",
        held_by="tests/controls/test_examples.py::test_a_passing_example_passes",
    ),
    Defect(
        number="D19",
        layer="SEM",
        says="So the validation must bear with a job that is still running",
        shows=lambda: notes("POL-10"),
        expected="24 of 730 runs come before techmoda-backup-plan/monthly must be complete",
        held_by="tests/controls/test_examples.py::test_a_failing_example_fails_and_says_so",
    ),
    Defect(
        number="D25",
        layer="SEM",
        says="The archive of the weekly and the monthly tier dies with the Region",
        shows=archive_outside_the_region,
        expected="weekly, monthly",
        held_by="tests/policy/test_bad_policies.py::test_only_one_control_refuses_it",
    ),
    Defect(
        number="D38",
        layer="SEM",
        says="'Save this document' writes one line, a placeholder, over the document that people are to act by",
        shows=the_document_that_was_saved,
        expected="the document differs from the policy in line 1",
        held_by="tests/commands/test_policy_lint.py::test_the_document_is_held_to_the_policy",
    ),
    Defect(
        number="D39",
        layer="SCH",
        says="No RTO and no RPO anywhere",
        shows=lambda: without("objectives"),
        expected="`objectives` is missing. How much may be lost (RPO) and how long coming back may take (RTO)",
        held_by="tests/policy/test_refused.py::test_says_where_and_what",
    ),
    Defect(
        number="D40",
        layer="SCH",
        says="Nobody answers for the policy",
        shows=lambda: without("owner"),
        expected="`owner` is missing. Who answers for the policy",
        held_by="tests/policy/test_refused.py::test_says_where_and_what",
    ),
    Defect(
        number="D40",
        layer="SCH",
        says="'Meets regulatory requirements': nothing shows it",
        shows=with_a_duty_that_nothing_shows,
        expected="compliance: Ensure backup retention meets regulatory requirements: nothing shows that it is done",
        held_by="tests/policy/test_bad_policies.py::test_only_one_control_refuses_it",
    ),
    Defect(
        number="D40",
        layer="SCH",
        says="'Reviewed quarterly': there is no date",
        shows=lambda: notes("POL-12"),
        expected="the policy names no day for its next review",
        held_by="tests/policy/test_bad_policies.py::test_only_one_control_refuses_it",
    ),
)
