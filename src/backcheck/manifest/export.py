"""An S3 export's own manifest files: what they list is checked before and while the data is read.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from backcheck.errors import Error
from backcheck.manifest.document import TableRef, parse_time
from backcheck.manifest.encoding import parse_object
from backcheck.manifest.location import Location, locate, read_small

SUMMARY = "manifest-summary.json"
FILES = "manifest-files.json"
_MAX_SUMMARY_BYTES = 1 << 20
_MAX_FILES_BYTES = 256 << 20
"""About a million data files."""
_KNOWN_FIELDS = frozenset(
    (
        *("version", "exportArn", "startTime", "endTime", "tableArn", "tableId", "exportTime", "exportFromTime"),
        *("exportToTime", "s3Bucket", "s3Prefix", "s3SseAlgorithm", "s3SseKmsKeyId", "manifestFilesS3Key"),
        *("billedSizeBytes", "itemCount", "outputFormat", "outputView", "exportType"),
    )
)
"""Both documented examples together."""
_filter_word = re.compile(r"filter|expression|projection|condition", re.IGNORECASE).search
_table_arn = re.compile(r"arn:[^:]+:dynamodb:([^:]+):([0-9]{12}):table/([A-Za-z0-9_.-]+)").fullmatch
_data_key = re.compile(r"(?:.*/)?AWSDynamoDB/(?:[^/]+/)?data/([^/]+\.json\.gz)").fullmatch


class ExportKind(StrEnum):
    """FULL is a table's content; INCREMENTAL is what changed in a window."""

    FULL = "FULL_EXPORT"
    INCREMENTAL = "INCREMENTAL_EXPORT"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A data file as the export's manifest lists it."""

    name: str
    """Relative to the export's parent folder."""
    items: int
    md5: bytes
    """Of the file as stored, compressed: the documented example's ETag is the MD5 of this MD5, as S3 makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export whose manifest files hold together. The data is not read yet."""

    location: Location
    """The parent of the export's folder."""
    folder: str
    kind: ExportKind
    arn: str
    table: TableRef
    as_of: datetime
    """The moment exported; for an incremental export the end of its window, which is exclusive."""
    since: datetime | None
    """The inclusive start of an incremental export's window."""
    both_images: bool
    """True if an incremental export has old images as well as new ones."""
    files: tuple[DataFile, ...]
    identity: str
    """The SHA-256 of the manifest files: what a resumed run is bound to."""
    notes: tuple[str, ...]

    @property
    def items(self) -> int:
        """Items, or for an incremental export changes, in all files."""
        return sum(file.items for file in self.files)


def open_export(place: str, *, profile: str | None = None, client: Any = None) -> Export:
    """Read and check the manifest files of the export in the folder or S3 URL `place`, by `client` where it is given.

    Raises Error where they are missing, cut off, contradict each other or the files at hand, or describe an export that
    cannot be evidence: Ion, or filtered.
    """
    location, folder = locate(place, profile=profile, client=client)
    summary_text, summary_notes = _read_checked(location, folder, SUMMARY, _MAX_SUMMARY_BYTES)
    files_text, files_notes = _read_checked(location, folder, FILES, _MAX_FILES_BYTES)
    where = location.at(f"{folder}/{SUMMARY}")
    try:
        summary = parse_object(summary_text)
        export, stated_items = _summary(summary, location, folder), _integer(summary, "itemCount")
    except Error as error:
        raise Error(error.message, where=where, hint=error.hint) from error
    files = _data_files(files_text, export)
    export = replace(
        export,
        files=files,
        identity=hashlib.sha256(summary_text + files_text).hexdigest(),
        notes=export.notes + summary_notes + files_notes,
    )
    _check_files(export, stated_items)
    return export


def _read_checked(location: Location, folder: str, name: str, limit: int) -> tuple[bytes, tuple[str, ...]]:
    """A manifest file, compared with its checksum file; a note where there is none.

    The page names the checksum files both `.checksum` and `.md5`, and does not say how they spell the MD5.
    """
    text = read_small(location, f"{folder}/{name}", limit)
    md5 = hashlib.md5(text, usedforsecurity=False)
    spellings = (md5.hexdigest(), base64.b64encode(md5.digest()).decode())
    for suffix in (".checksum", ".md5"):
        try:
            stated = read_small(location, f"{folder}/{name.removesuffix('.json')}{suffix}", 1024)
        except Error as error:
            if error.message == "is missing":
                continue
            raise
        if stated.decode("ascii", "replace").strip().strip('"') not in spellings:
            raise Error(f"does not have the MD5 that its {suffix} file states", where=location.at(f"{folder}/{name}"))
        return text, ()
    return text, (f"{name} has no checksum file beside it: not compared",)


def _summary(summary: dict[str, Any], location: Location, folder: str) -> Export:
    notes = _refuse_filters(summary)
    output_format = _text(summary, "outputFormat")
    if output_format == "ION":
        raise Error("an export in Amazon Ion, which this version does not read", hint="export again as DYNAMODB_JSON")
    if output_format != "DYNAMODB_JSON":
        raise Error("an export in a format that this version does not read", hint="export again as DYNAMODB_JSON")
    kind = _kind(summary.get("exportType", ExportKind.FULL))
    full = kind is ExportKind.FULL
    view = "" if full else _text(summary, "outputView")
    if view not in ("", "NEW_AND_OLD_IMAGES", "NEW_IMAGES"):
        raise Error("an outputView that this version does not know")
    return Export(
        location=location,
        folder=folder,
        kind=kind,
        arn=_text(summary, "exportArn"),
        table=table_of(_text(summary, "tableArn"), _text(summary, "tableId")),
        as_of=_moment(summary, "exportTime" if full else "exportToTime"),
        since=None if full else _moment(summary, "exportFromTime"),
        both_images=view == "NEW_AND_OLD_IMAGES",
        files=(),
        identity="",
        notes=notes,
    )


def _refuse_filters(summary: dict[str, Any]) -> tuple[str, ...]:
    """Notes on fields that no page documents; a field that speaks of a filter is refused.

    How a summary shows a filter, or whether, is not documented (S3DataExport.Filtered): silence here rules nothing out.
    """
    unknown = sorted(summary.keys() - _KNOWN_FIELDS)
    if any(_filter_word(name) and summary[name] for name in unknown):
        raise Error("a filtered export: it leaves items or attributes out", hint="export the whole table")
    return (f"{SUMMARY} has fields unknown to this version: {', '.join(unknown)[:500]}",) if unknown else ()


def _kind(value: Any) -> ExportKind:
    try:
        return ExportKind(value)
    except ValueError as error:
        raise Error("an exportType that this version does not know") from error


def table_of(arn: str, table_id: str | None) -> TableRef:
    """The table that an ARN names. Raises Error for what is not a table's ARN."""
    match = _table_arn(arn)
    if match is None:
        raise Error("not the ARN of a table")
    return TableRef(name=match[3], arn=arn, id=table_id, account=match[2], region=match[1])


def _data_files(text: bytes, export: Export) -> tuple[DataFile, ...]:
    where = export.location.at(f"{export.folder}/{FILES}")
    files = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            files.append(_data_file(parse_object(line), export))
        except Error as error:
            raise Error(error.message, where=f"{where}:{number}") from error
    if len({file.name for file in files}) != len(files):
        raise Error("lists a data file twice", where=where)
    return tuple(files)


def _data_file(entry: dict[str, Any], export: Export) -> DataFile:
    match = _data_key(_text(entry, "dataFileS3Key"))
    if match is None:
        raise Error("dataFileS3Key is not .../AWSDynamoDB/.../data/NAME.json.gz")
    try:
        md5 = base64.b64decode(_text(entry, "md5Checksum"), validate=True)
    except ValueError as error:
        raise Error("md5Checksum is not base64") from error
    folder = f"{export.folder}/data" if export.kind is ExportKind.FULL else "data"
    return DataFile(name=f"{folder}/{match[1]}", items=_integer(entry, "itemCount"), md5=md5)


def _check_files(export: Export, stated_items: int) -> None:
    where = str(export.location.at(export.folder))
    if export.items != stated_items:
        raise Error(f"{FILES} adds up to {export.items} items, {SUMMARY} states {stated_items}", where=where)
    if not export.files:
        raise Error(f"{FILES} lists no data file; an export has at least one", where=where)
    if export.kind is ExportKind.INCREMENTAL:
        return  # its data folder is shared with other exports
    listed = {file.name for file in export.files}
    at_hand = set(export.location.names(f"{export.folder}/data/"))
    if extra := sorted(at_hand - listed):
        raise Error(f"{len(extra)} data file(s) that {FILES} does not list, such as {extra[0]}", where=where)
    if missing := sorted(listed - at_hand):
        raise Error(f"{len(missing)} data file(s) missing, such as {missing[0]}", where=where, hint="copy it all again")


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Error(f"{name} is not there, or is not a text")
    return value


def _integer(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or value < 0:
        raise Error(f"{name} is not there, or is not a count")
    return value


def _moment(fields: dict[str, Any], name: str) -> datetime:
    try:
        return parse_time(_text(fields, name))
    except ValueError as error:
        raise Error(f"{name} is not an RFC 3339 time") from error
