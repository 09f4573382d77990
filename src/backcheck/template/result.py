"""A template that has been resolved for one environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backcheck.errors import Problem
from backcheck.template.environment import Environment
from backcheck.template.parameters import Parameter
from backcheck.template.value import Unresolved, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedResource:
    """A resource that the stack creates."""

    logical_id: str
    type: str
    properties: Mapping[str, Value]
    """Without AWS::NoValue. Waiting references and unresolved values stand where they stood."""
    deletion_policy: str
    """Delete, Retain, RetainExceptOnCreate or Snapshot; Delete where the template says nothing."""
    update_replace_policy: str
    depends_on: tuple[str, ...]
    """Logical ids that must exist first: by DependsOn, then by reference, each once."""
    line: int
    lines: Mapping[str, int]
    """JSON Pointer below the resource, such as `/Properties/TableName`, to the 1-based line that set it."""

    def line_of(self, pointer: str) -> int:
        """The line that set the property at `pointer`, or else its nearest parent; the resource's own at last."""
        while pointer:
            if pointer in self.lines:
                return self.lines[pointer]
            pointer = pointer.rpartition("/")[0]
        return self.line


@dataclass(frozen=True, slots=True, kw_only=True)
class UndecidedResource:
    """A resource of which nobody here can say whether it is created, or with what.

    Its condition, or its properties as a whole, are not known.
    """

    logical_id: str
    type: str
    because: Unresolved
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedOutput:
    """An output of the stack."""

    name: str
    value: Value
    export_name: Value | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTemplate:
    """What a template comes to: resources, outputs, and everything about them that is not known."""

    file: str
    description: str
    environment: Environment
    parameters: Mapping[str, Parameter]
    resources: Mapping[str, ResolvedResource]
    """In file order."""
    undecided: tuple[UndecidedResource, ...]
    outputs: Mapping[str, ResolvedOutput]
    unresolved: tuple[Unresolved, ...]
    """Each value that a resource or output uses and that is not known, in file order."""
    warnings: tuple[Problem, ...]
    """What deploys, but not as written here: aliases, rules that could not be judged."""
