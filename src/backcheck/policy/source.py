"""Where a policy came from: its file, and where in it each key stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a key stands in the file."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The file a policy came from."""

    file: str
    sha256: str
    places: Mapping[str, Place] = field(default_factory=dict)
    """JSON Pointer to place; for keys that the file writes out, not for defaults."""

    def line_of(self, pointer: str) -> int:
        """The line of the key, or of the nearest key around it that the file writes out; 0 if none."""
        while pointer:
            if pointer in self.places:
                return self.places[pointer].line
            pointer = pointer.rpartition("/")[0]
        return 0
