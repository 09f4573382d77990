from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.drill.building import START, Shop, policy

from backcheck.controls import examples
from backcheck.sandbox import Sandbox


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Sandbox(account=examples.ACCOUNT, start=START) as sandbox:
        yield Shop(sandbox=sandbox, folder=tmp_path / "ledgers", policy=policy())
