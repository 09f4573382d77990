"""One drill of everything that the policy wants drilled, made when the first test asks for it.

Nothing is restored without --allow-destructive: the tests are then left out, or are errors where they were named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backcheck.drill.opening import opened
from backcheck.drill.reach import Patience
from backcheck.drill.record import DrillRecord
from backcheck.drill.session import Done, perform
from backcheck.drill.verdict import Facts
from backcheck.policy.load import load
from backcheck.policy.model import Method, Policy
from backcheck.suite import choice_of

HERE = Path(__file__).parent

NOT_ALLOWED = "these tests make tables and delete them again: say --allow-destructive, and name a policy and an account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """What one method has shown, one restore a table."""

    policy: Policy
    method: Method
    records: tuple[DrillRecord, ...]
    facts: tuple[Facts, ...]
    not_known: tuple[str, ...]
    """Why it could not be tried, where a call did not answer."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tier out where it is not allowed, unless somebody asked for it by name: then it has to say why not."""
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    if config.getoption("allow_destructive") or _is_named(config) or not mine:
        return
    config.hook.pytest_deselected(items=mine)
    items[:] = [item for item in items if item not in mine]


def _is_named(config: pytest.Config) -> bool:
    folder = config.invocation_params.dir
    named = [(folder / argument.partition("::")[0]).resolve() for argument in config.args]
    return any(path.is_relative_to(HERE) for path in named)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each method that the policy wants."""
    if "drilled" in metafunc.fixturenames:
        methods = _methods(metafunc.config)
        metafunc.parametrize("drilled", methods, ids=[str(one) for one in methods], indirect=True, scope="session")


def _methods(config: pytest.Config) -> tuple[Method, ...]:
    if not config.getoption("policy"):
        return tuple(Method)
    drill = load(config.invocation_params.dir / config.getoption("policy")).drill
    if drill is None:
        raise pytest.UsageError("the policy has no drill section: there is nothing to restore")
    return drill.methods


@pytest.fixture(scope="session")
def done(request: pytest.FixtureRequest) -> Iterator[tuple[Policy, Done]]:
    """The drill."""
    config = request.config
    if not (config.getoption("allow_destructive") and config.getoption("policy") and config.getoption("out")):
        raise pytest.UsageError(f"{NOT_ALLOWED}, and --out DIR")
    if hasattr(config, "workerinput"):
        raise pytest.UsageError("each worker would drill for itself: run the destructive tier without -n")
    folder = config.invocation_params.dir
    policy = load(folder / config.getoption("policy"))
    with opened(choice_of(config, folder), policy) as account:
        yield policy, perform(policy, account, {}, Patience(), folder / config.getoption("out"))


@pytest.fixture(scope="session")
def drilled(request: pytest.FixtureRequest, done: tuple[Policy, Done]) -> Drilled:
    """One method of the drill."""
    method: Method = request.param
    policy, whole = done
    return Drilled(
        policy=policy,
        method=method,
        records=tuple(one for one in whole.records if one.method == method),
        facts=tuple(one for one in whole.facts if one.restore.method is method),
        not_known=tuple(o.text for o in whole.plan.obstacles if o.method is method and not o.known),
    )


@pytest.fixture(autouse=True)
def _told(request: pytest.FixtureRequest) -> None:
    """Phases, counts and digests into the report of each test; never an item."""
    if "drilled" not in request.fixturenames:
        return
    drilled: Drilled = request.getfixturevalue("drilled")
    for facts in drilled.facts:
        told = [f"{one.name}: {one.seconds:.0f} s" for one in facts.phases]
        if facts.compared:
            found = facts.compared
            told.append(f"items: {found.witness_items} expected, {found.restored_items} restored")
            told.append(f"digests: {found.witness_digest} expected, {found.restored_digest} restored")
            told += [f"{one.kind}: key {one.digest}" for one in found.listed]
        request.node.add_report_section("call", f"{drilled.method} of {facts.restore.source.name}", "\n".join(told))
