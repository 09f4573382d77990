"""The manifest file: written with a digest of itself, and read strictly, so that an edited or cut file is an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
from blake3 import blake3
from jsonschema import Draft202012Validator

from backcheck import __version__
from backcheck.errors import Error
from backcheck.manifest.digest import BUCKETS, SUM_BYTES, Digest, bucket_counts
from backcheck.manifest.encoding import parse_object

SCHEMA = "backcheck/manifest/v1"
MAX_FILE_BYTES = 1 << 20
"""A manifest whose 4,096 buckets are all in use has about 400 kB."""
_SELF_PREFIX = b"backcheck/manifest/v1/self\n"


class WitnessKind(StrEnum):
    """Where the content was read from, which says what the digest can be evidence of."""

    EXPORT = "export"
    """A full export to S3, or one with incremental exports added: a moment's content, from the continuous backup."""
    SCAN = "scan"
    """A live table: a moment only if nothing was written between `as_of` and `until`."""
    FILES = "files"
    """Loose files that no export manifest vouches for."""


class FilterState(StrEnum):
    """Whether anything was left out by a filter. An export's own files do not say so; DescribeExport does."""

    NONE = "none"
    """Nothing was: DescribeExport names no filter, or the content was not exported."""
    STATED = "none-stated"
    """The operator says so."""
    UNKNOWN = "not-ruled-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRef:
    """Which table. What a source does not tell is None."""

    name: str | None = None
    arn: str | None = None
    id: str | None = None
    """DynamoDB's own id: two tables of one name that existed one after the other have two."""
    account: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """How the content came to be read, and of what time it is."""

    kind: WitnessKind
    as_of: datetime | None
    """The moment whose content this is; for a scan, when it began. None for loose files."""
    until: datetime | None = None
    """When a scan ended."""
    consistent: bool | None = None
    """A scan's ConsistentRead; None where the word has no meaning."""
    endpoint: str | None = None
    """A scan's endpoint, as it was really called."""
    export_arn: str | None = None
    filter: FilterState = FilterState.NONE
    notes: tuple[str, ...] = ()
    """What a reader of the verdict should know, such as a checksum file that was not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The digest of a table's content as of a moment, and whose content it is."""

    table: TableRef
    key: tuple[str, ...] | None
    """The key's attribute names, partition key first. None where the source does not name them."""
    witness: Witness
    digest: Digest
    tool_version: str = field(default=__version__)


def render(manifest: Manifest) -> bytes:
    """The manifest as JSON: sorted, one bucket a line, with a digest of itself. Equal manifests give equal bytes."""
    document = _document(manifest)
    document["self_digest"] = _self_digest(document)
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _document(manifest: Manifest) -> dict[str, Any]:
    table, witness, digest = manifest.table, manifest.witness, manifest.digest
    return {
        "schema": SCHEMA,
        "tool": {"name": "backcheck", "version": manifest.tool_version},
        "table": {
            "name": table.name,
            "arn": table.arn,
            "id": table.id,
            "account": table.account,
            "region": table.region,
        },
        "key": list(manifest.key) if manifest.key else None,
        "witness": {
            "kind": witness.kind.value,
            "as_of": _time_text(witness.as_of),
            "until": _time_text(witness.until),
            "consistent": witness.consistent,
            "endpoint": witness.endpoint,
            "export_arn": witness.export_arn,
            "filter": witness.filter.value,
            "notes": list(witness.notes),
        },
        "items": digest.items,
        "size_bytes": digest.size_bytes,
        "digest": digest.id,
        "lanes": digest.lanes.hex(),
        "buckets": {
            f"{bucket:03x}": [count, digest.sums[bucket * SUM_BYTES :][:SUM_BYTES].hex()]
            for bucket, count in enumerate(bucket_counts(digest))
            if count
        },
    }


def _self_digest(document: dict[str, Any]) -> str:
    rest = {name: value for name, value in document.items() if name != "self_digest"}
    return blake3(_SELF_PREFIX + orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _time_text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def parse(text: bytes, *, where: str = "manifest") -> Manifest:
    """The manifest in `text`. Raises Error where it is not a whole, unedited manifest of this version."""
    if len(text) > MAX_FILE_BYTES:
        raise Error(f"larger than {MAX_FILE_BYTES} bytes, so not a manifest", where=where)
    try:
        document = parse_object(text)
    except Error as error:
        raise _unusable(f"not a manifest, or cut off ({error.message})", where) from error
    if document.get("schema") != SCHEMA:
        raise Error(
            f"not a manifest of version {SCHEMA}", where=where, hint="make the manifest again with this version"
        )
    problem = next(_validator().iter_errors(document), None)
    if problem is not None:
        # The validator's own message would quote the value.
        raise _unusable(f"not a manifest: /{'/'.join(map(str, problem.absolute_path))} does not fit the schema", where)
    if document["self_digest"] != _self_digest(document):
        raise _unusable("the file was changed after it was written: its self_digest does not fit", where)
    return _checked(_manifest(document), document["digest"], where)


def read(path: Path) -> Manifest:
    """The manifest in a file. Raises Error where there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Error(f"cannot read the manifest: {error.strerror}", where=str(path)) from error
    return parse(text, where=str(path))


def _unusable(message: str, where: str) -> Error:
    return Error(message, where=where, hint="make the manifest again; it cannot be repaired")


def _checked(manifest: Manifest, digest_id: str, where: str) -> Manifest:
    digest = manifest.digest
    if digest.id != digest_id or sum(bucket_counts(digest)) != digest.items:
        raise _unusable("the digest, the buckets and the count of items do not belong together", where)
    return manifest


@cache
def _validator() -> Draft202012Validator:
    schema = orjson.loads(resources.files("backcheck.manifest").joinpath("manifest.schema.json").read_bytes())
    return Draft202012Validator(schema)


def _manifest(document: dict[str, Any]) -> Manifest:
    witness = document["witness"]
    return Manifest(
        table=TableRef(**document["table"]),
        key=tuple(document["key"]) if document["key"] else None,
        witness=Witness(
            kind=WitnessKind(witness["kind"]),
            as_of=_time(witness["as_of"]),
            until=_time(witness["until"]),
            consistent=witness["consistent"],
            endpoint=witness["endpoint"],
            export_arn=witness["export_arn"],
            filter=FilterState(witness["filter"]),
            notes=tuple(witness["notes"]),
        ),
        digest=_digest(document),
        tool_version=document["tool"]["version"],
    )


def _digest(document: dict[str, Any]) -> Digest:
    counts = bytearray(8 * BUCKETS)
    sums = bytearray(SUM_BYTES * BUCKETS)
    for name, (count, total) in document["buckets"].items():
        bucket = int(name, 16)
        counts[8 * bucket : 8 * bucket + 8] = int(count).to_bytes(8, "little")
        sums[SUM_BYTES * bucket : SUM_BYTES * (bucket + 1)] = bytes.fromhex(total)
    return Digest(
        items=int(document["items"]),
        size_bytes=int(document["size_bytes"]),
        lanes=bytes.fromhex(document["lanes"]),
        counts=bytes(counts),
        sums=bytes(sums),
    )


def parse_time(text: str) -> datetime:
    """An RFC 3339 time with its zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("a time without a zone")
    return moment


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise Error("a time in the manifest is not RFC 3339") from error


def describe_window(witness: Witness) -> str:
    """The witness' time in words, for a report."""
    if witness.as_of is None:
        return "at an unknown time"
    if witness.until is None or witness.until - witness.as_of < timedelta(seconds=1):
        return f"as of {_time_text(witness.as_of)}"
    return f"read from {_time_text(witness.as_of)} to {_time_text(witness.until)}"
