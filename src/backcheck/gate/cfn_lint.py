"""cfn-lint in this process: what it says, with the resource that it says it of."""

from __future__ import annotations

from collections.abc import Iterable
from glob import escape
from pathlib import Path
from typing import Any

from backcheck.errors import Error
from backcheck.gate.linting import Lint
from backcheck.gate.stacks import StackSpec

TOOL = "cfn-lint"


def lints(stacks: Iterable[StackSpec]) -> tuple[Lint, ...]:
    """Every match in every template. Raises Error where cfn-lint is not installed.

    Templates for the same regions go to it together: it reads its 300 rules anew each time that it is called.
    """
    try:
        from cfnlint.api import lint_by_config
        from cfnlint.config import ManualArgs
    except ImportError as error:
        raise Error("cfn-lint is not installed", hint="pip install 'backcheck[gate]'") from error
    found: list[Lint] = []
    for regions, files in _by_regions(stacks).items():
        given = ManualArgs(regions=list(regions), templates=[escape(file) for file in files])
        named = {str(Path(file)): file for file in files}
        found += [_lint(match, named.get(match.filename, files[0])) for match in lint_by_config(given)]
    return tuple(found)


def _by_regions(stacks: Iterable[StackSpec]) -> dict[tuple[str, ...], list[str]]:
    """The files that are for the same regions; one that several stacks are made of is there once."""
    regions: dict[str, set[str]] = {}
    for spec in stacks:
        regions.setdefault(spec.file, set()).add(spec.region)
    files: dict[tuple[str, ...], list[str]] = {}
    for file, used in regions.items():
        files.setdefault(tuple(sorted(used)), []).append(file)
    return files


def _lint(match: Any, file: str) -> Lint:
    path = list(getattr(match, "path", None) or ())
    named = len(path) > 1 and path[0] == "Resources"
    return Lint(
        tool=TOOL,
        rule=match.rule.id,
        title=match.rule.shortdesc,
        file=file,
        line=match.linenumber,
        logical_id=str(path[1]) if named else "",
        message=match.message,
        is_error=match.rule.severity == "error",
    )
