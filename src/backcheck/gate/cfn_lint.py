"""cfn-lint in this process: what it says, with the resource that it says it of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backcheck.errors import Error
from backcheck.gate.linting import Lint
from backcheck.gate.stacks import StackSpec

TOOL = "cfn-lint"


def lints(stacks: Iterable[StackSpec]) -> tuple[Lint, ...]:
    """Every match in every template, in the order of the stacks. Raises Error where cfn-lint is not installed."""
    try:
        from cfnlint.api import lint_file
        from cfnlint.config import ManualArgs
    except ImportError as error:
        raise Error("cfn-lint is not installed", hint="pip install 'backcheck[gate]'") from error
    regions: dict[str, list[str]] = {}
    for spec in stacks:
        regions.setdefault(spec.file, []).append(spec.region)
    found: list[Lint] = []
    for file, used in regions.items():
        matches = lint_file(Path(file), config=ManualArgs(regions=sorted(set(used))))
        found += [_lint(match, file) for match in matches]
    return tuple(found)


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
