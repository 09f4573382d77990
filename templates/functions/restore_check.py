"""The steps of a restore check, one call each: a state machine does the waiting, since a function ends at 15 minutes.

begin -> (poll, again and again) -> compare -> clean-up -> conclude. Whatever fails is caught by the state machine,
which goes on to clean-up and conclude, so that whoever waits is answered on every path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from backcheck.errors import Error
from functions.check import Check, Kind, NotProven, Phase, Witness, blurred, judged, still_in_time
from functions.event import Event, part, text
from functions.reply import send
from functions.restore import Clients, ToPointInTime, pitr_call, window
from functions.restore import Settings as RestoreSettings

MAX_VALIDATION_MESSAGE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where witnesses go and how much is compared; from the function's environment."""

    drill_prefix: str
    witness_bucket: str
    witness_key_arn: str
    max_items: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raises Error for a variable that is missing or no number."""
        try:
            return cls(
                drill_prefix=environment["DRILL_TABLE_PREFIX"],
                witness_bucket=environment["WITNESS_BUCKET"],
                witness_key_arn=environment["WITNESS_KEY_ARN"],
                max_items=int(environment["MAX_ITEMS"]),
            )
        except KeyError as error:
            raise Error(f"the function's environment has no {error.args[0]}") from error
        except ValueError as error:
            raise Error("MAX_ITEMS in the function's environment is no number") from error


def begin(check: Check, settings: Settings, clients: Clients, now: datetime) -> Check:
    """Of a table that AWS restored: ask which moment it is, and begin to export the source around it."""
    if not check.target_table.startswith(settings.drill_prefix):
        raise Error(f"{check.target_table} is not called like a test: it must begin with {settings.drill_prefix}")
    if check.kind is Kind.CUSTOM_RESOURCE:
        return check
    job = clients.backup.describe_restore_job(RestoreJobId=check.restore_job_id)
    at = job.get("RecoveryPointCreationDate")
    if at is None:
        raise Error("the restore job does not say when its recovery point was made: nothing to compare it with")
    return _exporting(replace(check, phase=Phase.RESTORING, at=at), settings, clients)


def poll(check: Check, settings: Settings, clients: Clients, now: datetime) -> Check:
    """Go on if what was waited for has come; raise StillRestoring once the time is up."""
    if check.phase is Phase.AWAIT_PITR:
        return _restore(still_in_time(check, now), settings, clients)
    if check.phase is Phase.RESTORING and _is_active(check, clients) and (places := _exported(check, clients)):
        return replace(check, phase=Phase.READY, witnesses=places)
    return check if check.phase is Phase.READY else still_in_time(check, now)


def _restore(check: Check, settings: Settings, clients: Clients) -> Check:
    span = window(clients.dynamodb, check.source_table)
    wanted = check.at or span.latest
    if span.enabled and (span.earliest is None or span.latest is None or wanted is None or wanted > span.latest):
        return check  # a table that has just got PITR: the first restorable time is minutes away
    request = ToPointInTime(target_table=check.target_table, at=wanted)
    source = RestoreSettings(
        source_table_arn=check.source_table_arn,
        restored_prefix=settings.drill_prefix,
        restore_role_arn="",
        vault_name="",
        region=check.source_table_arn.split(":")[3],
    )
    call = pitr_call(request, span, source)
    begun = _exporting(replace(check, phase=Phase.RESTORING, at=wanted), settings, clients)
    # Last: where anything before it fails, no table is made.
    return begun if _made(call, clients) else _exporting(_made_before(check, settings, clients), settings, clients)


def _made(call: Mapping[str, Any], clients: Clients) -> bool:
    """Begin the restore; False where there is a table of that name."""
    from botocore.exceptions import ClientError

    try:
        clients.dynamodb.restore_table_to_point_in_time(**call)
    except ClientError as error:
        if error.response["Error"]["Code"] != "TableAlreadyExistsException":
            raise
        return False
    return True


def _made_before(check: Check, settings: Settings, clients: Clients) -> Check:
    """The check with the moment of the table that it made already: a step whose answer got lost is tried again.

    Raises Error for a table of that name that is not this check's.
    """
    table = clients.dynamodb.describe_table(TableName=check.target_table)["Table"]
    if why := not_ours(table, check, settings):
        raise Error(f"there is a table {check.target_table} already: {why}")
    return replace(check, phase=Phase.RESTORING, at=table["RestoreSummary"]["RestoreDateTime"].astimezone(UTC))


def _exporting(check: Check, settings: Settings, clients: Clients) -> Check:
    if check.at is None:
        raise Error("no moment to export")
    arns = [
        clients.dynamodb.export_table_to_point_in_time(**export_call(check, moment, settings))["ExportDescription"]
        for moment in blurred(check, check.at)
    ]
    return replace(check, witnesses=tuple(Witness(export_arn=one["ExportArn"]) for one in arns))


def export_call(check: Check, moment: datetime, settings: Settings) -> dict[str, Any]:
    """ExportTableToPointInTime's arguments. The token makes a retried step ask for the same export."""
    return {
        "TableArn": check.source_table_arn,
        "ExportTime": moment,
        "ClientToken": f"{check.target_table}-{moment:%Y%m%dT%H%M%S}"[-64:],
        "S3Bucket": settings.witness_bucket,
        "S3Prefix": check.target_table,
        "S3SseAlgorithm": "KMS",
        "S3SseKmsKeyId": settings.witness_key_arn,
        "ExportFormat": "DYNAMODB_JSON",
    }


def _is_active(check: Check, clients: Clients) -> bool:
    table = clients.dynamodb.describe_table(TableName=check.target_table)["Table"]
    indexes = [index.get("IndexStatus") for index in table.get("GlobalSecondaryIndexes", ())]
    return table["TableStatus"] == "ACTIVE" and all(status == "ACTIVE" for status in indexes)


def _exported(check: Check, clients: Clients) -> tuple[Witness, ...]:
    """The witnesses with their places once all are complete; empty until then. Raises Error for one that failed."""
    done = []
    for witness in check.witnesses:
        export = clients.dynamodb.describe_export(ExportArn=witness.export_arn)["ExportDescription"]
        if export["ExportStatus"] == "FAILED":
            why = export.get("FailureMessage") or export.get("FailureCode")
            raise Error(f"the witness could not be exported: {why}")
        if export["ExportStatus"] != "COMPLETED":
            return ()
        folder = export["ExportManifest"].removesuffix("/manifest-summary.json")
        done.append(replace(witness, place=f"s3://{export['S3Bucket']}/{folder}"))
    return tuple(done)


def compare(check: Check, settings: Settings, clients: Clients, now: datetime) -> Check:
    """Compare the restored table with its witnesses."""
    from functions.compare import read_and_compare  # numpy and blake3 are only in this step's package

    table = clients.dynamodb.describe_table(TableName=check.target_table)["Table"]
    key = tuple(element["AttributeName"] for element in table["KeySchema"])
    return judged(check, read_and_compare(check, key, settings.max_items))


def clean_up(check: Check, settings: Settings, clients: Clients, now: datetime) -> Check:
    """Delete the table that this check restored, and no other. AWS removes what its own restore testing restored.

    Whatever phase the check says it is in: a step that restored and was then cut off has not told.
    """
    if check.kind is Kind.RESTORE_TESTING:
        return check
    from botocore.exceptions import ClientError

    try:
        table = clients.dynamodb.describe_table(TableName=check.target_table)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return check
        raise
    if why := not_ours(table, check, settings):
        raise Error(f"{check.target_table} is not deleted: {why}")
    clients.dynamodb.delete_table(TableName=check.target_table)
    return check


def not_ours(table: Mapping[str, Any], check: Check, settings: Settings) -> str:
    """Why a table must not be deleted by this check; empty if this check restored it."""
    origin = table.get("RestoreSummary", {}).get("SourceTableArn")
    if not check.target_table.startswith(settings.drill_prefix) or table["TableName"] != check.target_table:
        return f"it is not called {settings.drill_prefix}..."
    if origin != check.source_table_arn:
        return f"it was restored from {origin}"
    if table["CreationDateTime"] < check.started:
        return "it is older than this check"
    return ""


def conclude(check: Check, settings: Settings, clients: Clients, now: datetime) -> Check:
    """Tell whoever waits; then raise NotProven unless equality was proven, so that people hear of the execution."""
    proven, reason = check.conclusion()
    if check.reply_to is not None:
        verdict = check.verdict
        data = {"Items": verdict.items, "RestoredTo": str(check.at)} if verdict and proven else {}
        send(check.reply_to, success=proven, reason=reason, data=data)
    elif check.kind is Kind.RESTORE_TESTING:
        clients.backup.put_restore_validation_result(
            RestoreJobId=check.restore_job_id,
            ValidationStatus="SUCCESSFUL" if proven else "FAILED",
            ValidationStatusMessage=reason[:MAX_VALIDATION_MESSAGE],
        )
    if not proven:
        raise NotProven(reason)
    return check


STEPS: Mapping[str, Callable[[Check, Settings, Clients, datetime], Check]] = {
    "begin": begin,
    "poll": poll,
    "compare": compare,
    "clean-up": clean_up,
    "conclude": conclude,
}


def handler(event: Event, _context: object) -> dict[str, Any]:
    """Lambda's entry: the step by its name, the check as the state machine carries it."""
    import boto3

    step = STEPS.get(text(event, "step"))
    if step is None:
        raise Error(f"no such step: {event.get('step')!r}", hint=", ".join(STEPS))
    check = Check.from_json(part(event, "check"))
    clients = Clients(dynamodb=boto3.client("dynamodb"), backup=boto3.client("backup"))
    return step(check, Settings.read(os.environ), clients, datetime.now(UTC)).to_json()
