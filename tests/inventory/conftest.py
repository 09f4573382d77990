"""One compliant account for each module of the collector's tests: it takes seconds to make, and they only read.

Not one for the folder: pytest would keep it open until the session ends, and only one sandbox is open at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import boto3
import pytest

from backcheck.inventory.collect import collect
from backcheck.inventory.collect.connect import Kind, Target
from backcheck.inventory.model import Inventory
from backcheck.policy.load import load
from backcheck.policy.model import Policy
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


def read(sandbox: Sandbox, policy: Policy, *, regions: tuple[str, ...] = ()) -> Inventory:
    """The sandbox's account as the collector sees it."""
    targets = [Target(account=policy.accounts[0], session=session_of(sandbox), kind=Kind.SANDBOX)]
    return collect(targets, policy, sandbox.clock.now, regions=regions)
