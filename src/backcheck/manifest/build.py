"""Manifests of exports and files: open, read through the local engine, add up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backcheck.errors import Error, UsageError
from backcheck.manifest.checkpoint import Checkpoint
from backcheck.manifest.digest import Digest, merge, subtract
from backcheck.manifest.document import FilterState, Manifest, TableRef, Witness, WitnessKind
from backcheck.manifest.engine import RunOptions, add_up
from backcheck.manifest.export import Export, ExportKind
from backcheck.manifest.location import Folder
from backcheck.manifest.reading import FileTask, read_changes, read_items


def export_manifest(
    export: Export, key: tuple[str, ...] | None, *, filter_state: FilterState, options: RunOptions
) -> Manifest:
    """The manifest of a full export. Raises Error for data that is not what the export's manifest states."""
    if export.kind is not ExportKind.FULL:
        raise UsageError(
            "an incremental export is a set of changes, not a table",
            where=str(export.location.at(export.folder)),
            hint="--base MANIFEST, of the same table as of the start of this export's window",
        )
    added, _ = _add_files(export_tasks(export, key), export.identity, options)
    return Manifest(table=export.table, key=key, witness=_witness(export, filter_state), digest=added)


def changed_manifest(base: Manifest, export: Export, *, filter_state: FilterState, options: RunOptions) -> Manifest:
    """The manifest of `base` with an incremental export's changes made: new images added, old ones taken away.

    Raises Error where the export does not begin when the base ends, is of another table, or has no old images.
    """
    where = str(export.location.at(export.folder))
    if problem := _misfit(base, export):
        raise UsageError(problem, where=where)
    added, removed = _add_files(export_tasks(export, base.key), export.identity, options)
    try:
        digest = subtract(merge(base.digest, added), removed)
    except Error as error:
        raise Error(f"the changes do not fit the base: {error.message}", where=where) from error
    witness = _witness(export, _weaker(filter_state, base.witness.filter))
    notes = (*base.witness.notes, f"changes added to the export {base.witness.export_arn}", *witness.notes)
    return Manifest(table=export.table, key=base.key, witness=replace(witness, notes=notes), digest=digest)


def _misfit(base: Manifest, export: Export) -> str:
    if export.kind is not ExportKind.INCREMENTAL:
        return "a full export needs no --base"
    if not export.both_images:
        return (
            "an incremental export of new images only: the old ones are needed to take them away (NEW_AND_OLD_IMAGES)"
        )
    if base.witness.kind is not WitnessKind.EXPORT or base.table.id != export.table.id:
        return "the base is not an export of the same table"
    if base.witness.as_of != export.since:
        return f"the base is as of {base.witness.as_of}, the changes begin at {export.since}"
    return ""


def _weaker(a: FilterState, b: FilterState) -> FilterState:
    order = (FilterState.UNKNOWN, FilterState.STATED, FilterState.NONE)
    return min(a, b, key=order.index)


def _witness(export: Export, filter_state: FilterState) -> Witness:
    return Witness(
        kind=WitnessKind.EXPORT, as_of=export.as_of, export_arn=export.arn, filter=filter_state, notes=export.notes
    )


def files_manifest(folder: Path, key: tuple[str, ...] | None, *, options: RunOptions) -> Manifest:
    """The manifest of every `.json` and `.json.gz` file in a folder. Nothing vouches for the set being whole."""
    tasks = files_tasks(folder, key)
    if not tasks:
        raise UsageError("no .json or .json.gz file in the folder", where=str(folder))
    names = "\n".join(task.name for task in tasks)
    added, _ = _add_files(tasks, hashlib.sha256(names.encode()).hexdigest(), options)
    notes = (f"{len(tasks)} loose files: nothing shows that the set is whole",)
    witness = Witness(kind=WitnessKind.FILES, as_of=None, filter=FilterState.STATED, notes=notes)
    return Manifest(table=TableRef(), key=key, witness=witness, digest=added)


def files_tasks(folder: Path, key: tuple[str, ...] | None) -> list[FileTask]:
    """A task for every `.json` and `.json.gz` file directly in a folder."""
    location = Folder(path=str(folder))
    names = sorted(name for name in location.names("") if name.endswith((".json", ".json.gz")))
    return [FileTask(location=location, name=name, key=key) for name in names]


def export_tasks(export: Export, key: tuple[str, ...] | None) -> list[FileTask]:
    """A task for every data file of an export."""
    changes = export.kind is ExportKind.INCREMENTAL
    return [
        FileTask(
            location=export.location, name=file.name, key=key, stated_items=file.items, md5=file.md5, changes=changes
        )
        for file in export.files
    ]


def _add_files(tasks: Sequence[FileTask], identity: str, options: RunOptions) -> tuple[Digest, Digest]:
    if options.elsewhere is not None:
        return options.elsewhere(tasks)
    checkpoint = Checkpoint(options.checkpoint, f"{identity}\n{tasks[0].key}")
    if tasks[0].changes:
        return add_up(read_changes, tasks, checkpoint, options)
    return add_up(read_items, tasks, checkpoint, options)


def described_filter(dynamodb: Any, export_arn: str) -> FilterState:
    """What DescribeExport says of an export's filter; `dynamodb` is a boto3 client of the export's Region.

    Raises Error for an export that had a filter or is not complete. A call that is denied, or an export that is no
    longer listed, leaves the state UNKNOWN.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        description = dynamodb.describe_export(ExportArn=export_arn)["ExportDescription"]
    except (ClientError, BotoCoreError):
        return FilterState.UNKNOWN
    if description.get("FilterSpecification"):
        raise Error(
            "a filtered export: it leaves items or attributes out", where=export_arn, hint="export the whole table"
        )
    if description.get("ExportStatus") != "COMPLETED":
        raise Error(f"an export whose status is {description.get('ExportStatus')}", where=export_arn)
    return FilterState.NONE
