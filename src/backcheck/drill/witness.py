"""Witnesses of the source as of T, and the restored table held against them.

An export at T comes from the same continuous backup as a restore by PITR, so it is not independent of that; of a
recovery point it is. A scan is independent of every backup, but shows one moment only: so the source is scanned before
and after, and proves something only where both digests are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from backcheck.drill.ledger import Ledger
from backcheck.drill.plan import Restore
from backcheck.drill.reach import Clock, Patience, Reach
from backcheck.drill.verdict import UNCERTAIN, Compared, Counts, count
from backcheck.errors import Error
from backcheck.manifest.build import described_filter, export_manifest, export_tasks
from backcheck.manifest.diff import Outcome, compare
from backcheck.manifest.differences import Data, Differences, entries_of, find_differences
from backcheck.manifest.digest import BUCKETS, bucket_counts
from backcheck.manifest.document import Manifest
from backcheck.manifest.engine import RunOptions
from backcheck.manifest.export import open_export
from backcheck.manifest.reading import ItemSource
from backcheck.manifest.scan import Connection, ScanOptions, describe_table, scan_manifest, segments_of
from backcheck.policy.model import Method

EXPORT_CALL = "dynamodb:ExportTableToPointInTime"
LISTED_AT_MOST = 100
EXPLAINED_AT_MOST = 200_000
"""Items of the buckets that differ; above it no difference is explained: so many are no matter of a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A table's content, and where to read it again."""

    manifest: Manifest
    sources: Sequence[ItemSource]


class Witnesses:
    """Reads tables, live or exported."""

    def __init__(self, reach: Reach, ledger: Ledger, clock: Clock, patience: Patience) -> None:
        """Exports are calls that cost something, so they go into the ledger, too."""
        self._reach, self._ledger, self._clock, self._patience = reach, ledger, clock, patience

    def scan(self, account: str, region: str, table: str) -> Reading:
        """A consistent scan at a share of the table's capacity. Raises Error where it cannot be read."""
        connection = self._reach.connection(account, region)
        options = RunOptions(processes=1)  # the session's credentials stay in this process
        manifest = scan_manifest(connection, table, ScanOptions(), options, self._clock.now)
        return Reading(manifest=manifest, sources=_segments(connection, table))

    def export(self, restore: Restore, at: datetime, bucket: str, run_id: str) -> Reading:
        """The source as of `at`, exported to the bucket and read back. Raises Error where it cannot be."""
        source = restore.source
        client = self._reach.client("dynamodb", source.account, source.region)
        arguments = {
            "TableArn": source.arn,
            "ExportTime": at,
            "S3Bucket": bucket,
            "S3Prefix": f"backcheck/{run_id}",
            "ExportFormat": "DYNAMODB_JSON",
            "ExportType": "FULL_EXPORT",
        }
        try:
            arn = self._ledger.call(
                restore.target, EXPORT_CALL, lambda: client.export_table_to_point_in_time(**arguments)
            )["ExportDescription"]["ExportArn"]
            manifest = self._patience.wait(lambda: _finished(client, arn), self._clock, arn)
        except (ClientError, BotoCoreError) as error:
            raise Error(f"the source could not be exported: {error}", where=source.arn) from error
        s3 = self._reach.client("s3", source.account, source.region)
        export = open_export(f"s3://{bucket}/{manifest.rpartition('/')[0]}/", client=s3)
        if export.as_of.replace(microsecond=0) != at or export.table.arn != source.arn:
            raise Error(f"the export is of {export.table.arn} as of {export.as_of}, not what was asked for", where=arn)
        key = describe_table(client, source.name).key
        state = described_filter(client, arn)
        made = export_manifest(export, key, filter_state=state, options=RunOptions(processes=1))
        return Reading(manifest=made, sources=export_tasks(export, key))


def _finished(client: Any, arn: str) -> str | None:
    found = client.describe_export(ExportArn=arn)["ExportDescription"]
    if found["ExportStatus"] == "FAILED":
        why = found.get("FailureMessage") or found.get("FailureCode") or "no reason is given"
        raise Error(f"the export failed: {why}", where=arn)
    return str(found["ExportManifest"]) if found["ExportStatus"] == "COMPLETED" else None


def _segments(connection: Connection, table: str) -> Sequence[ItemSource]:
    facts = describe_table(connection.client(), table)
    return segments_of(connection, facts, ScanOptions(), segments=4, processes=1)


def held_against_export(
    restore: Restore, at: datetime, witness: Reading, restored: Reading, at_other_end: Callable[[datetime], Reading]
) -> Compared:
    """The restored table against an export at T; `at_other_end` exports again, to explain differences."""
    found = _compared(witness, restored, kind="export", independent=restore.method is not Method.PITR)
    found = replace(found, as_of=at, conclusive=True)
    if found.outcome is not Outcome.DIFFERENT:
        return found
    around, notes = [], list(found.notes)
    for moment in (at - UNCERTAIN, at + UNCERTAIN):
        try:
            around.append(at_other_end(moment))
        except Error as error:
            notes.append(f"nothing is explained by {moment:%H:%M:%S}: {error.diagnostics()}")
    return replace(found, counts=_counted(witness, restored, around), notes=tuple(notes))


def held_against_scans(before: Reading, after: Reading, restored: Reading, *, of_t: bool) -> Compared:
    """The restored table against a source that was read twice. `of_t`: T lies between the two readings."""
    found = _compared(before, restored, kind="quiet-scan", independent=True)
    if not before.manifest.digest.same_content(after.manifest.digest):
        reason = "the source was written to between its two readings: it is no witness; name a bucket for an export"
        return replace(found, outcome=Outcome.UNKNOWN, reason=reason)
    if found.outcome is not Outcome.DIFFERENT:
        return found
    counts = _counted(before, restored, [])
    if of_t:
        return replace(found, counts=counts, conclusive=True)
    note = "the source may have been written to since the recovery point: an export at T would tell"
    return replace(found, counts=counts, notes=(*found.notes, note))


def _compared(witness: Reading, restored: Reading, *, kind: str, independent: bool) -> Compared:
    comparison = compare(witness.manifest, restored.manifest)
    listed = _listed(witness, restored, comparison.buckets) if comparison.outcome is Outcome.DIFFERENT else None
    reason = comparison.reason
    if not witness.manifest.digest.items and not restored.manifest.digest.items:
        reason = "the table is empty: an empty table proves nothing"
    return Compared(
        outcome=comparison.outcome,
        reason=reason,
        witness=kind,
        independent=independent,
        as_of=witness.manifest.witness.as_of,
        witness_items=witness.manifest.digest.items,
        restored_items=restored.manifest.digest.items,
        witness_digest=witness.manifest.digest.id,
        restored_digest=restored.manifest.digest.id,
        conclusive=False,
        listed=listed.listed if listed else (),
        notes=comparison.notes,
    )


def _listed(a: Reading, b: Reading, buckets: tuple[int, ...] | None) -> Differences | None:
    if buckets is None:
        return None
    expected = Data(sources=a.sources, digest=None, name="witness")
    found = Data(sources=b.sources, digest=None, name="restored")
    mean = 1 + (a.manifest.digest.items + b.manifest.digest.items) // BUCKETS
    return find_differences(
        expected, found, buckets, [mean] * BUCKETS, limit=LISTED_AT_MOST, show_keys=False, processes=1
    )


def _counted(witness: Reading, restored: Reading, around: Sequence[Reading]) -> Counts:
    """Differences by class, a group of buckets at a time, so that memory stays bounded."""
    total = Counts()
    for group, items in _groups(witness, restored):
        told = around if items <= EXPLAINED_AT_MOST else ()
        found = count(_states(witness, group), _states(restored, group), [_states(one, group) for one in told])
        total = Counts(
            missing=total.missing + found.missing,
            extra=total.extra + found.extra,
            changed=total.changed + found.changed,
            explained=total.explained + found.explained,
        )
    return total


def _groups(witness: Reading, restored: Reading) -> Iterator[tuple[frozenset[int], int]]:
    differing = compare(witness.manifest, restored.manifest).buckets or ()
    sizes = [
        a + b
        for a, b in zip(bucket_counts(witness.manifest.digest), bucket_counts(restored.manifest.digest), strict=True)
    ]
    group: list[int] = []
    held = 0
    for bucket in differing:
        if group and held + sizes[bucket] > EXPLAINED_AT_MOST:
            yield frozenset(group), held
            group, held = [], 0
        group.append(bucket)
        held += sizes[bucket]
    if group:
        yield frozenset(group), held


def _states(reading: Reading, buckets: frozenset[int]) -> dict[bytes, bytes]:
    return {key: item for source in reading.sources for key, item in entries_of(source, buckets=buckets)}
