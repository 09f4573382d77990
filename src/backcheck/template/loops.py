"""Fn::ForEach, written out.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from backcheck.template.compose import MAX_NODES
from backcheck.template.functions import FunctionError, as_text
from backcheck.template.node import Entry, Map, Node, RefusedTemplateError, Scalar, Sequence, TemplateError, text_of
from backcheck.template.value import MaybeValue, Unresolved, unresolved_in

LOOP = "Fn::ForEach::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A map with its loops written out, and the loops whose collection is not known."""

    section: Map
    unresolved: dict[str, Unresolved]
    """By the loop's key."""


def expand_loops(
    section: Map, evaluate: Callable[[Node, str], MaybeValue], *, file: str, path: str, deep: bool = False
) -> Expansion:
    """`section` with each `Fn::ForEach::Name` replaced by its entries; `deep` also looks inside the entries.

    `evaluate` resolves a collection. Raises RefusedTemplateError for a malformed loop or one that writes a key twice.
    """
    loops = _Loops(file, evaluate, path, deep)
    return Expansion(section=loops.map(section), unresolved=loops.unresolved)


@dataclass(slots=True)
class _Loops:
    file: str
    evaluate: Callable[[Node, str], MaybeValue]
    path: str
    deep: bool
    unresolved: dict[str, Unresolved] = field(default_factory=dict)
    written: int = 0

    def map(self, node: Map) -> Map:
        entries: dict[str, Entry] = {}
        for entry in node.entries:
            for made in self._loop(entry) if entry.key.startswith(LOOP) else (self._inside(entry),):
                if made.key in entries:
                    raise self._error(f"{made.key} is given twice, once by a Fn::ForEach", made.value)
                entries[made.key] = made
        return Map(tuple(entries.values()), node.mark)

    def _inside(self, entry: Entry) -> Entry:
        return Entry(entry.key, self._node(entry.value), entry.mark) if self.deep else entry

    def _node(self, node: Node) -> Node:
        if isinstance(node, Map):
            return self.map(node)
        if isinstance(node, Sequence):
            return Sequence(tuple(self._node(item) for item in node.items), node.mark)
        return node

    def _loop(self, entry: Entry) -> tuple[Entry, ...]:
        parts = entry.value.items if isinstance(entry.value, Sequence) else ()
        if len(parts) != 3 or not isinstance(parts[2], Map) or text_of(parts[0]) is None:
            raise self._error(f"{entry.key} takes an identifier, a collection and a map to repeat", entry.value)
        identifier, body = text_of(parts[0]) or "", parts[2]
        values = self._collection(entry.key, parts[1])
        if isinstance(values, Unresolved):
            self.unresolved[entry.key] = values
            return ()
        made: list[Entry] = []
        for value in values:
            repeated = self._substituted(body, identifier, value)
            if isinstance(repeated, Map):
                made.extend(self.map(repeated).entries)
        return tuple(made)

    def _collection(self, key: str, node: Node) -> tuple[str, ...] | Unresolved:
        value = self.evaluate(node, f"{self.path}/{key}")
        if not isinstance(value, tuple):
            if isinstance(value, Unresolved):
                return value
            raise self._error(f"{key}: the collection must be a list", node)
        unknown = unresolved_in(value)
        if unknown:
            return unknown[0]
        try:
            return tuple(as_text(item) for item in value)
        except FunctionError as error:
            raise self._error(f"{key}: the collection must be a list of strings that are known", node) from error

    def _substituted(self, node: Node, identifier: str, value: str) -> Node:
        self.written += 1
        if self.written > MAX_NODES:
            raise TemplateError(f"the loops write more than {MAX_NODES:,} values", file=self.file, mark=node.mark)
        if isinstance(node, Scalar):
            if not isinstance(node.value, str):
                return node
            text = _replaced(node.value, identifier, value)
            return node if text == node.value else Scalar(text, text, node.mark)
        if isinstance(node, Sequence):
            return Sequence(tuple(self._substituted(item, identifier, value) for item in node.items), node.mark)
        if len(node.entries) == 1 and node.entries[0].key == "Ref" and text_of(node.entries[0].value) == identifier:
            return Scalar(value, value, node.mark)
        return Map(tuple(self._entry(entry, identifier, value) for entry in node.entries), node.mark)

    def _entry(self, entry: Entry, identifier: str, value: str) -> Entry:
        key = _replaced(entry.key, identifier, value)
        return Entry(key, self._substituted(entry.value, identifier, value), entry.mark)

    def _error(self, message: str, node: Node) -> RefusedTemplateError:
        return RefusedTemplateError(message, file=self.file, mark=node.mark)


def _replaced(text: str, identifier: str, value: str) -> str:
    """`${Id}` takes the value as it is; `&{Id}` only its letters and digits, as the page's last example shows."""
    alphanumeric = "".join(character for character in value if character.isascii() and character.isalnum())
    return text.replace(f"${{{identifier}}}", value).replace(f"&{{{identifier}}}", alphanumeric)
