"""`backcheck check`: the compliance suite through pytest, from any folder."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from backcheck.accounts import Choice
from backcheck.commands.options import FILE, FOLDER, account_options, choice_of, policy_option
from backcheck.errors import Error

SUITE = "backcheck.suites.tests_policy"

INTERNAL_ERROR = 3
NOTHING_COLLECTED = 5

PYTESTS_OWN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
"""Variables that change what pytest runs. With `-k` in the first, an audit of one control would exit 0."""


@click.command()
@policy_option
@account_options
@click.option("--at", metavar="TIME", help="Judge as of this time instead of when the snapshot was taken.")
@click.option("--baseline", type=FILE, help="An earlier findings.json: only what is new or worse blocks.")
@click.option("--drills", type=FILE, help="The drill history; drills.jsonl in --out where it is not given.")
@click.option("--controls", type=FILE, multiple=True, help="Controls of your own, in Python; may be repeated.")
@click.option("--out", required=True, type=FOLDER, help="Where findings.json, report.html and junit.xml go.")
def command(
    policy: Path,
    at: str | None,
    baseline: Path | None,
    drills: Path | None,
    controls: tuple[Path, ...],
    out: Path,
    **account: Any,
) -> int:
    """Audit an account against a policy."""
    try:
        import pytest
    except ImportError as error:
        raise Error("pytest is not installed", hint="pip install 'backcheck[test]'") from error
    arguments = [*_quiet(out), "--policy", str(policy), "--out", str(out), *_account(choice_of(**account))]
    arguments += ["--at", at] if at else []
    arguments += ["--baseline", str(baseline)] if baseline else []
    for file in controls:
        arguments += ["--controls", str(file)]
    arguments += ["--drills", str(drills)] if drills else []
    out.mkdir(parents=True, exist_ok=True)
    for name in PYTESTS_OWN:
        os.environ.pop(name, None)
    code = int(pytest.main(arguments, plugins=_plugins()))
    return 2 if code in (INTERNAL_ERROR, NOTHING_COLLECTED) else code


def _quiet(out: Path) -> list[str]:
    """The whole suite and nothing of the folder that the user happens to stand in: no ini file, no conftest.

    Nor any plugin that happens to be installed, nor assertions rewritten: both took more time than a small audit.
    """
    empty = Path(__file__).with_name("check.ini")
    alone = ["-c", str(empty), f"--rootdir={out}", "--noconftest", "--disable-plugin-autoload", "--assert=plain"]
    return ["--pyargs", SUITE, *alone, "-q", "--tb=no", "--no-summary"]


def _plugins() -> list[ModuleType]:
    """Ours, and pytest-html's where it is installed; pytest would read every distribution to find them by name."""
    names = ["backcheck.plugin"]
    if find_spec("pytest_html"):
        names += ["pytest_metadata.plugin", "pytest_html.plugin", "pytest_html.fixtures"]
    return [import_module(name) for name in names]


def _account(choice: Choice) -> list[str]:
    named = {
        "--endpoint-url": choice.endpoint_url,
        "--sandbox": choice.sandbox,
        "--snapshot": choice.snapshot,
        "--aws-profile": choice.profile,
        "--aws-role-arn": choice.role_arn,
    }
    options = ["--live"] if choice.live else []
    for name, value in named.items():
        options += [name, str(value)] if value is not None else []
    for region in choice.regions:
        options += ["--aws-region", region]
    return options
