from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.reconcile.shop import ACCOUNT, SMALL, START, Shop

from backcheck.sandbox import Sandbox


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A small incident, over."""
    with Sandbox(account=ACCOUNT, start=START) as sandbox:
        made = Shop(sandbox=sandbox, size=SMALL)
        made.happen()
        yield made
