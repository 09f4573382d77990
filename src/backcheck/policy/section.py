"""A map that the schema has accepted, read by type, so that dicts go no further than the loader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar, overload

from backcheck.policy.document import Json, pointer_to

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Section:
    """One map of the file and its pointer. A value of another type than asked for is our own defect: TypeError."""

    data: Mapping[str, Json]
    pointer: str

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def at(self, key: str) -> str:
        """The pointer of a key."""
        return pointer_to(self.pointer, key)

    @overload
    def text(self, key: str) -> str | None: ...
    @overload
    def text(self, key: str, default: str) -> str: ...
    def text(self, key: str, default: str | None = None) -> str | None:
        """Text, or the default."""
        return _typed(self.data[key], str, self.at(key)) if key in self.data else default

    @overload
    def number(self, key: str) -> int | None: ...
    @overload
    def number(self, key: str, default: int) -> int: ...
    def number(self, key: str, default: int | None = None) -> int | None:
        """A whole number, or the default; 60.0 is one, for JSON Schema too."""
        return int(self.amount(key, 0)) if key in self.data else default

    def amount(self, key: str, default: float) -> float:
        """Any number, or the default."""
        value = self.data.get(key, default)
        return value if isinstance(value, int) else _typed(value, float, self.at(key))

    @overload
    def flag(self, key: str) -> bool | None: ...
    @overload
    def flag(self, key: str, default: bool) -> bool: ...
    def flag(self, key: str, default: bool | None = None) -> bool | None:
        """True or false, or the default."""
        return _typed(self.data[key], bool, self.at(key)) if key in self.data else default

    def day(self, key: str) -> date | None:
        """A date, or None."""
        written = self.text(key)
        return date.fromisoformat(written) if written is not None else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of text; empty where the key is absent."""
        items = _typed(self.data.get(key, []), list, self.at(key))
        return tuple(_typed(item, str, self.at(key)) for item in items)

    def tags(self, key: str) -> dict[str, str]:
        """A map of text to text; empty where the key is absent."""
        return {name: _typed(value, str, self.at(key)) for name, value in self.child(key).data.items()}

    def child(self, key: str) -> Section:
        """The map below a key; an empty one where the key is absent."""
        return Section(_typed(self.data.get(key, {}), dict, self.at(key)), self.at(key))

    def children(self, key: str) -> Iterator[tuple[str, Section]]:
        """The maps in a map, with their names, in file order."""
        around = self.child(key)
        return ((name, around.child(name)) for name in around.data)

    def items(self, key: str) -> Iterator[str | Section]:
        """What a list holds: text, or maps."""
        for index, item in enumerate(_typed(self.data.get(key, []), list, self.at(key))):
            if isinstance(item, str):
                yield item
            else:
                at = pointer_to(self.at(key), index)
                yield Section(_typed(item, dict, at), at)


def _typed(value: Json, kind: type[T], pointer: str) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{pointer}: the schema let {type(value).__name__} pass for {kind.__name__}")
    return value
