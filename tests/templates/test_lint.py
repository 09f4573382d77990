from __future__ import annotations

import pytest
from cfnlint.api import lint_file
from tests.templates.reading import FOLDER, NAMES


def test_every_template_is_looked_at() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    matches = [
        f"{match.rule.id} line {match.linenumber}: {match.message}" for match in lint_file(FOLDER / f"{name}.yaml")
    ]
    assert matches == []
