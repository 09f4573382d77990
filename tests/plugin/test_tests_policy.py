"""The shipped suite asserts every control of the catalogue exactly once."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from backcheck import coverage, waivers
from backcheck.controls import CONTROLS


def marked(folder: Path) -> Counter[str]:
    """The ids in every `pytest.mark.controls(...)` of the modules."""
    found: Counter[str] = Counter()
    for module in sorted(folder.glob("test_*.py")):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "controls":
                found.update(str(one.value) for one in node.args if isinstance(one, ast.Constant))
    return found


def test_each_control_is_asserted_once(pytestconfig: pytest.Config) -> None:
    expected = {one.id for one in CONTROLS} | {coverage.CONTROL, waivers.CONTROL}
    assert marked(pytestconfig.rootpath / "tests_policy") == Counter(dict.fromkeys(expected, 1))
