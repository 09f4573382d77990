"""POL-12: the policy is reviewed, its duties have evidence, its statements lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, verdict
from backcheck.controls.subjects import PolicySubject, the_policy
from backcheck.finding import Severity, Verdict
from backcheck.policy.document import Json, resolve
from backcheck.policy.long_form import long_form
from backcheck.policy.model import Duty, Policy, Statement


@control(
    id="POL-12",
    title="The policy is reviewed, its duties have evidence, its statements lead somewhere",
    severity=Severity.MEDIUM,
    reads=POLICY_ONLY,
    each=the_policy,
    why="A duty that nothing shows, and a sentence that no line of the policy holds, are kept by nobody.",
    remedy="Review and set next_review; name evidence in shown_by; point each statement at what holds it.",
    sources=("https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final", "https://www.rfc-editor.org/rfc/rfc6901"),
    maps_to=("NIST-800-53r5:CP-1", "NIST-800-53r5:CP-2"),
    passes={
        "no date: a note": examples.world,
        "today is the day": lambda: examples.world(policy=examples.policy(next_review=examples.NOW.date())),
        "a duty that alerts show": lambda: _duty("alerts"),
        "a statement about the window": lambda: _statement("/pitr/window_days"),
    },
    fails={
        "the review is overdue": lambda: examples.world(policy=examples.policy(next_review=date(2026, 11, 21))),
        "a duty that nothing shows": lambda: _duty(),
        "a duty shown by what the policy lacks": lambda: _duty("next_review"),
        "a statement about nothing": lambda: _statement("/pitr/window"),
    },
    no_unknown="the policy alone is read",
)
def policy_is_owned_and_traced(subject: PolicySubject, world: World) -> Iterator[Verdict]:
    """The review is not overdue, every duty is shown by something that the policy has, every pointer resolves."""
    policy = subject.policy
    yield _review(policy, world.now.date())
    for duty in policy.duties:
        yield _shown(duty, policy)
    written = long_form(policy) if policy.statements else {}
    for index, statement in enumerate(policy.statements):
        lost = [pointer for pointer in statement.at if not _leads_somewhere(written, pointer)]
        yield _traced(policy, statement, index, lost)


def _review(policy: Policy, today: date) -> Verdict:
    due = policy.next_review
    notes = [] if due else ["the policy names no day for its next review: set next_review"]
    if policy.effective_from and policy.effective_from > today:
        notes.append(f"the policy holds from {policy.effective_from} only: until then no backup is due, see RP-01")
    return verdict(
        due is None or due >= today,
        expected=f"next_review on {today} or later",
        observed=str(due or "no date"),
        at="/next_review",
        message=f"the review was due on {due}" if due and due < today else f"the next review is on {due or 'no day'}",
        notes=tuple(notes),
        resource=policy.resource("/next_review") if due else "",
    )


def _shown(duty: Duty, policy: Policy) -> Verdict:
    absent = {
        "next_review": policy.next_review is None,
        "alerts": policy.validation is None or policy.validation.alerts is None,
        "drill": policy.drill is None,
    }
    lacking = [evidence for evidence in duty.shown_by if absent.get(evidence)]
    at = f"/duties/{duty.team}"
    said = f"the policy has no {' and no '.join(lacking)}" if lacking else "nothing shows that it is done"
    holds = bool(duty.shown_by) and not lacking
    return verdict(
        holds,
        expected="evidence in shown_by, of a kind that the policy has",
        observed=", ".join(duty.shown_by) or "none",
        at=f"{at}/shown_by",
        message=f"{duty.team}: {duty.does}: " + (f"shown by {', '.join(duty.shown_by)}" if holds else said),
        resource=policy.resource(at),
    )


def _leads_somewhere(written: dict[str, Json], pointer: str) -> bool:
    try:
        resolve(written, pointer)
    except KeyError:
        return False
    return True


def _traced(policy: Policy, statement: Statement, index: int, lost: list[str]) -> Verdict:
    at = f"/statements/{index}"
    return verdict(
        not lost,
        expected="every pointer names something in the policy",
        observed=f"nothing at {', '.join(lost)}" if lost else ", ".join(statement.at),
        at=f"{at}/at",
        message=f"{statement.id} ({statement.says}) "
        + (f"points at {', '.join(lost)}, where nothing is" if lost else f"is held by {', '.join(statement.at)}"),
        notes=(f"deviation: {statement.deviation}",) if statement.deviation else (),
        resource=policy.resource(at),
    )


def _duty(*shown_by: str) -> World:
    duty = Duty(team="operations", does="Responds to failures", shown_by=shown_by)
    return examples.world(policy=examples.policy(duties=(duty,)))


def _statement(pointer: str) -> World:
    statement = Statement(id="S1", says="Any point within the last 35 days", at=(pointer,))
    return examples.world(policy=examples.policy(statements=(statement,)))
