"""One source of items read and added up: what a worker process, or a Spark executor, does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from backcheck.errors import Error
from backcheck.manifest.digest import BATCH, EMPTY, Accumulator, Digest
from backcheck.manifest.encoding import Attributes, encode_item, encode_key, make_canonical, parse_line, parse_object
from backcheck.manifest.lines import MeasuredSource, chunks, gunzipped, split_lines
from backcheck.manifest.location import Location

_CHANGE_MEMBERS = frozenset(("Metadata", "Keys", "NewImage", "OldImage"))


class ItemSource(Protocol):
    """A part of a table: a data file, a segment of a scan. Small, and fit to be sent to another process."""

    @property
    def name(self) -> str:
        """What tells this part from the table's other parts."""
        ...

    @property
    def key(self) -> tuple[str, ...] | None:
        """The key's attribute names, if they are known."""
        ...

    def fingerprint(self) -> str:
        """Something that changes when the source does, if it can be told: a resumed run trusts it."""
        ...

    def items(self) -> Iterator[tuple[int, Attributes, bytes]]:
        """Number, from 1, canonical item and its encoding. Raises Error unless the whole part was read and is right."""
        ...

    def at(self, number: int) -> str:
        """The place of an item, for messages."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """A data file to read, and what is known of it beforehand."""

    location: Location
    name: str
    key: tuple[str, ...] | None
    stated_items: int | None = None
    """Items that the export's manifest states; None where nothing does."""
    md5: bytes | None = None
    changes: bool = False
    """True for a file of an incremental export."""

    def at(self, number: int) -> str:
        """File and line."""
        return f"{self.location.at(self.name)}:{number}"

    def fingerprint(self) -> str:
        """The file's size and time, or ETag."""
        return self.location.fingerprint(self.name)

    def items(self) -> Iterator[tuple[int, Attributes, bytes]]:
        """The items of a full export's file."""
        return self._parsed(parse_line)

    def records(self) -> Iterator[tuple[int, Attributes, bytes]]:
        """The lines of an incremental export's file, as they are."""
        return self._parsed(lambda line: (parse_object(line), line))

    def _parsed(self, parse: Callable[[bytes], tuple[Attributes, bytes]]) -> Iterator[tuple[int, Attributes, bytes]]:
        number = 0
        try:
            for batch in self.line_batches():
                for number, line in enumerate(batch, start=number + 1):  # noqa: B020  it goes on counting
                    yield number, *parse(line)
        except Error as error:
            raise Error(error.message, where=error.where or self.at(number), hint=error.hint) from error

    def line_batches(self) -> Iterator[list[bytes]]:
        """The lines in lists. Raises Error where the file, its MD5 or its count is not as stated."""
        count = 0
        try:
            for batch in split_lines(self.content()):
                count += len(batch)
                yield batch
        except Error as error:
            raise Error(error.message, where=error.where or self.location.at(self.name), hint=error.hint) from error
        self.check_count(count)

    def content(self) -> Iterator[bytes]:
        """The decompressed content. Raises Error where the file is damaged, or has another MD5 than is stated."""
        where = self.location.at(self.name)
        with self.location.open(self.name) as source:
            measured = MeasuredSource(source)
            try:
                yield from _content(measured, self.name)
            except Error as error:
                raise Error(error.message, where=error.where or where, hint=error.hint) from error
        if self.md5 is not None and measured.md5() != self.md5:
            raise Error("does not have the MD5 that the export's manifest states", where=where, hint="copy it again")

    def check_count(self, lines: int) -> None:
        """Raise Error unless the file has as many lines as the export's manifest states."""
        if self.stated_items is not None and lines != self.stated_items:
            where = self.location.at(self.name)
            raise Error(f"has {lines} lines; the export's manifest states {self.stated_items}", where=where)


def _content(source: MeasuredSource, name: str) -> Iterable[bytes]:
    return gunzipped(source) if name.endswith(".gz") else chunks(source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What one source added up to."""

    name: str
    added: Digest
    removed: Digest = EMPTY
    """Old images of an incremental export; else nothing."""


def read_items(source: ItemSource) -> Partial:
    """Add up one source. Raises Error, with its place, for what is not a DynamoDB item."""
    total = Accumulator(source.key)
    if isinstance(source, FileTask):
        _add_file(source, total)
        return Partial(name=source.name, added=total.digest())
    number = 0
    try:
        for number, item, encoded in source.items():  # noqa: B007  the number is for the message
            total.add(item, encoded)
    except Error as error:
        raise Error(error.message, where=error.where or source.at(number), hint=error.hint) from error
    return Partial(name=source.name, added=total.digest())


def _add_file(task: FileTask, total: Accumulator) -> None:
    """The same for a file, a batch at a time: some 5 % less than item by item."""
    count = 0
    for lines in task.line_batches():
        for start in range(0, len(lines), BATCH):
            batch = lines[start : start + BATCH]
            try:
                total.add_batch([parse_line(line) for line in batch])
            except Error as error:
                raise _placed(task, batch, count, error) from error
            count += len(batch)


def _placed(task: FileTask, batch: list[bytes], count: int, error: Error) -> Error:
    """The error with the line that it is about: the first of the batch that cannot be added by itself."""
    for number, line in enumerate(batch, start=count + 1):
        try:
            Accumulator(task.key).add(*parse_line(line))
        except Error:
            return Error(error.message, where=task.at(number), hint=error.hint)
    return error


def read_changes(task: FileTask) -> Partial:
    """Add up one file of an incremental export: new images on one side, old ones on the other."""
    added, removed = Accumulator(task.key), Accumulator(task.key)
    number = 0
    try:
        for number, record, _ in task.records():  # noqa: B007
            _add_change(record, task.key, added, removed)
    except Error as error:
        raise Error(error.message, where=error.where or task.at(number), hint=error.hint) from error
    return Partial(name=task.name, added=added.digest(), removed=removed.digest())


def _add_change(record: dict[str, Any], key: tuple[str, ...] | None, added: Accumulator, removed: Accumulator) -> None:
    """Add the new image, take the old one away. `NEW_AND_OLD_IMAGES` only: each record then has at least one image.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
    """
    keys = record.get("Keys")
    images = [(record[name], total) for name, total in (("NewImage", added), ("OldImage", removed)) if name in record]
    if not isinstance(keys, dict) or not keys or not images or record.keys() - _CHANGE_MEMBERS:
        raise Error("a line that is not a change with Metadata, Keys and at least one image")
    make_canonical(keys)
    names = tuple(keys)
    if key is not None and set(key) != set(names):
        raise Error("a change whose Keys have other names than the key of the base")
    for image, total in images:
        total.add(image, encode_item(image))
        if encode_key(image, names) != encode_key(keys, names):
            raise Error("a change whose image has another key than its Keys")
