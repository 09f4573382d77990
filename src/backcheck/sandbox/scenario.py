"""Scenarios: accounts with a history, written down in YAML. docs/sandbox.md is their reference.

A scenario may extend another one: maps are merged, everything else is replaced, and null removes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from backcheck.errors import Problem, UsageError

if TYPE_CHECKING:
    from backcheck.sandbox.sandbox import Sandbox

DEEPEST = 5
"""How many scenarios may extend one another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """An account to be built."""

    name: str
    """The file's stem."""
    title: str
    account: str
    start: datetime
    """When its history begins."""
    days: float
    """How long its history is."""
    document: Mapping[str, Any]
    """The rest, merged with what it extends and checked against the schema; build.py reads it."""


class ScenarioError(UsageError):
    """A scenario that is not one: every problem found."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        """`problems` is never empty."""
        super().__init__(f"{len(problems)} problem(s) in {file}", where=file)
        self.file = file
        self.problems = problems

    def diagnostics(self) -> str:
        """One line a problem."""
        return "\n".join(problem.at(self.file) for problem in self.problems)


def load(path: Path | str) -> Scenario:
    """Read a scenario: a file, or the name of one in fixtures/scenarios. Raises UsageError or ScenarioError."""
    file = find(path)
    document = _merged(file, depth=0)
    problems = tuple(_problems(file, document))
    if problems:
        raise ScenarioError(str(file), problems)
    filled = _filled(document, document["account"])
    return Scenario(
        name=file.stem,
        title=filled["title"],
        account=filled["account"],
        start=_moment(filled["start"]),
        days=filled["days"],
        document=filled,
    )


def find(path: Path | str) -> Path:
    """The file that is meant. Raises UsageError, with the names that there are."""
    given = Path(path)
    if given.suffix and given.is_file():
        return given
    for folder in folders():
        if (named := folder / f"{path}.yaml").is_file():
            return named
    known = ", ".join(names()) or "none is installed"
    raise UsageError(f"there is no scenario {str(path)!r}", hint=f"give a file, or one of: {known}")


def names() -> tuple[str, ...]:
    """The names of the scenarios in fixtures/scenarios."""
    return tuple(sorted({file.stem for folder in folders() for file in folder.glob("*.yaml")}))


def folders() -> tuple[Path, ...]:
    """Where scenarios are looked for: beneath the working directory, and in the checkout that this code is from."""
    checkout = Path(__file__).parents[3]
    places = (Path.cwd() / "fixtures" / "scenarios", checkout / "fixtures" / "scenarios")
    return tuple(place for place in dict.fromkeys(places) if place.is_dir())


def build(sandbox: Sandbox, scenario: Scenario) -> None:
    """Make the account in an open sandbox and let its history pass."""
    from backcheck.sandbox.build import Builder

    Builder(sandbox, scenario).build()


def merge(base: Any, change: Any) -> Any:
    """`base` with `change` on top: maps are merged, null removes, anything else replaces."""
    if not isinstance(base, Mapping) or not isinstance(change, Mapping):
        return change
    merged = dict(base)
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(base.get(key), value)
    return merged


def _merged(file: Path, *, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise UsageError("scenarios extend one another in a circle", where=str(file))
    document = _read(file)
    base = document.pop("extends", None)
    if base is None:
        return document
    beside = file.with_name(f"{base}.yaml")
    merged: dict[str, Any] = merge(_merged(beside if beside.is_file() else find(base), depth=depth + 1), document)
    return merged


def _read(file: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(file), hint="a scenario is YAML in UTF-8") from error
    except yaml.YAMLError as error:
        raise UsageError(f"is no YAML: {error}", where=str(file)) from error
    if not isinstance(document, dict):
        raise UsageError("a scenario is a map", where=str(file), hint="see docs/sandbox.md")
    return document


@cache
def schema() -> Any:
    """The schema of a merged scenario."""
    return json.loads(files("backcheck.sandbox").joinpath("scenario.schema.json").read_text("utf-8"))


def _problems(file: Path, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Line numbers are those of this file; what a base brought in has none."""
    plain = json.loads(json.dumps(document, default=_text))
    lines = _lines(file)
    for error in Draft202012Validator(schema(), format_checker=FormatChecker()).iter_errors(plain):
        pointer = "".join(f"/{part}" for part in error.absolute_path)
        line, column = lines.get(pointer, (0, 0))
        yield Problem(message=error.message, path=pointer or "/", line=line, column=column, hint="see docs/sandbox.md")


def _lines(file: Path) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}

    def walk(node: yaml.Node, pointer: str) -> None:
        found[pointer] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                walk(value, f"{pointer}/{key.value}")
        elif isinstance(node, yaml.SequenceNode):
            for place, value in enumerate(node.value):
                walk(value, f"{pointer}/{place}")

    root = yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)
    if root is not None:
        walk(root, "")
    return found


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _filled(value: Any, account: str) -> Any:
    """The document with `${account}` put in everywhere."""
    if isinstance(value, Mapping):
        return {key.replace("${account}", account): _filled(inner, account) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, account) for inner in value]
    return value.replace("${account}", account) if isinstance(value, str) else value


def _moment(value: str | datetime) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
