"""A template as it was written: every value knows its line and column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from backcheck.errors import Error


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in the file, both numbers 1-based."""

    line: int = 0
    """0 where the place is not known, as for what a transform made up."""
    column: int = 0


NOWHERE = Mark()


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, number, boolean or null."""

    value: str | int | float | bool | None
    text: str
    """As written: `1.10` stays `1.10` where CloudFormation wants a string."""
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a map and its value."""

    key: str
    value: Node
    mark: Mark = NOWHERE
    """Where the key stands."""


@dataclass(frozen=True, slots=True)
class Map:
    """A map in file order. A short tag (`!Sub x`) is the map that it abbreviates (`Fn::Sub: x`)."""

    entries: tuple[Entry, ...]
    mark: Mark = NOWHERE

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None where there is no such key."""
        entry = self.entry(key)
        return entry.value if entry else None

    def entry(self, key: str) -> Entry | None:
        """The entry of `key`, with the key's own mark."""
        return next((entry for entry in self.entries if entry.key == key), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The keys in file order."""
        return tuple(entry.key for entry in self.entries)


Node: TypeAlias = Scalar | Sequence | Map
Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"


class TemplateError(Error):
    """A template that cannot be used, with the place that says so."""

    def __init__(self, message: str, *, file: str, mark: Mark = NOWHERE, hint: str = "") -> None:
        """`file` as the user named it; without a mark the whole file is meant."""
        super().__init__(message, where=_place(file, mark), hint=hint)
        self.file = file
        self.mark = mark


class RefusedTemplateError(TemplateError):
    """What CloudFormation itself would refuse before it creates anything, with these parameters in this place."""


def _place(file: str, mark: Mark) -> str:
    return ":".join(str(part) for part in (file, mark.line, mark.column) if part)


def text_of(node: Node | None) -> str | None:
    """The text of a scalar that is not null; None for anything else."""
    if isinstance(node, Scalar) and node.value is not None:
        return node.text
    return None


def plain(node: Node) -> Plain:
    """The node as Python's own lists, dicts and scalars; marks are lost."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {entry.key: plain(entry.value) for entry in node.entries}
