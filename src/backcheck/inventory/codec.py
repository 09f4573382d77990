"""Frozen dataclasses to JSON and back, from their annotations alone. Reading checks every type.

A tuple of one dataclass is written as a table of columns, and a column that repeats itself as its distinct values and
their positions: 300,000 recovery points share a few thousand strings, in the file and then in memory. A Gap is
`{"gap": {...}}` wherever a value could have stood; a mapping that could be one is `{"known": {...}}`.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from typing import Any, Union, get_args, get_origin, get_type_hints

from backcheck.inventory.gap import Gap

Json = Any
"""What orjson reads and writes."""

_SCALARS = (str, int, float, bool)


class Unreadable(ValueError):  # noqa: N818  what was read, as a word
    """JSON that is not what the type says; the message ends with where."""


@dataclasses.dataclass(frozen=True, slots=True)
class Codec:
    """How one type is written and read."""

    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]


@cache
def codec(kind: Any) -> Codec:
    """The codec of a type: dataclass, tuple, mapping, enum, time, scalar, or a union of one of those, Gap and None."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union(get_args(kind))
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(get_args(kind)[1])
    if dataclasses.is_dataclass(kind):
        return _record(kind)
    if kind is datetime:
        return Codec(_write_time, _read_time)
    if issubclass(kind, Enum):
        return Codec(lambda value: value.value, _reading(kind, kind))
    if kind in _SCALARS:
        return Codec(lambda value: value, _scalar(kind))
    raise TypeError(f"no codec for {kind}")


def _reading(kind: Any, make: Callable[[Any], Any]) -> Callable[[Json], Any]:
    def read(value: Json) -> Any:
        try:
            return make(value)
        except (ValueError, TypeError) as error:
            raise Unreadable(f"{value!r:.80} is no {kind.__name__}") from error

    return read


def _scalar(kind: type) -> Callable[[Json], Any]:
    def read(value: Json) -> Any:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value)
        raise Unreadable(f"expected {kind.__name__}, found {value!r:.80}")

    return read


def _write_time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


def _read_time(value: Json) -> datetime:
    read: datetime = _reading(datetime, datetime.fromisoformat)(value)
    if read.tzinfo is None:
        raise Unreadable(f"{value!r} has no time zone")
    return read.astimezone(UTC)


def _union(kinds: tuple[Any, ...]) -> Codec:
    rest = [kind for kind in kinds if kind not in (Gap, types.NoneType)]
    if len(rest) != 1:
        raise TypeError(f"no codec for a union of {kinds}")
    may_be_gap, may_be_none = Gap in kinds, types.NoneType in kinds
    inner, gap = codec(rest[0]), codec(Gap) if may_be_gap else None
    wrapped = may_be_gap and get_origin(rest[0]) not in (None, tuple)

    def encode(value: Any) -> Json:
        if value is None and may_be_none:
            return None
        if gap and isinstance(value, Gap):
            return {"gap": gap.encode(value)}
        return {"known": inner.encode(value)} if wrapped else inner.encode(value)

    def decode(value: Json) -> Any:
        if value is None and may_be_none:
            return None
        if gap and isinstance(value, dict) and value.keys() == {"gap"}:
            return gap.decode(value["gap"])
        if wrapped and (not isinstance(value, dict) or value.keys() != {"known"}):
            raise Unreadable(f"expected a gap or a known value, found {value!r:.80}")
        return inner.decode(value["known"] if wrapped else value)

    return Codec(encode, decode)


def _tuple(kinds: tuple[Any, ...]) -> Codec:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return _table(kinds[0]) if dataclasses.is_dataclass(kinds[0]) else _many(codec(kinds[0]))
    parts = [codec(kind) for kind in kinds]

    def decode(value: Json) -> Any:
        if not isinstance(value, list) or len(value) != len(parts):
            raise Unreadable(f"expected {len(parts)} values, found {value!r:.80}")
        return tuple(part.decode(one) for part, one in zip(parts, value, strict=True))

    return Codec(lambda value: [part.encode(one) for part, one in zip(parts, value, strict=True)], decode)


def _many(inner: Codec) -> Codec:
    def decode(value: Json) -> Any:
        return tuple([inner.decode(one) for one in _list(value)])

    return Codec(lambda value: [inner.encode(one) for one in value], decode)


def _mapping(kind: Any) -> Codec:
    inner = codec(kind)

    def decode(value: Json) -> Any:
        if not isinstance(value, dict):
            raise Unreadable(f"expected an object, found {value!r:.80}")
        return {key: inner.decode(one) for key, one in value.items()}

    return Codec(lambda value: {key: inner.encode(value[key]) for key in sorted(value)}, decode)


def _fields(kind: Any) -> dict[str, Codec]:
    hints = get_type_hints(kind)
    return {field.name: codec(hints[field.name]) for field in dataclasses.fields(kind)}


def _record(kind: Any) -> Codec:
    fields = _fields(kind)

    def decode(value: Json) -> Any:
        _same_names(kind, fields, value)
        return kind(**{name: _within(name, one.decode, value[name]) for name, one in fields.items()})

    return Codec(lambda value: {name: one.encode(getattr(value, name)) for name, one in fields.items()}, decode)


def _table(kind: Any) -> Codec:
    fields = _fields(kind)

    def encode(rows: Sequence[Any]) -> Json:
        if not rows:
            return []
        return {name: _write_column([one.encode(getattr(row, name)) for row in rows]) for name, one in fields.items()}

    def decode(value: Json) -> Any:
        if value == []:
            return ()
        _same_names(kind, fields, value)
        columns = [_within(name, partial(_read_column, one), value[name]) for name, one in fields.items()]
        if len({len(column) for column in columns}) != 1:
            raise Unreadable("columns of different lengths")
        names = tuple(fields)
        return tuple([kind(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)])

    return Codec(encode, decode)


def _write_column(values: list[Json]) -> Json:
    """A list; or `{"of": distinct values, "at": positions}` where strings repeat."""
    if not all(type(value) in (str, types.NoneType) for value in values):
        return values
    places: dict[str | None, int] = {}
    at = [places.setdefault(value, len(places)) for value in values]
    return values if len(places) * 2 > len(values) else {"of": list(places), "at": at}


def _read_column(inner: Codec, value: Json) -> list[Any]:
    if not isinstance(value, dict):
        return [inner.decode(one) for one in _list(value)]
    distinct = [inner.decode(one) for one in _list(value.get("of"))]
    try:
        return [distinct[place] for place in _list(value.get("at"))]
    except (IndexError, TypeError) as error:
        raise Unreadable("a column points outside its values") from error


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise Unreadable(f"expected a list, found {value!r:.80}")
    return value


def _same_names(kind: Any, fields: Mapping[str, Codec], value: Json) -> None:
    if not isinstance(value, dict):
        raise Unreadable(f"expected a {kind.__name__}, found {value!r:.80}")
    if odd := sorted(value.keys() ^ fields.keys()):
        word = "lacks" if odd[0] in fields else "has an unknown"
        raise Unreadable(f"a {kind.__name__} {word} {odd[0]}")


def _within(name: str, decode: Callable[[Json], Any], value: Json) -> Any:
    try:
        return decode(value)
    except Unreadable as error:
        raise Unreadable(f"{error} in {name}") from error.__cause__
