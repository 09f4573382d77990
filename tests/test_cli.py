"""The command line: what every outcome's exit code is."""

from __future__ import annotations

import sys
from types import ModuleType

import click
import pytest

from backcheck import cli
from backcheck.commands import policy
from backcheck.commands.lazy import Lazy, LazyGroup
from backcheck.errors import Error, UsageError


def raising(error: BaseException) -> click.Command:
    """A command that fails."""

    def fail() -> None:
        raise error

    return click.Command("fail", callback=fail)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for a command named `fail` in a module of its own."""
    monkeypatch.setitem(cli.COMMANDS, "fail", Lazy("backcheck_fake_command:command", "Fail."))


def use(monkeypatch: pytest.MonkeyPatch, command: click.Command) -> None:
    """Put `command` where the group will import it."""
    module = ModuleType("backcheck_fake_command")
    module.__dict__["command"] = command
    monkeypatch.setitem(sys.modules, "backcheck_fake_command", module)


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["--version"], 0), (["nonsense"], 4), (["--nonsense"], 4), ([], 4)]
)
def test_exit_codes_of_the_group(arguments: list[str], code: int) -> None:
    assert cli.run(arguments) == code


@pytest.mark.usefixtures("install")
@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (Error("it broke", where="a:1", hint="mend it"), 2, "backcheck: a:1: it broke\n  try: mend it"),
        (UsageError("two accounts"), 4, "backcheck: two accounts"),
        (click.UsageError("no such thing"), 4, "Error: no such thing"),
        (click.ClickException("no such file"), 4, "Error: no such file"),
        (ValueError("oops"), 2, "backcheck: internal error: ValueError: oops"),
        (
            ModuleNotFoundError("no", name="moto.core"),
            2,
            "this needs the package moto.core\n  try: pip install 'backcheck[sandbox]'",
        ),
        (KeyboardInterrupt(), 130, "backcheck: interrupted"),
    ],
)
def test_every_failure_has_a_code_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, says: str
) -> None:
    use(monkeypatch, raising(error))
    assert cli.run(["fail"]) == code
    shown = capsys.readouterr().err
    assert says in shown
    assert "Traceback" not in shown


@pytest.mark.usefixtures("install")
def test_verbose_shows_the_traceback_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, raising(ValueError("oops")))
    assert cli.run(["fail", "--verbose"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.usefixtures("install")
def test_a_command_returns_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, click.Command("fail", callback=lambda: 1))
    assert cli.run(["fail"]) == 1


def test_every_command_in_the_table_can_be_imported(capsys: pytest.CaptureFixture[str]) -> None:
    for name in cli.COMMANDS:
        assert cli.run([name, "--help"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("group", [cli.backcheck, policy.command], ids=lambda group: group.name)
def test_the_list_of_commands_says_what_each_says_of_itself(group: LazyGroup) -> None:
    context = click.Context(group)
    for name, lazy in group.targets.items():
        command = group.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(limit=1000) == lazy.summary


def test_the_list_of_commands_imports_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "fail", Lazy("no_such_module:command", "Fail."))
    assert cli.run(["--help"]) == 0
