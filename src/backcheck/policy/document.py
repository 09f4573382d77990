"""A policy file as data that still knows where each value was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from backcheck.policy.source import Place

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The one document of a file. Every mapping is keyed by JSON Pointer; the document itself is ''."""

    value: Json
    keys: Mapping[str, Place]
    """Where a key, or the item of a list, begins."""
    values: Mapping[str, Place]
    """Where its value begins."""
    unquoted: Mapping[str, str] = field(default_factory=dict)
    """Scalars written without quotes, as they were written: 0123 and 1.10 would not survive otherwise."""


def pointer_to(parent: str, key: str | int) -> str:
    """The pointer of a key or an index below `parent` (RFC 6901)."""
    return f"{parent}/{str(key).replace('~', '~0').replace('/', '~1')}"


def parts_of(pointer: str) -> list[str]:
    """The keys that a pointer names, unescaped."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def resolve(value: Json, pointer: str) -> Json:
    """What a pointer names. Raises KeyError where it names nothing."""
    for part in parts_of(pointer):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise KeyError(pointer)
    return value
