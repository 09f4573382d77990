"""What a plan is made of, read: both tables as digests, the exports' changes, the operator's list of keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from blake3 import blake3

from backcheck.errors import Error, UsageError
from backcheck.manifest.build import described_filter, export_tasks
from backcheck.manifest.digest import ITEM_PREFIX, item_digest, key_digest
from backcheck.manifest.document import FilterState
from backcheck.manifest.encoding import Attributes, encode_key, make_canonical, parse_object
from backcheck.manifest.engine import run
from backcheck.manifest.export import Export, ExportKind, open_export
from backcheck.manifest.reading import FileTask, ItemSource
from backcheck.manifest.scan import Connection, ScanOptions, TableFacts, describe_table, segments_of
from backcheck.reconcile.classify import Change, Window

Row: TypeAlias = tuple[bytes, bytes, str | None]
"""Key digest, item digest, and the key as JSON if asked for."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreFacts:
    """What AWS says of how a table was restored; both None for a table that was not."""

    source_arn: str | None
    at: datetime | None


def restore_facts(client: Any, facts: TableFacts) -> RestoreFacts:
    """RestoreSummary of a restored table. Raises Error where it is still being restored."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        table = client.describe_table(TableName=facts.table.name)["Table"]
    except (ClientError, BotoCoreError) as error:
        raise Error(f"dynamodb:DescribeTable failed: {error}", where=facts.table.name or "") from error
    summary = table.get("RestoreSummary") or {}
    if table.get("TableStatus") != "ACTIVE" or summary.get("RestoreInProgress"):
        raise Error("is not ACTIVE yet, or still being restored", where=facts.table.name or "", hint="wait for it")
    at = summary.get("RestoreDateTime")
    return RestoreFacts(source_arn=summary.get("SourceTableArn"), at=at.astimezone(UTC) if at else None)


def table_facts(client: Any, name: str) -> TableFacts:
    """What DescribeTable says. Raises Error where it cannot be called."""
    return describe_table(client, name)


def rows(connection: Connection, facts: TableFacts, *, processes: int, show_keys: bool) -> Iterator[Row]:
    """Every item of a live table, as digests. Memory: one segment's rows."""
    workers = 1 if connection.session is not None else processes
    segments = 2 * workers if workers > 1 else 1
    sources = segments_of(connection, facts, ScanOptions(), segments=segments, processes=workers)
    for batch in run(partial(_rows_of, show_keys=show_keys), sources, processes=workers):
        yield from batch


def _rows_of(source: ItemSource, *, show_keys: bool) -> list[Row]:
    key = source.key or ()
    return [
        (
            key_digest(item, key),
            bytes(blake3(ITEM_PREFIX + encoded).digest()),
            encode_key(item, key).decode() if show_keys else None,
        )
        for _, item, encoded in source.items()
    ]


def open_changes(place: str, live: TableFacts, client: Any, *, profile: str | None, unfiltered: bool) -> Export:
    """An incremental export of the live table, fit to judge by. Raises UsageError or Error for any other."""
    export = open_export(place, profile=profile)
    if export.kind is not ExportKind.INCREMENTAL or export.since is None:
        raise UsageError("a full export has no write times", where=place, hint="--export-type INCREMENTAL_EXPORT")
    if not export.both_images:
        raise UsageError("an export without old images", where=place, hint="ExportViewType NEW_AND_OLD_IMAGES")
    if export.table.arn != live.table.arn:
        raise UsageError(f"an export of {export.table.arn}, not of the live table {live.table.arn}", where=place)
    if export.table.id and live.table.id and export.table.id != live.table.id:
        raise UsageError("an export of another table that had this name before", where=place)
    if not unfiltered and described_filter(client, export.arn) is FilterState.UNKNOWN:
        raise UsageError(
            "that a filter left changes out of this export is not ruled out: DescribeExport does not answer",
            where=place,
            hint="allow dynamodb:DescribeExport, or give your word with --unfiltered",
        )
    return export


def window_of(export: Export) -> Window:
    """The export's. Raises Error for a full one, which has none."""
    if export.since is None:
        raise Error("a full export has no window", where=export.arn)
    return Window(start=export.since, end=export.as_of)


def changes_of(
    exports: Sequence[Export], key: tuple[str, ...], *, show_keys: bool
) -> tuple[dict[bytes, tuple[Change, ...]], dict[bytes, str]]:
    """Each changed item's changes in the order of time, by key digest; and the keys if asked for.

    Raises UsageError for exports whose windows overlap, and Error for a damaged one.
    """
    ordered = sorted(exports, key=lambda one: window_of(one).start)
    for earlier, later in pairwise(ordered):
        if window_of(later).start < window_of(earlier).end:
            raise UsageError("two exports whose windows overlap", where=f"{earlier.arn} and {later.arn}")
    found: dict[bytes, tuple[Change, ...]] = {}
    shown: dict[bytes, str] = {}
    for export in ordered:
        for digest, keys, change in _changes(export, key):
            if any(one.window == change.window for one in found.get(digest, ())):
                raise Error("names an item twice", where=export.arn)
            found[digest] = (*found.get(digest, ()), change)
            if show_keys:
                shown[digest] = encode_key(keys, key).decode()
    return found, shown


def _changes(export: Export, key: tuple[str, ...]) -> Iterator[tuple[bytes, Attributes, Change]]:
    window = window_of(export)
    for task in export_tasks(export, key):
        for number, record, _ in task.records():
            try:
                yield _change(record, key, window)
            except Error as error:
                raise Error(error.message, where=_place(task, number), hint=error.hint) from error


def _place(task: FileTask, number: int) -> str:
    return task.at(number)


def _change(record: dict[str, Any], key: tuple[str, ...], window: Window) -> tuple[bytes, Attributes, Change]:
    keys, before, after = record.get("Keys"), record.get("OldImage"), record.get("NewImage")
    if not isinstance(keys, dict) or set(keys) != set(key) or (before is None and after is None):
        raise Error("a line that is not a change of an item of this table")
    make_canonical(keys)
    digest = key_digest(keys, key)
    images = [None if image is None else item_digest(image) for image in (before, after)]
    for image in (before, after):
        if image is not None and key_digest(image, key) != digest:
            raise Error("a change whose image has another key than its Keys")
    written = _written(record.get("Metadata"))
    if not window.holds(written):
        raise Error("a change whose write time is outside of the export's window")
    return digest, keys, Change(window=window, written=written, before=images[0], after=images[1])


def _written(metadata: Any) -> datetime:
    """WriteTimestampMicros, which the page shows as a string."""
    micros = metadata.get("WriteTimestampMicros") if isinstance(metadata, dict) else None
    if isinstance(micros, dict):
        micros = micros.get("N")
    try:
        return _EPOCH + timedelta(microseconds=int(micros or ""))
    except (ValueError, TypeError, OverflowError) as error:
        raise Error("a change without WriteTimestampMicros") from error


def listed_keys(path: Path, key: tuple[str, ...]) -> frozenset[bytes]:
    """The digests of the keys in a file, one a line as DynamoDB JSON, such as `{"id": {"S": "p-1"}}`.

    Raises UsageError for a line that is not the table's key, or a file with none.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    found = frozenset(_listed(line, key, f"{path}:{n}") for n, line in enumerate(lines, start=1) if line.strip())
    if not found:
        raise UsageError("a list without keys", where=str(path))
    return found


def _listed(line: bytes, key: tuple[str, ...], where: str) -> bytes:
    hint = '{"id": {"S": "p-1"}}'
    try:
        item = parse_object(line)
        make_canonical(item)
        digest = key_digest(item, key)
    except Error as error:
        raise UsageError(f"not a key: {error.message}", where=where, hint=hint) from error
    if set(item) != set(key):
        raise UsageError(f"not a key: its attributes are {', '.join(key)}", where=where, hint=hint)
    return digest
