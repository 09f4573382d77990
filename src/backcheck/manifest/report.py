"""Manifests and comparisons as text for people and as JSON for machines. No item data; keys only if asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from backcheck.manifest.diff import Comparison, Outcome, Side
from backcheck.manifest.differences import Difference, Differences, Kind
from backcheck.manifest.document import Manifest, describe_window

_SHOWN_BUCKETS = 16


def manifest_text(manifest: Manifest) -> str:
    """One manifest, in a few lines."""
    name = manifest.table.name or "loose files"
    lines = [
        f"{name}: {manifest.digest.items} items, {manifest.digest.size_bytes} bytes in canonical form",
        f"{manifest.witness.kind.value}, {describe_window(manifest.witness)}",
        f"key     {','.join(manifest.key) if manifest.key else 'not known'}",
        f"digest  {manifest.digest.id}",
    ]
    lines += [f"note    {note}" for note in manifest.witness.notes]
    return "\n".join(lines)


def manifest_json(manifest: Manifest, path: str) -> str:
    """One manifest's head, for a machine; the whole is in the file."""
    return _dumped({"manifest": path, **_side_json(manifest.table.name, manifest)})


def _side_json(name: str | None, manifest: Manifest) -> dict[str, Any]:
    return {
        "table": name,
        "witness": manifest.witness.kind.value,
        "as_of": manifest.witness.as_of,
        "key": manifest.key,
        "items": manifest.digest.items,
        "size_bytes": manifest.digest.size_bytes,
        "digest": manifest.digest.id,
        "filter": manifest.witness.filter.value,
        "notes": manifest.witness.notes,
    }


def comparison_text(comparison: Comparison, differences: Differences | None) -> str:
    """The verdict first, then the two sides, then what differs."""
    return "\n".join(_text_lines(comparison, differences))


def _text_lines(comparison: Comparison, differences: Differences | None) -> Iterator[str]:
    verdict = {Outcome.EQUAL: "EQUAL", Outcome.DIFFERENT: "DIFFERENT", Outcome.UNKNOWN: "COULD NOT TELL"}
    yield f"{verdict[comparison.outcome]}: {comparison.reason}"
    for name, one in (("A", comparison.a), ("B", comparison.b)):
        table = one.table.name or "loose files"
        yield f"{name}  {table}: {one.items} items, {one.witness.kind.value} {describe_window(one.witness)}"
    if comparison.outcome is Outcome.DIFFERENT:
        yield from _bucket_lines(comparison.buckets)
    if differences is not None:
        yield from _difference_lines(differences)
    yield from (f"note: {note}" for note in comparison.notes)


def _bucket_lines(buckets: tuple[int, ...] | None) -> Iterator[str]:
    if buckets is None:
        yield "the two are bucketed by different keys: where they differ cannot be said"
        return
    shown = " ".join(f"{bucket:03x}" for bucket in buckets[:_SHOWN_BUCKETS])
    more = f" and {len(buckets) - _SHOWN_BUCKETS} more" if len(buckets) > _SHOWN_BUCKETS else ""
    yield f"{len(buckets)} of 4096 buckets differ: {shown}{more}"


def _difference_lines(differences: Differences) -> Iterator[str]:
    yield ", ".join(f"{count} {kind.value}" for kind in Kind if (count := differences.counts.get(kind)))
    for one in differences.listed:
        attributes = f"  {', '.join(map(_printable, one.attributes))}" if one.attributes else ""
        yield f"{one.kind.value:<10}  {_printable(one.key) if one.key else one.digest}{attributes}"
    if (hidden := differences.total - len(differences.listed)) > 0:
        yield f"{hidden} more not listed; --limit lists more"


def _printable(text: str) -> str:
    """Names and keys come from the data: what could steer a terminal is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def comparison_json(comparison: Comparison, differences: Differences | None) -> str:
    """The comparison for a machine."""
    return _dumped(
        {
            "schema": "backcheck/manifest-diff/v1",
            "outcome": comparison.outcome.value,
            "reason": comparison.reason,
            "a": _side(comparison.a),
            "b": _side(comparison.b),
            "buckets": None if comparison.buckets is None else [f"{bucket:03x}" for bucket in comparison.buckets],
            "differences": None if differences is None else _differences(differences),
            "notes": comparison.notes,
        }
    )


def _side(one: Side) -> dict[str, Any]:
    return {
        "table": one.table.name,
        "arn": one.table.arn,
        "key": one.key,
        "witness": one.witness.kind.value,
        "as_of": one.witness.as_of,
        "until": one.witness.until,
        "filter": one.witness.filter.value,
        "items": one.items,
        "digest": one.digest_id,
    }


def _differences(differences: Differences) -> dict[str, Any]:
    return {
        "counts": {kind.value: differences.counts.get(kind, 0) for kind in Kind},
        "listed": [_difference(one) for one in differences.listed],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"kind": one.kind.value, "digest": one.digest, "key": one.key, "attributes": one.attributes}


def _dumped(document: dict[str, Any]) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode()
