"""What is generated equals what the code generates, and the README says what `--help` says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from backcheck import cli
from backcheck.reconcile.document import published

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def output(*arguments: str) -> str:
    """What a command prints."""
    return CliRunner().invoke(cli.backcheck, arguments).output


def test_the_catalogues_page_is_generated() -> None:
    page = (ROOT / "docs" / "controls.md").read_text(encoding="utf-8")
    assert page == output("controls", "--markdown"), "write it anew: backcheck controls --markdown > docs/controls.md"


def test_the_schema_of_a_reconcile_plan_is_the_codes() -> None:
    page = (ROOT / "docs" / "reconcile-plan.schema.json").read_text(encoding="utf-8")
    how = "python -c 'from backcheck.reconcile.document import published; print(published(), end=str())'"
    assert page == published(), f"write it anew: {how} > docs/reconcile-plan.schema.json"


def test_the_readme_names_every_command() -> None:
    named = set(re.findall(r"`backcheck ([a-z]+)", README)) | set(
        re.findall(r"^backcheck ([a-z]+)", README, re.MULTILINE)
    )
    assert named == set(cli.COMMANDS)


def test_every_option_in_the_readme_exists() -> None:
    for line in re.findall(r"`?backcheck ([a-z]+[^`\n]*)", README):
        words = line.split()
        shown = output(*[word for word in words[:2] if re.fullmatch(r"[a-z]+", word) and word != "diff"][:2], "--help")
        shown += output(words[0], "--help")
        for option in re.findall(r"--[a-z-]+", line):
            assert option in shown, f"backcheck {words[0]} has no {option}"


RUNBOOK = (ROOT / "docs" / "runbooks" / "incident.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"^backcheck .*", RUNBOOK, re.MULTILINE))
def test_every_option_in_the_runbook_exists(line: str) -> None:
    words = line.split()[1:]
    named = words[:2] if words[0] == "reconcile" else words[:1]
    shown = output(*named, "--help")
    for option in re.findall(r"--[a-z-]+", line):
        assert option in shown, f"backcheck {' '.join(named)} has no {option}"


def test_every_link_in_the_runbook_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)", RUNBOOK, re.MULTILINE)
    }
    for place in re.findall(r"\]\(([^)]*)\)", RUNBOOK):
        if place.startswith("#"):
            assert place[1:] in headings
        elif not place.startswith("https://docs.aws.amazon.com/"):
            assert (ROOT / "docs" / "runbooks" / place).is_file()


@pytest.mark.parametrize("line", [line for line in cli.EXIT_CODES.splitlines() if re.match(r"  \d", line)])
def test_the_exit_codes_are_those_of_the_help(line: str) -> None:
    code, meaning = line.split(None, 1)
    assert f"| {code} | {meaning} |" in README
    assert " ".join(line.split()) in " ".join(output("--help").split())
