"""AWS's restore testing restored a table: start the check that compares it and records the verdict on the restore job.

The event: https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-validation.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from backcheck.errors import Error, UsageError
from functions.check import Check, Kind, Phase
from functions.event import Event, part, text

MARGIN = timedelta(hours=1)
"""Before the validation window ends AWS deletes the restored table: the verdict must be in by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """From the function's environment."""

    state_machine_arn: str
    source_table_arn: str
    window: timedelta

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raises Error for a variable that is missing or no number."""
        try:
            return cls(
                state_machine_arn=environment["STATE_MACHINE_ARN"],
                source_table_arn=environment["SOURCE_TABLE_ARN"],
                window=timedelta(hours=int(environment["VALIDATION_WINDOW_HOURS"])),
            )
        except KeyError as error:
            raise Error(f"the function's environment has no {error.args[0]}") from error
        except ValueError as error:
            raise Error("VALIDATION_WINDOW_HOURS in the function's environment is no number") from error


def parse(event: Event, settings: Settings, now: datetime) -> Check:
    """The check of a completed restore job. Raises UsageError for an event of anything else."""
    detail = part(event, "detail")
    source, created, job = (text(detail, name) for name in ("sourceResourceArn", "createdResourceArn", "restoreJobId"))
    if text(detail, "status") != "COMPLETED" or text(detail, "resourceType") != "DynamoDB":
        raise UsageError(f"the event is of a {detail.get('resourceType')} restore that is {detail.get('status')}")
    if not job or ":table/" not in created:
        raise UsageError("the event names no restored table")
    if source and source != settings.source_table_arn:
        raise UsageError(f"the event is of {source}, not of {settings.source_table_arn}")
    return Check(
        kind=Kind.RESTORE_TESTING,
        phase=Phase.RESTORING,
        source_table_arn=settings.source_table_arn,
        target_table=created.rpartition("/")[2],
        started=now,
        deadline=now + settings.window - MARGIN,
        restore_job_id=job,
    )


def start(check: Check, settings: Settings, states: Any) -> str:
    """Start the state machine, named by the job: an event that is delivered twice starts it once."""
    from botocore.exceptions import ClientError

    try:
        reply = states.start_execution(
            stateMachineArn=settings.state_machine_arn,
            name=check.restore_job_id,
            input=json.dumps(check.to_json()),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
            return "already started"
        raise
    return str(reply["executionArn"])


def handler(event: Event, _context: object) -> dict[str, str]:
    """Lambda's entry. What is raised goes to the topic after two retries."""
    import boto3

    settings = Settings.read(os.environ)
    check = parse(event, settings, datetime.now(UTC).replace(microsecond=0))
    return {"execution": start(check, settings, boto3.client("stepfunctions"))}
