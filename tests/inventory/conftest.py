"""One compliant account for each module of the collector's tests: it takes seconds to make, and they only read.

Not one for the folder: pytest would keep it open until the session ends, and only one sandbox is open at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import boto3
import pytest
from tests.test_scenarios import record

from backcheck.audit import audit
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.finding import Run
from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.inventory.model import Inventory
from backcheck.policy.load import load
from backcheck.policy.model import Method, Policy
from backcheck.sandbox import Sandbox

TECHMODA = Path("policies/techmoda.yaml")


@pytest.fixture(scope="module")
def techmoda_policy(pytestconfig: pytest.Config) -> Policy:
    return load(pytestconfig.rootpath / TECHMODA)


@pytest.fixture(scope="module")
def open_account() -> Iterator[Sandbox]:
    with Sandbox.from_scenario("techmoda") as sandbox:
        yield sandbox


@pytest.fixture
def account(open_account: Sandbox) -> Iterator[Sandbox]:
    """The account, without faults before and after."""
    open_account.faults.calls.clear()
    yield open_account
    open_account.faults.calls.clear()


@cache
def session_of(sandbox: Sandbox) -> boto3.Session:
    """One for all tests: a session reads botocore's models once, which costs more than the calls."""
    return sandbox.session()


def judged(inventory: Inventory, policy: Policy) -> Run:
    """The audit, with a drill of each kind: where everything is answered it is green, so what is not is a fault's."""
    now = inventory.taken_at
    drills = tuple(record(method, now) for method in Method)
    return audit(World(policy=policy, now=now, inventory=inventory, drills=drills), CONTROLS, "0" * 64)


def read(sandbox: Sandbox, policy: Policy, *, regions: tuple[str, ...] = ()) -> Inventory:
    """The sandbox's account as the collector sees it."""
    targets = [Target(account=policy.accounts[0], session=session_of(sandbox), kind=Kind.SANDBOX)]
    return collect(targets, policy, sandbox.clock.now, regions=regions)
