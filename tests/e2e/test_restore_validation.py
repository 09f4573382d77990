"""AWS's restore testing restored a table: the rule, the function, the comparison, the verdict on the restore job."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.e2e.emulators import ACCOUNT, PRIMARY, until
from tests.e2e.stacks import Stack
from tests.e2e.stage import PRODUCTS, Stage, invoke

pytestmark = pytest.mark.e2e

MACHINE = f"arn:aws:states:{PRIMARY}:{ACCOUNT}:stateMachine:techmoda-restore-check"


@pytest.fixture(scope="module")
def jobs(played: Stage) -> list[dict[str, Any]]:
    """Today's two restore jobs of the restore testing plan that our template made, with their tables; oldest first."""
    listed = played.aws.client("backup").list_restore_jobs()["RestoreJobs"]
    found = [one for one in listed if "CreatedBy" in one and "DeletionStatus" not in one]
    assert [one["Status"] for one in found] == ["COMPLETED", "COMPLETED"], listed
    return sorted(found, key=lambda one: str(one["CreationDate"]))


def event(job: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-validation.html"""
    return {
        "version": "0",
        "id": "1c2d3e4f-0000-0000-0000-000000000000",
        "detail-type": "Restore Job State Change",
        "source": "aws.backup",
        "account": ACCOUNT,
        "time": "2026-11-22T09:30:00Z",
        "region": PRIMARY,
        "resources": [job["RecoveryPointArn"]],
        "detail": {
            "restoreTestingPlanArn": job["CreatedBy"]["RestoreTestingPlanArn"],
            "restoreJobId": job["RestoreJobId"],
            "createdResourceArn": job["CreatedResourceArn"],
            "sourceResourceArn": f"arn:aws:dynamodb:{PRIMARY}:{ACCOUNT}:table/techmoda-products",
            "resourceType": "DynamoDB",
            "status": "COMPLETED",
        },
    }


def validated(played: Stage, job: dict[str, Any]) -> tuple[str, str]:
    """The status of a restore job's validation and the message with it, once there is one."""
    backup = played.aws.client("backup")

    def look() -> dict[str, Any] | None:
        now: dict[str, Any] = backup.describe_restore_job(RestoreJobId=job["RestoreJobId"])
        return now if now.get("ValidationStatus") in ("SUCCESSFUL", "FAILED") else None

    found = until(look, "a validation result")
    return found["ValidationStatus"], found["ValidationStatusMessage"]


def test_the_rule_takes_the_jobs_event_and_no_other(
    stacks: dict[str, Stack], played: Stage, jobs: list[dict[str, Any]]
) -> None:
    """aws.backup is a source that PutEvents refuses, here as in AWS: so the pattern is tried, and the target called."""
    events = played.ministack.client("events")
    pattern = events.describe_rule(Name="techmoda-restore-test-finished")["EventPattern"]

    def taken(**detail: object) -> bool:
        whole = event(jobs[0])
        whole["detail"] |= detail
        return bool(events.test_event_pattern(EventPattern=pattern, Event=json.dumps(whole))["Result"])

    assert taken()
    assert not taken(status="RUNNING")
    assert not taken(restoreTestingPlanArn=f"arn:aws:backup:{PRIMARY}:{ACCOUNT}:restore-testing-plan:other")
    refused = events.put_events(Entries=[{"Source": "aws.backup", "DetailType": "x", "Detail": "{}"}])["Entries"]
    assert [one["ErrorCode"] for one in refused] == ["NotAuthorizedForSourceException"]


def test_a_table_that_is_equal_is_validated_once(
    stacks: dict[str, Stack], played: Stage, jobs: list[dict[str, Any]]
) -> None:
    came_back, said = invoke(played, "techmoda-restore-validation", event(jobs[0]))
    assert came_back, said
    assert said["execution"].endswith(jobs[0]["RestoreJobId"])
    assert validated(played, jobs[0]) == (
        "SUCCESSFUL",
        f"{PRODUCTS} items restored, all equal to the source's export",
    )
    assert invoke(played, "techmoda-restore-validation", event(jobs[0])) == (True, {"execution": "already started"})


def test_a_table_that_lacks_an_item_has_failed(
    stacks: dict[str, Stack], played: Stage, jobs: list[dict[str, Any]]
) -> None:
    table = jobs[1]["CreatedResourceArn"].rpartition("/")[2]
    played.aws.client("dynamodb").delete_item(TableName=table, Key={"id": {"S": "seed-product-0007"}})
    came_back, said = invoke(played, "techmoda-restore-validation", event(jobs[1]))
    assert came_back, said
    assert validated(played, jobs[1]) == (
        "FAILED",
        f"{PRODUCTS - 1} items restored: 1 missing, 0 extra, 0 changed",
    )
    states = played.ministack.client("stepfunctions")
    until(lambda: states.describe_execution(executionArn=said["execution"])["status"] == "FAILED", "the check failed")


def test_an_event_of_another_table_is_a_failed_invocation(
    stacks: dict[str, Stack], played: Stage, jobs: list[dict[str, Any]]
) -> None:
    other = event(jobs[0])
    other["detail"]["sourceResourceArn"] = f"arn:aws:dynamodb:{PRIMARY}:{ACCOUNT}:table/other"
    came_back, said = invoke(played, "techmoda-restore-validation", other)
    assert not came_back
    assert "the event is of" in said["errorMessage"]
