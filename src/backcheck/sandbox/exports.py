"""Exports to S3: a table at a moment, or what became of its items in a period.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.s3.models import s3_backends

from backcheck.sandbox import export_files, restored, tables
from backcheck.sandbox.continuous import Continuous
from backcheck.sandbox.history import History
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import DEFAULT_PAGE, shown
from backcheck.sandbox.point_in_time import aware, recovery_of, window_of
from backcheck.sandbox.refusal import Refusal, Unsupported
from backcheck.sandbox.world import Region, World, partition_of

SHORTEST_PERIOD, LONGEST_PERIOD = timedelta(minutes=15), timedelta(hours=24)
"""'The export period duration must be at least 15 minutes and be no longer than 24 hours.'"""

TOKEN_VALID = timedelta(hours=8)
LISTED_FOR = timedelta(days=90)
OUTPUT_VIEWS = {"NEW_IMAGE": "NEW_IMAGES", "NEW_AND_OLD_IMAGES": "NEW_AND_OLD_IMAGES"}
"""The manifest's word for the API's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What an export is of: until `end` inclusive for a table, exclusive for changes."""

    start: datetime | None
    """None for a full export."""
    end: datetime
    view: str = ""


@dataclass(slots=True, kw_only=True)
class Export:
    """One export."""

    arn: str
    table_arn: str
    table_id: str
    key_names: tuple[str, ...]
    period: Period
    request: Mapping[str, Any]
    started: datetime
    status: str = "IN_PROGRESS"
    ended: datetime | None = None
    items: int | None = None
    size_bytes: int | None = None
    manifest: str | None = None
    failure: tuple[str, str] | None = None

    @property
    def id(self) -> str:
        """The last part of its ARN: the name of its folder."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def root(self) -> str:
        """The folder of all exports with this prefix."""
        prefix = self.request.get("S3Prefix")
        return f"{prefix.rstrip('/')}/AWSDynamoDB" if prefix else "AWSDynamoDB"


@operation("dynamodb", "ExportTableToPointInTime")
def export_table(call: Call) -> Reply:
    """The content is fixed at once; the files are there when it has COMPLETED."""
    params, region = call.params, call.region
    for member, value in (("FilterSpecification", None), ("ExportFormat", "DYNAMODB_JSON")):
        if params.get(member) not in (None, value):
            raise Unsupported(f"{member} of an export other than {value}")
    table = tables.table_of(region, params["TableArn"])
    if table is None:
        raise Refusal("TableNotFoundException", f"Table not found: {params['TableArn']}")
    continuous = recovery_of(call, table)
    if (known := _of_token(call)) is not None:
        return {"ExportDescription": _described(known)}
    period = _period(call, continuous)
    millis = int(call.now.timestamp() * 1000)
    export = Export(
        arn=f"{table.table_arn}/export/{millis:014d}-{call.world.new_id()[:8]}",
        table_arn=table.table_arn,
        table_id=tables.table_id(table),
        key_names=tuple(table.table_key_attrs),
        period=period,
        request=params,
        started=call.now,
    )
    region.exports[export.arn] = export
    lines = list(_lines(region.histories[export.table_id], export))
    delay = restored.duration(call.world, export.arn)
    call.world.clock.after(delay, lambda: _finish(call.world, region, export, lines))
    return {"ExportDescription": _described(export)}


def _of_token(call: Call) -> Export | None:
    """'Multiple identical calls have the same effect as one single call', for eight hours."""
    token = call.params.get("ClientToken")
    for export in call.region.exports.values():
        if token is None or export.request.get("ClientToken") != token:
            continue
        if export.ended is None or call.now - export.ended < TOKEN_VALID:
            if export.request != call.params:
                message = f"The client token {token} was used for another export"
                raise Refusal("ExportConflictException", message)
            return export
    return None


def _period(call: Call, continuous: Continuous) -> Period:
    params = call.params
    incremental = params.get("IncrementalExportSpecification")
    earliest, latest = window_of(call, continuous)
    if params.get("ExportType", "FULL_EXPORT") == "FULL_EXPORT":
        if incremental is not None:
            raise _invalid("IncrementalExportSpecification needs ExportType INCREMENTAL_EXPORT")
        end = aware(params["ExportTime"]) if "ExportTime" in params else latest
        _check_time(end, earliest, latest)
        return Period(start=None, end=end)
    if incremental is None or "ExportFromTime" not in incremental:
        raise _invalid("An incremental export needs IncrementalExportSpecification with ExportFromTime")
    if "ExportTime" in params:
        raise _invalid("ExportTime is for full exports")
    start = aware(incremental["ExportFromTime"])
    end = aware(incremental["ExportToTime"]) if "ExportToTime" in incremental else latest
    if not SHORTEST_PERIOD <= end - start <= LONGEST_PERIOD:
        raise _invalid("The export period must be at least 15 minutes and no longer than 24 hours")
    _check_time(start, earliest, latest)
    _check_time(end, earliest, latest)
    return Period(start=start, end=end, view=incremental.get("ExportViewType", "NEW_AND_OLD_IMAGES"))


def _check_time(moment: datetime, earliest: datetime, latest: datetime) -> None:
    if not earliest <= moment <= latest:
        message = f"Export time {moment.isoformat()} is not between {earliest.isoformat()} and {latest.isoformat()}"
        raise Refusal("InvalidExportTimeException", message)


def _lines(history: History, export: Export) -> Iterator[str]:
    period = export.period
    if period.start is None:
        yield from map(export_files.item_line, history.at(period.end))
        return
    for change in history.changes(period.start, period.end, export.key_names):
        yield export_files.change_line(change, old_images=period.view == "NEW_AND_OLD_IMAGES")


def _finish(world: World, region: Region, export: Export, lines: list[str]) -> None:
    export.ended = world.clock.now()
    owner = export.request.get("S3BucketOwner", region.account)
    store, bucket = s3_backends[owner][partition_of(region.name)], export.request["S3Bucket"]
    if bucket not in store.buckets:
        export.status, export.failure = "FAILED", ("S3NoSuchBucket", f"The bucket {bucket} does not exist")
        return
    files = export_files.lay_out(
        lines, _summary(export), root=export.root, export_id=export.id, shared=export.period.start is not None
    )
    for key, content in files.objects.items():
        store.put_object(bucket, key, content, disable_notification=True)
    export.status, export.items, export.size_bytes = "COMPLETED", files.items, files.size_bytes
    export.manifest = f"{export.root}/{export.id}/manifest-summary.json"


def _summary(export: Export) -> dict[str, Any]:
    period, request = export.period, export.request
    if period.start is None:
        version, times = "2020-06-30", {"exportTime": export_files.moment(period.end)}
    else:
        version = "2023-08-01"
        times = {"exportFromTime": export_files.moment(period.start), "exportToTime": export_files.moment(period.end)}
    return {
        "version": version,
        "exportArn": export.arn,
        "startTime": export_files.moment(export.started),
        "endTime": export_files.moment(export.ended or export.started),
        "tableArn": export.table_arn,
        "tableId": export.table_id,
        **times,
        "s3Bucket": request["S3Bucket"],
        "s3Prefix": request.get("S3Prefix"),
        "s3SseAlgorithm": request.get("S3SseAlgorithm", "AES256"),
        "s3SseKmsKeyId": request.get("S3SseKmsKeyId"),
        "outputFormat": "DYNAMODB_JSON",
        **({"outputView": OUTPUT_VIEWS[period.view]} if period.start is not None else {}),
        "exportType": _type(export),
    }


@operation("dynamodb", "DescribeExport")
def describe_export(call: Call) -> Reply:
    """One export. While it is IN_PROGRESS, each look waits."""
    export = call.region.exports.get(call.params["ExportArn"])
    if export is None:
        raise Refusal("ExportNotFoundException", f"Export not found: {call.params['ExportArn']}")
    if export.status == "IN_PROGRESS":
        call.world.clock.advance(seconds=restored.POLL.total_seconds())
    return {"ExportDescription": _described(export)}


@operation("dynamodb", "ListExports")
def list_exports(call: Call) -> Reply:
    """Those of 'the past 90 days, in reverse alphanumeric order of ExportArn'."""
    since, wanted = call.now - LISTED_FOR, call.params.get("TableArn")
    found = [e for e in call.region.exports.values() if e.started >= since and wanted in (None, e.table_arn)]
    after = call.params.get("NextToken")
    rest = [e for e in sorted(found, key=lambda e: e.arn, reverse=True) if after is None or e.arn < after]
    shown_now = rest[: call.params.get("MaxResults") or DEFAULT_PAGE]
    rows = [{"ExportArn": e.arn, "ExportStatus": e.status, "ExportType": _type(e)} for e in shown_now]
    more = {"NextToken": shown_now[-1].arn} if len(rest) > len(shown_now) else {}
    return {"ExportSummaries": rows, **more}


def _type(export: Export) -> str:
    return "FULL_EXPORT" if export.period.start is None else "INCREMENTAL_EXPORT"


def _described(export: Export) -> dict[str, Any]:
    period, request = export.period, export.request
    code, message = export.failure or (None, None)
    incremental = {"ExportFromTime": period.start, "ExportToTime": period.end, "ExportViewType": period.view}
    asked = ("ClientToken", "S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseKmsKeyId")
    return shown(
        {
            **{member: request.get(member) for member in asked},
            "S3SseAlgorithm": request.get("S3SseAlgorithm", "AES256"),
            "ExportArn": export.arn,
            "ExportStatus": export.status,
            "StartTime": export.started,
            "EndTime": export.ended,
            "ExportManifest": export.manifest,
            "TableArn": export.table_arn,
            "TableId": export.table_id,
            "ExportTime": period.end if period.start is None else None,
            "FailureCode": code,
            "FailureMessage": message,
            "ExportFormat": "DYNAMODB_JSON",
            "BilledSizeBytes": export.size_bytes,
            "ItemCount": export.items,
            "ExportType": _type(export),
            "IncrementalExportSpecification": None if period.start is None else incremental,
        }
    )


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
