"""The sweep's list of survivors, held to a sample of the sweep; `python -m tests.gate.sweep` tries every change."""

from __future__ import annotations

import hashlib

import pytest
from tests.gate.changes import every_change
from tests.gate.sweep import DOCUMENT, document, listed, noticed

CHANGES = {change.name: change for change in every_change()}


def _sample(names: set[str], count: int) -> list[str]:
    """The same ones each time, from everywhere."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:count]


SURVIVING = _sample(set(listed()), 10)
NOTICED = _sample(CHANGES.keys() - listed().keys(), 14)


@pytest.mark.parametrize("name", NOTICED)
def test_what_is_not_listed_is_noticed(name: str) -> None:
    assert noticed(CHANGES[name])


@pytest.mark.parametrize("name", SURVIVING)
def test_what_is_listed_is_not_noticed(name: str) -> None:
    assert noticed(CHANGES[name]) == ()


def test_every_survivor_is_a_change_that_there_is() -> None:
    assert listed().keys() <= CHANGES.keys()
    assert all(why.endswith(".") for why in listed().values())


def test_the_page_is_generated() -> None:
    assert DOCUMENT.read_text() == document(), "write it anew: python -m tests.gate.sweep --document"
