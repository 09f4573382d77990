"""What a template's expression comes to: a plain value, or one that says why it is not known yet.

Maps and lists may hold, at any depth, a `Reference` (to a resource that is not created yet), a `Deferred` (a function
over such a reference) or an `Unresolved` (nobody here can know it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A value that cannot be known from the template and what was given with it."""

    path: str
    """JSON Pointer into the resolved template, such as `/Resources/Plan/Properties/BackupPlan/BackupPlanName`."""
    line: int
    """1-based; 0 where a transform made the value up."""
    reason: str
    """Why; never a parameter's value."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`Ref` or `Fn::GetAtt` of a resource in the same template."""

    logical_id: str
    attribute: str = ""
    """Empty for `Ref`."""
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"${{{self.logical_id}.{self.attribute}}}" if self.attribute else f"${{{self.logical_id}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """A function whose argument holds references; `bind` applies it once they are known."""

    function: str
    """The long name, such as `Fn::Join`."""
    argument: Value
    path: str = ""
    line: int = 0


class Removed(Enum):
    """`AWS::NoValue`: the property, or list element, that it stands in is left out."""

    NO_VALUE = "AWS::NoValue"


NO_VALUE = Removed.NO_VALUE

Known: TypeAlias = "str | int | float | bool"
Value: TypeAlias = "Known | Unresolved | Reference | Deferred | tuple[Value, ...] | Mapping[str, Value]"
MaybeValue: TypeAlias = "Value | Removed"


class Lookup(Protocol):
    """What resources turned out to be called, once they exist."""

    def __call__(self, reference: Reference) -> Value:
        """The reference's value; an Unresolved where the resource or attribute is not modelled."""
        ...


def leaves(value: Value) -> Iterator[Known | Unresolved | Reference]:
    """Every leaf of `value`, also inside deferred functions."""
    stack: list[Value] = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, Deferred):
            stack.append(current.argument)
        elif isinstance(current, tuple):
            stack.extend(reversed(current))
        elif isinstance(current, Mapping):
            stack.extend(reversed(list(current.values())))
        else:
            yield current


def unresolved_in(value: Value) -> tuple[Unresolved, ...]:
    """What in `value` cannot be known, in order, each once."""
    return tuple(dict.fromkeys(leaf for leaf in leaves(value) if isinstance(leaf, Unresolved)))


def references_in(value: Value) -> tuple[Reference, ...]:
    """The resources' values that `value` waits for."""
    return tuple(dict.fromkeys(leaf for leaf in leaves(value) if isinstance(leaf, Reference)))


def is_known(value: Value) -> bool:
    """Nothing in `value` is unresolved or waits for a resource."""
    return not any(isinstance(leaf, (Unresolved, Reference)) for leaf in leaves(value))
