"""POL-01: the policy is valid by its schema."""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, verdict
from backcheck.controls.subjects import PolicySubject, the_policy
from backcheck.finding import Severity, Verdict
from backcheck.policy.document import Document
from backcheck.policy.long_form import long_form
from backcheck.policy.schema import problems_in


@control(
    id="POL-01",
    title="The policy is valid by its schema",
    severity=Severity.CRITICAL,
    reads=POLICY_ONLY,
    each=the_policy,
    why="A key that is misspelt or missing is a promise that nothing checks.",
    remedy="Change the value as the message says; an editor that knows policy.schema.json shows it as you type.",
    sources=("https://json-schema.org/draft/2020-12",),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={"a policy that loads": examples.world},
    fails={
        "kept for no time": lambda: examples.world(policy=examples.policy(tiers=(examples.tier(retention_days=0),))),
        "a PITR window that AWS does not have": lambda: examples.world(
            policy=examples.policy(pitr=examples.pitr_promise(window_days=36))
        ),
    },
    no_unknown="a file that cannot be read does not load: exit 4, before any control",
)
def policy_is_valid(subject: PolicySubject, world: World) -> Iterator[Verdict]:
    """The policy, written out in full, has no error by the schema; a file with one does not load at all."""
    policy = subject.policy
    problems = problems_in(Document(value=long_form(policy), keys={}, values={}))
    for problem in problems:
        yield verdict(
            False,
            expected="valid by policy.schema.json",
            observed=problem.message,
            at=problem.path,
            message=f"{problem.path} {problem.message}",
            resource=policy.resource(problem.path),
        )
    if not problems:
        yield verdict(
            True,
            expected="0 errors by policy.schema.json",
            observed="0 errors",
            at="policy.schema.json",
            message="the policy is valid by its schema",
        )
