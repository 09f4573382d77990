"""`--parameters FILE`: every way in which parameters are written down, and what is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backcheck.errors import Error
from backcheck.gate.stacks import parameters_of

FILES = {
    "a map": ("A: one\nB: two\n", {"": {"A": "one", "B": "two"}}),
    "a map of stacks": ("A: one\ndr: {B: two}\n", {"": {"A": "one"}, "dr": {"B": "two"}}),
    "CloudFormation's list": ('[{"ParameterKey": "A", "ParameterValue": "one"}]', {"": {"A": "one"}}),
    "a pipeline's configuration": ('{"Parameters": {"A": "one"}, "Tags": {"Team": "x"}}', {"": {"A": "one"}}),
    "a list of strings": ("A: [one, two]\n", {"": {"A": "one,two"}}),
    "values as they are written": (
        "A: 2026-11-22\nB: 012345670123\nC: yes\nD: 1.10\nE: ''\n",
        {"": {"A": "2026-11-22", "B": "012345670123", "C": "yes", "D": "1.10", "E": ""}},
    ),
    "with a byte order mark": ("\ufeffA: one\n", {"": {"A": "one"}}),
}
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in ("ab", "bc", "cd", "de", "ef", "fg")
)
WRONG = {
    "nothing": ("", "holds no parameters"),
    "a word": ("hello", "holds no parameters"),
    "broken": ("A: [1", "not valid YAML or JSON"),
    "another list": ("[{Name: A}]", "wrong:1: an item is not ParameterKey and ParameterValue"),
    "no value": ("A: one\nB:\n", "wrong:2: a parameter's value is a string"),
    "maps too deep": ("dr: {A: {B: two}}\n", "wrong:1: a parameter's value is a string"),
    "a name twice": ("A: one\nA: two\n", "A is given twice"),
    "too large": ("# " + "x" * 1_048_576, "CloudFormation takes at most"),
    "aliases that stand for millions": (BOMB, "holds more than 200,000 values"),
}


@pytest.mark.parametrize("case", FILES)
def test_parameters_are_read(case: str, tmp_path: Path) -> None:
    text, expected = FILES[case]
    path = tmp_path / "parameters"
    path.write_text(text)
    assert parameters_of((), path) == expected
    assert parameters_of(("A=given",), path)[""]["A"] == "given"


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_parameters_is_told_with_the_file(case: str, tmp_path: Path) -> None:
    text, message = WRONG[case]
    path = tmp_path / "wrong"
    path.write_text(text)
    with pytest.raises(Error) as raised:
        parameters_of((), path)
    assert message in raised.value.diagnostics()
    assert str(path) in raised.value.diagnostics()


@pytest.mark.parametrize("kind", ["a device", "a pipe"])
def test_a_file_without_an_end_is_not_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "endless"
    if kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path)
    with pytest.raises(Error, match="it is no regular file"):
        parameters_of((), path)
