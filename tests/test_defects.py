"""Every row of the table of defects: it shows on the lab's version, and the test that holds it is there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.defects import DEFECTS, ROOT, Defect

SCH_OR_SEM = {"D01", "D18", "D19", "D25", "D38", "D39", "D40"}
"""The numbers of the lab's list whose layer is the schema or the lint of the policy."""


@pytest.mark.parametrize("row", DEFECTS, ids=lambda row: f"{row.number}-{row.layer}-{row.expected[:20]}")
def test_it_shows_on_the_labs_version(row: Defect) -> None:
    assert row.expected in row.shows()


@pytest.mark.parametrize("named", sorted({row.held_by for row in DEFECTS}))
def test_the_test_that_holds_it_exists(named: str) -> None:
    file, _, function = named.partition("::")
    tree = ast.parse((ROOT / Path(file)).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_no_defect_is_left_out() -> None:
    assert {row.number for row in DEFECTS if row.layer in ("SCH", "SEM")} == SCH_OR_SEM
