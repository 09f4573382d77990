"""`backcheck sandbox --template`: the account begins with a stack, or says why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backcheck.commands import sandbox
from backcheck.errors import Error, UsageError

LAB = Path(__file__).parents[2] / "fixtures" / "templates" / "lab"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(sandbox, "_wait", lambda: None)
    return CliRunner()


def called(run: CliRunner, *arguments: str) -> Result:
    return run.invoke(sandbox.command, ["--port", "0", *arguments], standalone_mode=False)


def test_a_template_is_deployed_and_served(run: CliRunner) -> None:
    result = called(run, "--template", str(LAB / "mutations/00.yaml"))
    assert result.exception is None
    assert "00.yaml: 12 of 13 resources" in result.stderr
    assert "TestPITRRestore: custom resources are recorded, not run" in result.stderr
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:" in result.stdout


def test_a_template_that_aws_refuses_is_an_error_with_its_words(run: CliRunner) -> None:
    result = called(run, "--template", str(LAB / "template.yaml"))
    assert isinstance(result.exception, Error)
    assert "cannot be less than 90 days apart" in result.exception.message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--template", "t.yaml", "--scenario", "techmoda"), "both name the account"),
        (("--parameter", "A=b"), "is for a --template"),
        (("--template", "t.yaml", "--parameter", "A"), "not of the form NAME=VALUE"),
    ],
)
def test_wrong_usage(run: CliRunner, arguments: tuple[str, ...], message: str) -> None:
    result = called(run, *arguments)
    assert isinstance(result.exception, UsageError)
    assert message in result.exception.message


def test_a_parameter_that_the_template_does_not_have(run: CliRunner) -> None:
    result = called(run, "--template", str(LAB / "mutations/14.yaml"), "--parameter", "Nope=1")
    assert isinstance(result.exception, Error)
    assert "WeeklyCold, WeeklyDays" in result.exception.hint
