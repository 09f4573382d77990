from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from tests.functions.building import NOW, PREFIX, SOURCE_ARN
from tests.templates.reading import resources, template

from backcheck.errors import UsageError
from functions import restore_test
from functions.check import Check, Kind, Phase
from functions.reply import NotDelivered
from functions.restore_test import Settings, handler, parse, start

MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:shop-restore-check"
SETTINGS = Settings(state_machine_arn=MACHINE, source_table_arn=SOURCE_ARN, drill_prefix=PREFIX)
ENVIRONMENT = {"STATE_MACHINE_ARN": MACHINE, "SOURCE_TABLE_ARN": SOURCE_ARN, "DRILL_TABLE_PREFIX": PREFIX}
EVENT = {
    "RequestType": "Create",
    "ResponseURL": "https://cloudformation.example/reply",
    "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/shop/guid",
    "RequestId": "request-1",
    "LogicalResourceId": "TestPITRRestore",
}


def event(**properties: object) -> dict[str, object]:
    return {**EVENT, "ResourceProperties": properties}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, str]]:
    answers: list[tuple[bool, str]] = []
    monkeypatch.setattr(restore_test, "send", lambda _to, *, success, reason: answers.append((success, reason)))
    return answers


@pytest.mark.parametrize("true", [True, "true"])
def test_what_cloudformation_hands_over_is_understood(true: object) -> None:
    found = parse(event(RestoreType="PITR", UseLatestRestorableTime=true, AllowEmptyTable="false"), SETTINGS, NOW)
    assert (found.kind, found.phase, found.at) == (Kind.CUSTOM_RESOURCE, Phase.AWAIT_PITR, None)
    assert found.allow_empty is False
    assert found.target_table == f"{PREFIX}-deploy-20261122093000"
    assert found.deadline - found.started == timedelta(minutes=35)
    assert found.reply_to is not None
    assert found.reply_to.physical_id == "shop-TestPITRRestore"


def test_a_time_is_taken_too() -> None:
    given = event(RestoreType="PITR", UseLatestRestorableTime="false", RestoreDateTime="2026-11-20T00:00:00Z")
    assert parse(given, SETTINGS, NOW).at == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, "RestoreType is None"),
        ({"RestoreType": "BACKUP"}, "RestoreType is 'BACKUP'"),
        ({"RestoreType": "PITR"}, "one of them"),
        ({"RestoreType": "PITR", "UseLatestRestorableTime": "false"}, "one of them"),
        (
            {"RestoreType": "PITR", "UseLatestRestorableTime": "true", "RestoreDateTime": "2026-11-20T00:00:00Z"},
            "one of them",
        ),
    ],
)
def test_properties_that_make_no_sense_are_refused(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(event(**properties), SETTINGS, NOW)


def test_the_state_machine_gets_the_whole_check() -> None:
    client = boto3.client("stepfunctions", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    found = parse(event(RestoreType="PITR", UseLatestRestorableTime="true"), SETTINGS, NOW)
    asked = {"stateMachineArn": MACHINE, "name": "request-1", "input": json.dumps(found.to_json())}
    with Stubber(client) as stub:
        stub.add_response("start_execution", {"executionArn": "arn:aws:states:x", "startDate": NOW}, asked)
        start(found, SETTINGS, "request-1", client)
        stub.assert_no_pending_responses()
    assert Check.from_json(json.loads(asked["input"])) == found


def test_an_event_that_is_delivered_twice_is_answered_once(
    sent: list[tuple[bool, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("stepfunctions", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    with Stubber(client) as stub:
        stub.add_client_error("start_execution", "ExecutionAlreadyExists")
        handler(event(RestoreType="PITR", UseLatestRestorableTime="true"), None)
    assert sent == []


def test_a_state_machine_that_does_not_start_is_answered(
    sent: list[tuple[bool, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("stepfunctions", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    with Stubber(client) as stub:
        stub.add_client_error("start_execution", "StateMachineDoesNotExist")
        handler(event(RestoreType="PITR", UseLatestRestorableTime="true"), None)
    [(success, reason)] = sent
    assert not success
    assert "StateMachineDoesNotExist" in reason


def test_a_delete_is_answered_at_once(sent: list[tuple[bool, str]]) -> None:
    handler({**EVENT, "RequestType": "Delete"}, None)
    assert sent == [(True, "nothing to delete: restored tables are removed by the check itself")]


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_test_that_cannot_start_is_answered_with_the_reason(
    request_type: str, sent: list[tuple[bool, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    handler({**event(RestoreType="BACKUP"), "RequestType": request_type}, None)
    [(success, reason)] = sent
    assert not success
    assert "could not be started: RestoreType is 'BACKUP'" in reason


def test_a_missing_variable_is_answered_too(sent: list[tuple[bool, str]]) -> None:
    handler(event(RestoreType="PITR", UseLatestRestorableTime="true"), None)
    [(success, reason)] = sent
    assert not success
    assert "no STATE_MACHINE_ARN" in reason


def test_only_an_answer_that_is_not_delivered_is_left_to_lambdas_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an answer that was, a retry would start a check that nobody waits for."""

    def lost(*_: object, **__: object) -> None:
        raise NotDelivered("CloudFormation's URL answered 503")

    monkeypatch.setattr(restore_test, "send", lost)
    with pytest.raises(NotDelivered):
        handler(event(RestoreType="BACKUP"), None)


def test_cloudformation_is_answered_before_it_gives_up() -> None:
    """By a check whose table is there at the last poll, and whose every state takes as long as it may."""
    stack = resources("restore-testing")
    states = stack["RestoreCheck"]["Properties"]["Definition"]["States"]
    start_seconds = template("restore-testing")["Globals"]["Function"]["Timeout"]
    after = ("Poll", "Compare", "CleanUp", "Conclude")
    after_seconds = states["Wait"]["Seconds"] + sum(states[state]["TimeoutSeconds"] for state in after)
    longest_seconds = start_seconds + restore_test.TIME_LIMIT.total_seconds() + after_seconds
    assert longest_seconds <= int(stack["TestPITRRestore"]["Properties"]["ServiceTimeout"])
