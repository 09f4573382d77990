"""What point-in-time recovery remembers: every image of every item, for tables that have it on and for no other.

After each call that writes, the items that the call named are read back from moto and compared with their last image.
So it does not matter how moto wrote them: in place, in a batch, in a transaction that was rolled back, or by PartiQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from backcheck.sandbox import tables
from backcheck.sandbox.item_text import written
from backcheck.sandbox.world import Region

Key = tuple[str, ...]
"""Type and value of the partition key, then of the sort key where there is one."""

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""The time of images that were there when the history began."""

SECOND = timedelta(seconds=1)
"""Requests carry whole seconds, so the window begins with the second in which `earliest` lies."""

PARTIQL = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one item in a period."""

    key: Mapping[str, Any]
    """The key's attributes, as JSON."""
    before: str | None
    """The image just before the period; None where there was no item."""
    after: str | None
    written: datetime
    """When it was last written to in the period."""


class History:
    """The images of one table's items since point-in-time recovery was turned on."""

    def __init__(self, table: Any) -> None:
        """Begin with what the table holds."""
        self._images: dict[Key, list[tuple[datetime, str | None]]] = {
            _key(item): [(ALWAYS, written(item.attrs))] for item in table.all_items()
        }

    def keys(self) -> set[Key]:
        """Every key that was ever seen."""
        return set(self._images)

    def record(self, key: Key, image: str | None, *, at: datetime, earliest: datetime) -> None:
        """Note an item's image now. What can no longer be asked for, because `earliest` is later, is dropped."""
        images = self._images.setdefault(key, [])
        if image == (images[-1][1] if images else None):
            return
        if images and images[-1][0] == at:
            images.pop()  # only the last of several writes of one instant can ever be seen
        images.append((at, image))
        while len(images) > 1 and images[1][0] < earliest - SECOND:
            del images[0]

    def at(self, moment: datetime) -> list[str]:
        """The items as they were at `moment`, writes of that very instant included."""
        found = (_image(images, moment, inclusive=True) for images in self._images.values())
        return [image for image in found if image is not None]

    def changes(self, start: datetime, end: datetime, names: tuple[str, ...]) -> Iterator[Change]:
        """What was written from `start` until just before `end`. An item that came and went is not named."""
        for key, images in self._images.items():
            inside = [at for at, _ in images if start <= at < end]
            before = _image(images, start, inclusive=False)
            after = _image(images, end, inclusive=False)
            if inside and not (before is None and after is None):
                parts = zip(key[::2], key[1::2], strict=True)
                shown = {name: {kind: value} for name, (kind, value) in zip(names, parts, strict=True)}
                yield Change(key=shown, before=before, after=after, written=inside[-1])


def note(region: Region, action: str, body: Any, now: datetime) -> None:
    """Note what a call has written, whether or not it succeeded as a whole."""
    if not region.histories:
        return
    if action in PARTIQL:  # moto itself reads every table for a statement
        for table in list(_tables(region).values()):
            _note_all(region, table, now)
        return
    for name, attributes in touched(body):
        table = _tables(region).get(name.rsplit("/", 1)[-1])
        key = None if table is None else _key_in(table, attributes)
        if key is not None:
            _note_one(region, table, key, now)


def touched(body: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Table (name or ARN) and attributes, the key among them, of each item that a request writes; no malformed ones."""
    for name, operation in _operations(body if isinstance(body, Mapping) else {}):
        attributes = operation.get("Item") or operation.get("Key")
        if isinstance(name, str) and isinstance(attributes, Mapping):
            yield name, attributes


def _operations(body: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    yield body.get("TableName"), body
    for entry in _maps(body.get("TransactItems")):
        for operation in _maps(list(entry.values())):
            yield operation.get("TableName"), operation
    batches = body.get("RequestItems")
    for name, requests in batches.items() if isinstance(batches, Mapping) else ():
        for request in _maps(requests):
            for operation in _maps(list(request.values())):
                yield name, operation


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [inner for inner in value if isinstance(inner, Mapping)] if isinstance(value, list) else []


def _tables(region: Region) -> Any:
    return dynamodb_backends[region.account][region.name].tables


def _key(item: Any) -> Key:
    own = (item.hash_key.type, item.hash_key.value)
    return own if item.range_key is None else (*own, item.range_key.type, item.range_key.value)


def _key_in(table: Any, attributes: Mapping[str, Any]) -> Key | None:
    """The key among these attributes; None where it is not there, or is no attribute value."""
    found: list[str] = []
    for name in table.table_key_attrs:
        value = attributes.get(name)
        if not isinstance(value, Mapping) or len(value) != 1:
            return None
        found.extend(next(iter(value.items())))
    return tuple(found)


def _note_one(region: Region, table: Any, key: Key, now: datetime) -> None:
    history = region.histories.get(tables.table_id(table))
    if history is not None:
        values = [DynamoType({kind: value}) for kind, value in zip(key[::2], key[1::2], strict=True)]
        item = table.get_item(*values)
        history.record(
            key, None if item is None else written(item.attrs), at=now, earliest=_earliest(region, table, now)
        )


def _note_all(region: Region, table: Any, now: datetime) -> None:
    history = region.histories.get(tables.table_id(table))
    if history is None:
        return
    present = {_key(item): written(item.attrs) for item in table.all_items()}
    for key in history.keys() | present.keys():
        history.record(key, present.get(key), at=now, earliest=_earliest(region, table, now))


def _earliest(region: Region, table: Any, now: datetime) -> datetime:
    return region.continuous[tables.table_id(table)].earliest(now)


def _image(images: list[tuple[datetime, str | None]], moment: datetime, *, inclusive: bool) -> str | None:
    for at, image in reversed(images):
        if at < moment or (inclusive and at == moment):
            return image
    return None
