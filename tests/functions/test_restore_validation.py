from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from tests.functions.building import NOW, POINT_ARN, PREFIX, SOURCE_ARN

from backcheck.errors import Error, UsageError
from functions.check import Kind, Phase
from functions.restore_validation import Settings, parse, start

MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:shop-restore-check"
SETTINGS = Settings(state_machine_arn=MACHINE, source_table_arn=SOURCE_ARN, window=timedelta(hours=8))
RESTORED = f"{SOURCE_ARN.rpartition('/')[0]}/{PREFIX}-1a2b"


def event(**changes: Any) -> dict[str, Any]:
    """As the page shows it: https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html"""
    detail = {
        "restoreJobId": "AB123456-78C9-0123-456D-789012E34567",
        "recoveryPointArn": POINT_ARN,
        "sourceResourceArn": SOURCE_ARN,
        "resourceType": "DynamoDB",
        "status": "COMPLETED",
        "createdResourceArn": RESTORED,
    }
    return {"source": "aws.backup", "detail-type": "Restore Job State Change", "detail": {**detail, **changes}}


def test_a_finished_restore_test_becomes_a_check() -> None:
    found = parse(event(), SETTINGS, NOW)
    assert (found.kind, found.phase) == (Kind.RESTORE_TESTING, Phase.RESTORING)
    assert found.target_table == f"{PREFIX}-1a2b"
    assert found.restore_job_id == "AB123456-78C9-0123-456D-789012E34567"
    assert found.deadline == NOW + timedelta(hours=7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "FAILED"}, "that is FAILED"),
        ({"resourceType": "RDS"}, "of a RDS restore"),
        ({"createdResourceArn": ""}, "names no restored table"),
        ({"restoreJobId": ""}, "names no restored table"),
        ({"sourceResourceArn": SOURCE_ARN + "-other"}, "not of"),
    ],
)
def test_an_event_of_anything_else_is_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(event(**changes), SETTINGS, NOW)


def test_an_event_without_detail_is_refused() -> None:
    with pytest.raises(UsageError, match="no detail"):
        parse({}, SETTINGS, NOW)


def test_an_event_that_comes_twice_starts_once() -> None:
    client = boto3.client("stepfunctions", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    found = parse(event(), SETTINGS, NOW)
    asked = {"stateMachineArn": MACHINE, "name": found.restore_job_id, "input": json.dumps(found.to_json())}
    with Stubber(client) as stub:
        stub.add_response("start_execution", {"executionArn": "arn:aws:states:x", "startDate": NOW}, asked)
        stub.add_client_error("start_execution", "ExecutionAlreadyExists", expected_params=asked)
        assert start(found, SETTINGS, client) == "arn:aws:states:x"
        assert start(found, SETTINGS, client) == "already started"


def test_a_window_that_is_no_number_is_named() -> None:
    given = {"STATE_MACHINE_ARN": MACHINE, "SOURCE_TABLE_ARN": SOURCE_ARN, "VALIDATION_WINDOW_HOURS": "long"}
    with pytest.raises(Error, match="VALIDATION_WINDOW_HOURS"):
        Settings.read(given)
