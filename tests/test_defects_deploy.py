"""Every row of the table of defects in template and code: it shows on the lab's version, and its test is there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.defects import ROOT, Defect
from tests.defects_deploy import DEFECTS

ELSEWHERE = {"D01", "D18", "D19", "D25", "D38", "D39", "D40"}
"""Defects of the policy and of its document: tests/defects.py has them."""


@pytest.mark.parametrize("row", DEFECTS, ids=lambda row: f"{row.number}-{row.layer}")
def test_it_shows_on_the_labs_version(row: Defect) -> None:
    assert row.expected in row.shows()


@pytest.mark.parametrize("named", sorted({row.held_by for row in DEFECTS}))
def test_the_test_that_holds_it_exists(named: str) -> None:
    file, _, function = named.partition("::")
    tree = ast.parse((ROOT / Path(file)).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_no_defect_is_left_out() -> None:
    assert {row.number for row in DEFECTS} == {f"D{number:02}" for number in range(1, 45)} - ELSEWHERE
