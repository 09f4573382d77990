"""The custom resource that restores the table on a deployment: starts the check, which answers CloudFormation.

Only a failure to start is answered here. The properties are the lab's: `RestoreType` (PITR), `RestoreDateTime` or
`UseLatestRestorableTime`, as text or as booleans; and `AllowEmptyTable`.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from backcheck.errors import Error, UsageError
from functions.check import Check, Kind, Phase
from functions.event import Event, flag, moment, part, text
from functions.reply import ReplyTo, send

TIME_LIMIT = timedelta(minutes=35)
"""What is done after it (a last poll, the comparison, cleaning up, answering) may take 20 minutes, and CloudFormation
gives a custom resource up after an hour (ServiceTimeout)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """From the function's environment."""

    state_machine_arn: str
    source_table_arn: str
    drill_prefix: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raises Error for a variable that is missing."""
        try:
            return cls(
                state_machine_arn=environment["STATE_MACHINE_ARN"],
                source_table_arn=environment["SOURCE_TABLE_ARN"],
                drill_prefix=environment["DRILL_TABLE_PREFIX"],
            )
        except KeyError as error:
            raise Error(f"the function's environment has no {error.args[0]}") from error


def parse(event: Event, settings: Settings, now: datetime) -> Check:
    """The check that a Create or Update asks for. Raises UsageError that says what is wrong in its properties."""
    properties = part(event, "ResourceProperties")
    if text(properties, "RestoreType") != "PITR":
        raise UsageError(
            f"RestoreType is {properties.get('RestoreType')!r}",
            hint='"PITR"; recovery points are tested by the restore testing plan of this stack',
        )
    at, latest = moment(properties, "RestoreDateTime"), flag(properties, "UseLatestRestorableTime")
    if (at is not None) == latest:
        raise UsageError("give RestoreDateTime or UseLatestRestorableTime, one of them")
    return Check(
        kind=Kind.CUSTOM_RESOURCE,
        phase=Phase.AWAIT_PITR,
        source_table_arn=settings.source_table_arn,
        target_table=f"{settings.drill_prefix}-deploy-{now:%Y%m%d%H%M%S}",
        started=now,
        deadline=now + TIME_LIMIT,
        at=at,
        allow_empty=flag(properties, "AllowEmptyTable"),
        reply_to=ReplyTo.of(event),
    )


def start(check: Check, settings: Settings, name: str, states: Any) -> None:
    """Start the state machine, named by the request; it answers from here on.

    Lambda hands an event over at least once. The second time the execution is there, and its answer is the one that
    counts: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """
    from botocore.exceptions import ClientError

    try:
        states.start_execution(stateMachineArn=settings.state_machine_arn, name=name, input=json.dumps(check.to_json()))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise


def handler(event: Event, _context: object) -> None:
    """Lambda's entry. Whatever happens before the state machine runs, CloudFormation hears of it.

    What it has heard of is not raised: Lambda would call twice more, and start a check after the answer FAILED. An
    answer that is not delivered is, as NotDelivered.
    """
    to = ReplyTo.of(event)
    if text(event, "RequestType") == "Delete":
        send(to, success=True, reason="nothing to delete: restored tables are removed by the check itself")
        return
    try:
        import boto3

        settings = Settings.read(os.environ)
        check = parse(event, settings, datetime.now(UTC).replace(microsecond=0))
        start(check, settings, to.request_id, boto3.client("stepfunctions"))
    except Exception as error:  # CloudFormation would wait an hour for an answer
        reason = error.diagnostics() if isinstance(error, Error) else f"{type(error).__name__}: {error}"
        send(to, success=False, reason=f"the restore test could not be started: {reason}")
        logging.getLogger().exception("the restore test could not be started")
