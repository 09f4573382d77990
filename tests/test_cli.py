"""The command line: what every outcome's exit code is."""

from __future__ import annotations

import pytest

from backcheck import cli


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["--version"], 0), (["nonsense"], 4), (["--nonsense"], 4)]
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    assert cli.run(arguments) == code
