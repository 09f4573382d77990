"""The custom resource, from CloudFormation's request to its answer: function, state machine, restore, comparison."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.e2e.answers import Answers, answers
from tests.e2e.emulators import ACCOUNT, PRIMARY, until
from tests.e2e.reductions import name_the_bucket
from tests.e2e.stacks import ORPHAN, Stack, create, packaged, update
from tests.e2e.stage import PRODUCTS, Stage, heard, invoke, queue

from functions.check import Check, Kind, Phase
from functions.reply import ReplyTo
from functions.restore_test import TIME_LIMIT

pytestmark = pytest.mark.e2e

RESOURCE = "TestPITRRestore"
MACHINE = f"arn:aws:states:{PRIMARY}:{ACCOUNT}:stateMachine:techmoda-restore-check"
TABLE = f"arn:aws:dynamodb:{PRIMARY}:{ACCOUNT}:table/techmoda-products"
STACK = f"arn:aws:cloudformation:{PRIMARY}:{ACCOUNT}:stack/by-hand/1234"
EQUAL = f"{PRODUCTS} items restored, all equal to the source's export"


@pytest.fixture(scope="module")
def told() -> Iterator[Answers]:
    """Where requests that no stack makes are answered."""
    with answers() as found:
        yield found


def left_over(played: Stage) -> list[str]:
    names: list[str] = played.aws.client("dynamodb").list_tables()["TableNames"]
    return [name for name in names if name.startswith("awsbackup-restore-test-deploy")]


def executions(played: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = played.ministack.client("stepfunctions").list_executions(stateMachineArn=MACHINE)[
        "executions"
    ]
    return found


def request(told: Answers, **properties: str) -> dict[str, object]:
    """What CloudFormation sends."""
    return {
        "RequestType": "Create",
        "ResponseURL": told.url,
        "StackId": STACK,
        "RequestId": str(uuid4()),
        "LogicalResourceId": RESOURCE,
        "ResourceType": "Custom::TestRestore",
        "ResourceProperties": {"RestoreType": "PITR", "UseLatestRestorableTime": "true", **properties},
    }


def test_a_stack_is_complete_once_its_table_was_restored_and_compared(stacks: dict[str, Stack], played: Stage) -> None:
    assert stacks["restore-testing"].physical(RESOURCE) == "backups-restore-testing-TestPITRRestore"
    assert "SUCCEEDED" in [one["status"] for one in executions(played)]
    assert not left_over(played)


def test_an_update_tests_again_and_replaces_nothing(stacks: dict[str, Stack], played: Stage) -> None:
    before = len(executions(played))
    made = update(played.ministack, "restore-testing", packaged("restore-testing"), RestoreTestRun="again")
    assert made.status == "UPDATE_COMPLETE", made.failures
    assert made.physical(RESOURCE) == stacks["restore-testing"].physical(RESOURCE)
    assert len(executions(played)) == before + 1


def test_a_request_is_answered_once_however_often_it_is_delivered(
    stacks: dict[str, Stack], played: Stage, told: Answers
) -> None:
    event = request(told)
    for _ in range(2):
        came_back, said = invoke(played, "techmoda-restore-test", event)
        assert came_back, said
    answer = told.of(str(event["RequestId"]))
    assert (answer["Status"], answer["Reason"], answer["Data"]["Items"]) == ("SUCCESS", EQUAL, PRODUCTS)
    assert answer["PhysicalResourceId"] == "by-hand-TestPITRRestore"
    assert (answer["StackId"], answer["LogicalResourceId"]) == (STACK, RESOURCE)
    assert told.content_types[-1] == ""  # any other would break the signature of CloudFormation's URL
    time.sleep(2)
    assert len(told.to(str(event["RequestId"]))) == 1
    assert not left_over(played)


def test_an_update_that_fails_says_why_and_is_rolled_back(stacks: dict[str, Stack], played: Stage) -> None:
    """A bucket that is in ministack only: to the sandbox, which writes the witness, it does not exist."""
    body = packaged("restore-testing")
    name_the_bucket(body, "${Prefix}-nowhere")
    made = update(played.ministack, "restore-testing", body, RestoreTestRun="elsewhere")
    assert made.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "the witness could not be exported" in made.failures[-1]
    assert made.failures[-1].startswith(RESOURCE)
    assert not left_over(played)


def test_a_stack_whose_table_is_not_there_fails_with_the_reason_and_can_be_made_again(
    orphan: Stack, played: Stage
) -> None:
    for _ in range(2):
        made = create(
            played.ministack,
            "restore-testing",
            packaged("restore-testing"),
            stack="orphan-restore-testing",
            Prefix=ORPHAN,
        )
        assert made.status == "ROLLBACK_COMPLETE"
        [why] = [one for one in made.failures if one.startswith(RESOURCE)]
        assert "TableNotFoundException" in why
        assert "orphan-products" in why
        played.ministack.client("s3").delete_bucket(Bucket="orphan-witnesses")  # kept, and only here has it a name
        delete(played, "orphan-restore-testing")


def delete(played: Stage, stack: str) -> None:
    """Delete a stack and wait until it is gone."""
    cloudformation = played.ministack.client("cloudformation")
    cloudformation.delete_stack(StackName=stack)

    def gone() -> bool:
        listed = cloudformation.list_stacks()["StackSummaries"]
        return all(one["StackStatus"] == "DELETE_COMPLETE" for one in listed if one["StackName"] == stack)

    until(gone, f"{stack} is gone")


def test_a_request_that_makes_no_sense_is_refused_at_once(
    stacks: dict[str, Stack], played: Stage, told: Answers
) -> None:
    event = request(told, RestoreType="BACKUP")
    came_back, _ = invoke(played, "techmoda-restore-test", event)
    assert came_back, "raised, it would be called twice more, after the answer"
    answer = told.of(str(event["RequestId"]), seconds=1)
    assert answer["Status"] == "FAILED"
    assert "could not be started: RestoreType is 'BACKUP'" in answer["Reason"]


def test_a_delete_is_answered_at_once(stacks: dict[str, Stack], played: Stage, told: Answers) -> None:
    event = {**request(told), "RequestType": "Delete", "PhysicalResourceId": "as-it-was"}
    assert invoke(played, "techmoda-restore-test", event)[0]
    answer = told.of(str(event["RequestId"]), seconds=1)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "as-it-was")


def overdue(told: Answers) -> Check:
    """A check whose time was up a minute ago, as the custom resource's function hands it to the state machine."""
    started = datetime.now(UTC).replace(microsecond=0) - TIME_LIMIT - timedelta(minutes=1)
    request_id = str(uuid4())
    return Check(
        kind=Kind.CUSTOM_RESOURCE,
        phase=Phase.AWAIT_PITR,
        source_table_arn=TABLE,
        target_table=f"awsbackup-restore-test-deploy-{request_id[:8]}",
        started=started,
        deadline=started + TIME_LIMIT,
        reply_to=ReplyTo(
            url=told.url,
            stack_id=STACK,
            request_id=request_id,
            logical_id=RESOURCE,
            physical_id="by-hand-TestPITRRestore",
        ),
    )


def run(played: Stage, check: Check) -> None:
    assert check.reply_to is not None
    played.ministack.client("stepfunctions").start_execution(
        stateMachineArn=MACHINE, name=check.reply_to.request_id, input=json.dumps(check.to_json())
    )


def test_what_is_still_restoring_when_time_is_up_has_failed_and_people_hear_of_it(
    stacks: dict[str, Stack], played: Stage, told: Answers
) -> None:
    heard_by = queue(played, "techmoda-backup-alerts")
    check = replace(overdue(told), phase=Phase.RESTORING)
    played.aws.client("dynamodb").restore_table_to_point_in_time(
        SourceTableName="techmoda-products", TargetTableName=check.target_table, UseLatestRestorableTime=True
    )
    run(played, check)
    assert check.reply_to is not None
    answer = told.of(check.reply_to.request_id)
    assert answer["Status"] == "FAILED"
    assert "still restoring after 36 minutes" in answer["Reason"]
    assert answer["PhysicalResourceId"] == "by-hand-TestPITRRestore"
    assert ("is left behind" in answer["Reason"]) == (check.target_table in left_over(played))
    message = heard(played, heard_by, check.reply_to.request_id)
    assert "Step Functions Execution Status Change" in message["Message"]
    assert "still restoring" in message["Message"]


def test_a_table_that_cannot_be_restored_to_any_time_yet_has_failed(
    stacks: dict[str, Stack], played: Stage, told: Answers
) -> None:
    check = overdue(told)
    run(played, check)
    assert check.reply_to is not None
    answer = told.of(check.reply_to.request_id)
    assert answer["Status"] == "FAILED"
    assert "no time can be restored to yet after 36 minutes" in answer["Reason"]
