"""A policy file to a Policy, or every reason why not. Nothing is ever half loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from backcheck.errors import PolicyError, Problem
from backcheck.policy import schema
from backcheck.policy.build import build
from backcheck.policy.document import Document
from backcheck.policy.file import read_text, shown
from backcheck.policy.model import Policy
from backcheck.policy.section import Section
from backcheck.policy.source import Place
from backcheck.policy.yaml_reader import UnreadableError, read_yaml

FIRST_POLICY = (
    "a policy says schema, name, account, regions, tables, tiers, objectives, owner; see policies/minimal.yaml"
)

FROM_TEMPLATE = f"give the policy that the template must comply with; {FIRST_POLICY}"


def load(path: Path) -> Policy:
    """The policy in a file, with every default filled in. Raises PolicyError with all that is wrong, in file order."""
    text, sha256 = read_text(path)
    return parse(text, file=shown(path), sha256=sha256)


def parse(text: str, *, file: str, sha256: str | None = None) -> Policy:
    """The policy in a text; `file` is what errors call it. Raises PolicyError with all that is wrong, in file order."""
    try:
        document, problems = read_yaml(text)
    except UnreadableError as error:
        raise PolicyError(file, _in_order(error.problems)) from error
    if not document.values:
        raise PolicyError(file, (Problem(message="the file is empty", hint=FIRST_POLICY),))
    if _is_a_template(document):
        raise PolicyError(
            file, (Problem(message="this is a CloudFormation template, not a policy", hint=FROM_TEMPLATE),)
        )
    problems += [p for p in schema.problems_in(document) if not _covered(p, problems)]
    if problems or not isinstance(document.value, dict):
        raise PolicyError(file, _in_order(problems))
    digest = sha256 or hashlib.sha256(text.encode("utf-8")).hexdigest()
    built = build(document, Section(document.value, ""), file=file, sha256=digest)
    if built.problems:
        raise PolicyError(file, _in_order(_placed(problem, document) for problem in built.problems))
    return built.policy


def _is_a_template(document: Document) -> bool:
    return isinstance(document.value, dict) and "Resources" in document.value and "schema" not in document.value


def _covered(problem: Problem, by: Iterable[Problem]) -> bool:
    """Whether the reader has said what is wrong at this place: 030 need not be called a wrong type as well."""
    return any(other.path and problem.path == other.path for other in by)


def _placed(problem: Problem, document: Document) -> Problem:
    place = document.values.get(problem.path) or document.keys.get(problem.path) or Place(line=1, column=1)
    return replace(problem, line=place.line, column=place.column)


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    ordered = sorted(problems, key=lambda p: (p.line, p.column, p.path))
    left_out = len(ordered) - schema.MAX_PROBLEMS
    if left_out > 0:
        last = Problem(message=f"and {left_out} more", line=ordered[schema.MAX_PROBLEMS].line)
        return (*ordered[: schema.MAX_PROBLEMS], last)
    return tuple(ordered)
