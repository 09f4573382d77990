"""Reading a reply: a field that AWS always gives and that is missing makes the reply malformed, never empty."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from backcheck.inventory.contradictions import CLOCKS_APART

_BOOLEANS = {"true": True, "false": False}


class Malformed(Exception):  # noqa: N818  a state of a reply, as in Gap.code
    """A reply without a field that it must have, or with a field of another type."""


class Reply:
    """One structure of a reply. Every reader raises Malformed where the type is another one."""

    __slots__ = ("_fields", "_path")

    def __init__(self, fields: object, path: str = "reply") -> None:
        """`fields` is what botocore parsed; `path` names it in messages."""
        if not isinstance(fields, Mapping):
            raise Malformed(f"{path} is {_kind(fields)}, expected a structure")
        self._fields = fields
        self._path = path

    def maybe_text(self, key: str) -> str | None:
        """A string, or None where it is absent."""
        value = self._fields.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(key, value, "a string")

    def text(self, key: str) -> str:
        """A string that must be there and not be empty."""
        value = self.maybe_text(key)
        if not value:
            raise self._missing(key)
        return value

    def maybe_time(self, key: str) -> datetime | None:
        """A time in UTC, or None where it is absent."""
        value = self._fields.get(key)
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise self._wrong(key, value, "a time")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def time(self, key: str) -> datetime:
        """A time that must be there."""
        value = self.maybe_time(key)
        if value is None:
            raise self._missing(key)
        return value

    def time_after(self, key: str, earlier: str) -> datetime | None:
        """A time that is not before another one, or None where it is absent."""
        value = self.maybe_time(key)
        if value is not None and self.time(earlier) - value > CLOCKS_APART:
            raise Malformed(f"{self._path}.{key} is before {earlier}")
        return value

    def maybe_number(self, key: str) -> int | None:
        """A whole number, or None where it is absent."""
        value = self._fields.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise self._wrong(key, value, "a whole number")

    def number(self, key: str) -> int:
        """A whole number that must be there."""
        value = self.maybe_number(key)
        if value is None:
            raise self._missing(key)
        return value

    def decimal(self, key: str) -> float:
        """A number that must be there."""
        value = self._fields.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        raise self._missing(key) if value is None else self._wrong(key, value, "a number")

    def decimals(self, key: str) -> tuple[float, ...]:
        """A list of numbers that must be there; it may be empty."""
        values = self._list(key)
        for value in values:
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise self._wrong(key, value, "a number")
        return tuple(float(value) for value in values)

    def document(self, key: str) -> object:
        """A policy document that must be there: text, or what botocore has parsed."""
        value = self._fields.get(key)
        if value is None:
            raise self._missing(key)
        return value

    def maybe_flag(self, key: str) -> bool | None:
        """A boolean, or None where it is absent."""
        value = self._fields.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self._wrong(key, value, "true or false")

    def flag(self, key: str) -> bool:
        """A boolean that must be there."""
        value = self.maybe_flag(key)
        if value is None:
            raise self._missing(key)
        return value

    def flag_in_text(self, key: str) -> bool:
        """A boolean that an attribute map writes as a string; False where it is absent."""
        value = self.maybe_text(key) or "false"
        if value.lower() not in _BOOLEANS:
            raise self._wrong(key, value, "'true' or 'false'")
        return _BOOLEANS[value.lower()]

    def maybe_part(self, key: str) -> Reply | None:
        """A structure inside, or None where it is absent."""
        value = self._fields.get(key)
        return None if value is None else Reply(value, f"{self._path}.{key}")

    def part(self, key: str) -> Reply:
        """A structure inside that must be there."""
        value = self.maybe_part(key)
        if value is None:
            raise self._missing(key)
        return value

    def parts(self, key: str) -> tuple[Reply, ...]:
        """A list of structures that must be there; it may be empty."""
        return tuple(Reply(value, f"{self._path}.{key}[{i}]") for i, value in enumerate(self._list(key)))

    def optional_parts(self, key: str) -> tuple[Reply, ...]:
        """A list of structures that AWS leaves out where it is empty."""
        return self.parts(key) if self._fields.get(key) is not None else ()

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings that must be there; it may be empty."""
        values = self._list(key)
        for value in values:
            if not isinstance(value, str):
                raise self._wrong(key, value, "a string")
        return tuple(values)

    def optional_texts(self, key: str) -> tuple[str, ...]:
        """A list of strings that AWS leaves out where it is empty."""
        return self.texts(key) if self._fields.get(key) is not None else ()

    def raw(self, key: str) -> Mapping[str, object]:
        """A structure as it came, for a parser of its own."""
        return self.part(key)._fields

    def strings(self, key: str) -> dict[str, str]:
        """A map of strings to strings that must be there."""
        return {str(name): self.part(key).maybe_text(name) or "" for name in self.part(key)._fields}

    def flags(self, key: str) -> dict[str, bool]:
        """A map of strings to booleans that must be there."""
        return {str(name): self.part(key).flag(name) for name in self.part(key)._fields}

    def _list(self, key: str) -> Sequence[str]:
        value = self._fields.get(key)
        if value is None:
            raise self._missing(key)
        if not isinstance(value, list | tuple):
            raise self._wrong(key, value, "a list")
        return value

    def _missing(self, key: str) -> Malformed:
        return Malformed(f"{self._path} lacks {key}")

    def _wrong(self, key: str, value: object, expected: str) -> Malformed:
        return Malformed(f"{self._path}.{key} is {_kind(value)}, expected {expected}")


def _kind(value: object) -> str:
    return "nothing" if value is None else re.sub("(?<!^)(?=[A-Z])", " ", type(value).__name__).lower()
