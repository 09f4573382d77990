"""What `manifest diff` is given: a manifest, an export, or a manifest with the data that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backcheck.errors import Error, UsageError
from backcheck.manifest.build import described_filter, export_manifest, export_tasks
from backcheck.manifest.diff import Comparison, Outcome, Side, compare, compare_raw
from backcheck.manifest.differences import Data, Differences, find_differences
from backcheck.manifest.digest import BUCKETS, bucket_of
from backcheck.manifest.document import FilterState, Manifest, Witness, WitnessKind, read
from backcheck.manifest.engine import RunOptions, cores
from backcheck.manifest.export import Export, ExportKind, open_export
from backcheck.manifest.location import client_of
from backcheck.manifest.rawlines import compare_lines
from backcheck.manifest.reading import FileTask
from backcheck.manifest.repeats import repeated_key


def key_names(text: str) -> tuple[str, ...]:
    """The key's attribute names, of `HASH` or `HASH,RANGE`. Raises UsageError for anything else."""
    names = tuple(text.split(","))
    if len(names) > 2 or len(set(names)) != len(names) or "" in names:
        raise UsageError(f"a key that is {text!r}", hint="--key HASH or HASH,RANGE")
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOptions:
    """How to compare."""

    key: tuple[str, ...] | None = None
    unfiltered: bool = False
    """The operator's word that exports given as data have no filter."""
    limit: int = 1_000
    """Differences listed; all are counted."""
    show_keys: bool = False
    profile: str | None = None
    run: RunOptions = field(default_factory=RunOptions)

    @property
    def processes(self) -> int:
        """Worker processes."""
        return self.run.processes or cores()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """One of the two that are compared: a manifest, data, or both."""

    name: str
    manifest: Manifest | None
    export: Export | None
    """The data at hand."""
    filter_state: FilterState


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffReport:
    """A comparison, and the keys that differ if there was data to find them in."""

    comparison: Comparison
    differences: Differences | None


def diff(a: Operand, b: Operand, options: DiffOptions) -> DiffReport:
    """Compare two operands; two exports by their raw lines first. Raises Error for data that is not as stated.

    Where a key and data are at hand, two that are equal are looked through for a key that is there twice.
    """
    key = options.key or next((one.manifest.key for one in (a, b) if one.manifest and one.manifest.key), None)
    report = _compared(a, b, key, options)
    if report.comparison.outcome is not Outcome.EQUAL or key is None:
        return report
    return replace(report, comparison=_without_repeats(a, b, key, report.comparison, options))


def _without_repeats(
    a: Operand, b: Operand, key: tuple[str, ...], comparison: Comparison, options: DiffOptions
) -> Comparison:
    """The comparison of two that are equal; not to be told where a key is there twice. What one holds both do."""
    # Data that was just read goes before data that a manifest is said to be made of: that was not read until now.
    one = min((one for one in (a, b) if one.export), key=lambda one: one.manifest is not None, default=None)
    if one is None or one.export is None:
        return comparison
    if one.export.items != comparison.a.items:
        raise Error(f"the data given for {one.name} is not what its manifest was made of")
    found = repeated_key(_full_tasks(one.export, key), one.export.items, processes=options.processes)
    return comparison if found is None else not_told(comparison, found)


def not_told(comparison: Comparison, repeated: bytes) -> Comparison:
    """The comparison of two that are equal and both hold a key, of which this is the digest, more than once."""
    reason = (
        f"the same {comparison.a.items} items, but a key is among them more than once, which no table can have: "
        f"damaged (key digest {repeated.hex()}, bucket {bucket_of(repeated):03x})"
    )
    return replace(comparison, outcome=Outcome.UNKNOWN, reason=reason)


def _compared(a: Operand, b: Operand, key: tuple[str, ...] | None, options: DiffOptions) -> DiffReport:
    if a.manifest is None and b.manifest is None and a.export and b.export:
        return _diff_exports(a, b, a.export, b.export, key, options)
    manifest_a, manifest_b = (manifest_of(one, key, options) for one in (a, b))
    comparison = compare(manifest_a, manifest_b)
    if comparison.outcome is not Outcome.DIFFERENT or not (a.export and b.export) or comparison.buckets is None:
        return DiffReport(comparison=comparison, differences=None)
    data = [
        Data(sources=export_tasks(one.export, made.key), digest=made.digest if one.manifest else None, name=one.name)
        for one, made in ((a, manifest_a), (b, manifest_b))
        if one.export
    ]
    return DiffReport(comparison=comparison, differences=_found(data, comparison, options))


def _diff_exports(
    a: Operand, b: Operand, export_a: Export, export_b: Export, key: tuple[str, ...] | None, options: DiffOptions
) -> DiffReport:
    tasks = [_full_tasks(export, key) for export in (export_a, export_b)]
    raw = compare_lines(*tasks, processes=options.processes, progress=options.run.progress)
    side_a, side_b = (
        Side(
            table=export.table,
            key=key,
            witness=Witness(
                kind=WitnessKind.EXPORT,
                as_of=export.as_of,
                export_arn=export.arn,
                filter=one.filter_state,
                notes=export.notes,
            ),
            items=export.items,
            digest_id=None,
        )
        for one, export in ((a, export_a), (b, export_b))
    )
    comparison = compare_raw(side_a, side_b, raw)
    if comparison.outcome is not Outcome.DIFFERENT:
        return DiffReport(comparison=comparison, differences=None)
    data = [Data(sources=files, digest=None, name=one.name) for one, files in zip((a, b), tasks, strict=True)]
    return DiffReport(comparison=comparison, differences=_found(data, comparison, options))


def _found(data: Sequence[Data], comparison: Comparison, options: DiffOptions) -> Differences:
    a, b = data
    # Keys are spread evenly by BLAKE3, so the mean is near enough to bound memory with.
    mean = 1 + (comparison.a.items + comparison.b.items) // BUCKETS
    return find_differences(
        a,
        b,
        comparison.buckets or (),
        [mean] * BUCKETS,
        limit=options.limit,
        show_keys=options.show_keys,
        processes=options.processes,
    )


def manifest_of(operand: Operand, key: tuple[str, ...] | None, options: DiffOptions) -> Manifest:
    """The operand's manifest: the one given, or made of its data."""
    if operand.manifest is not None:
        return operand.manifest
    if operand.export is None:
        raise UsageError("neither a manifest nor an export", where=operand.name)
    return export_manifest(operand.export, key, filter_state=operand.filter_state, options=options.run)


def _full_tasks(export: Export, key: tuple[str, ...] | None) -> list[FileTask]:
    if export.kind is not ExportKind.FULL:
        raise UsageError(
            "an incremental export is a set of changes, not a table",
            where=str(export.location.at(export.folder)),
            hint="make a manifest with --base and compare that",
        )
    return export_tasks(export, key)


def resolve(name: str, place: str, data: str | None, options: DiffOptions) -> Operand:
    """The operand that `place` names, a manifest file or an export. `data` is the export a manifest was made of."""
    if place.startswith("s3://") or Path(place).is_dir():
        if data is not None:
            raise UsageError(f"{name} is an export already; data is given for a manifest", where=place)
        return _export_operand(name, place, None, options)
    manifest = read(Path(place))
    if data is None:
        return Operand(name=name, manifest=manifest, export=None, filter_state=manifest.witness.filter)
    return _export_operand(name, data, manifest, options)


def _export_operand(name: str, place: str, manifest: Manifest | None, options: DiffOptions) -> Operand:
    export = open_export(place, profile=options.profile)
    if manifest is not None:
        return Operand(name=name, manifest=manifest, export=export, filter_state=manifest.witness.filter)
    state = filter_state(
        export, unfiltered=options.unfiltered, describe=place.startswith("s3://"), profile=options.profile
    )
    return Operand(name=name, manifest=None, export=export, filter_state=state)


def filter_state(export: Export, *, unfiltered: bool, describe: bool, profile: str | None) -> FilterState:
    """What is known of an export's filter: from DescribeExport if it may be asked, else by the operator's word."""
    state = FilterState.UNKNOWN
    if describe:
        state = described_filter(_dynamodb(export.table.region, profile), export.arn)
    return FilterState.STATED if state is FilterState.UNKNOWN and unfiltered else state


def _dynamodb(region: str | None, profile: str | None) -> Any:
    import boto3

    with client_of("DynamoDB"):
        return boto3.Session(profile_name=profile).client("dynamodb", region_name=region)
