"""Pipelines run with other people's code and with our roles: pinned, and with no right that they do not need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, ROOT / "examples" / "gitlab-ci.yml", ROOT / ".pre-commit-hooks.yaml"]
CONTRACT = {
    "check": {"--policy", "--live", "--out"},
    "gate": {"--policy", "--parameters", "--out"},
    "drill": {"--policy", "--live", "--method", "--dry-run", "--allow-destructive", "--out"},
    "policy lint": set(),
}
"""The commands that pipelines call, and the options that they use of them."""


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_there_are_four_workflows() -> None:
    assert [path.stem for path in WORKFLOWS] == ["audit", "ci", "drill", "gate"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_digest_and_say_their_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for line in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_digest_everywhere() -> None:
    pins = {line for path in WORKFLOWS for line in re.findall(r"uses: (.*)", path.read_text())}
    assert len({line.partition("@")[0] for line in pins}) == len(pins)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_permitted_but_by_the_job_that_needs_it(path: Path) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        rights = job["permissions"]
        assert rights.pop("contents") == "read"
        assert set(rights) <= {"security-events", "id-token"}
        assert ("id-token" in rights) is (path.stem in ("audit", "drill"))
        assert job["timeout-minutes"] <= 360
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_text_of_others_reaches_a_shell(path: Path) -> None:
    for job in loaded(path)["jobs"].values():
        for step in job["steps"]:
            for expression in re.findall(r"\$\{\{(.*?)\}\}", step.get("run", "")):
                assert expression.strip().startswith("matrix."), expression


def texts(value: object) -> Iterator[str]:
    """Every text in a loaded file; folded lines are one line by then."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for child in value.values() if isinstance(value, dict) else value:
            yield from texts(child)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_are_called_as_their_contract_names_them(path: Path) -> None:
    lines = [line for text in texts(loaded(path)) for line in text.splitlines()]
    calls = [re.match(r"backcheck ((?:policy )?[a-z]+)(.*)", line) for line in lines]
    found = [(call[1], set(re.findall(r"--[a-z-]+", call[2]))) for call in calls if call]
    assert found or path.stem == "ci"
    for command, options in found:
        assert options <= CONTRACT[command], command


def test_templates_are_gated_in_the_order_in_which_they_are_deployed() -> None:
    gate = (ROOT / ".github" / "workflows" / "gate.yml").read_text()
    named = re.findall(r"templates/([a-z-]+)\.yaml", gate)
    assert named == ["dr", "primary", "restore-testing", "auditor", "drill"]


def test_only_a_drill_is_told_that_it_may_restore() -> None:
    for path in FILES:
        assert ("--allow-destructive" in path.read_text()) is (path.stem in ("drill", "gitlab-ci"))
