"""Controls of a user's own: found, or refused with the reason."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from backcheck.controls import examples
from backcheck.controls.own import own_controls
from backcheck.errors import UsageError
from backcheck.evaluate import evaluate
from backcheck.finding import Status

CONTROL = """
from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, control, expect
from backcheck.controls.pit_01_pitr_on import pitr_is_on
from backcheck.controls.subjects import tables_in_scope
from backcheck.finding import Severity

@control(
    id={id!r}, title="Tables are on demand", severity=Severity.LOW, reads=ACCOUNT_ONLY, each=tables_in_scope,
    why="w", remedy="r", sources=(), passes={{"a": examples.world}}, fails={{}},
)
def on_demand(subject, world):
    return expect(subject.table.name, equals="techmoda-products", at="DescribeTable.TableName", message="m")
"""


def write(folder: Path, text: str) -> Path:
    """A file with that text."""
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_files_controls_are_found_without_what_it_imports(tmp_path: Path) -> None:
    found = own_controls([write(tmp_path, CONTROL.format(id="ACME-01"))], [])
    assert [one.id for one in found] == ["ACME-01"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CONTROL.format(id="PIT-01"), "there are two controls PIT-01"),
        (CONTROL.format(id="mine"), "the control id 'mine' is odd"),
        ("", "has no control"),
        ("1/0", "cannot be imported: ZeroDivisionError"),
        ("def", "cannot be imported: SyntaxError"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        own_controls([write(tmp_path, text)], [])


@pytest.mark.parametrize("name", ["missing.py", "notes.txt"])
def test_what_is_no_python_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not a Python file"):
        own_controls([tmp_path / name], [])


def test_installed_packages_offer_controls() -> None:
    point = EntryPoint(name="pitr", value="backcheck.errors:Error", group="backcheck.controls")
    with pytest.raises(UsageError, match="the entry point pitr offers a type, not a control"):
        own_controls([], [point])
    taken = EntryPoint(name="again", value="backcheck.controls:CONTROLS", group="backcheck.controls")
    with pytest.raises(UsageError, match="there are two controls POL-01"):
        own_controls([], [taken])


def test_a_control_that_crashes_is_unknown_and_says_where(tmp_path: Path) -> None:
    text = CONTROL.format(id="ACME-01").replace("return expect(", 'raise KeyError("orders")\n    return expect(')
    file = write(tmp_path, text)
    (finding,) = evaluate(examples.world(), own_controls([file], []))
    line = text[: text.index("raise KeyError")].count("\n") + 1
    assert finding.status is Status.UNKNOWN
    assert finding.message == f"the control itself failed: KeyError: 'orders' (mine.py:{line})"
