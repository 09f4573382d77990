"""The scheduled validator, from its rule to the people who hear of a failure; in an account that is broken for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.emulators import until
from tests.e2e.packages import Packages
from tests.e2e.stacks import create, packaged
from tests.e2e.stage import Stage, heard, invoke, queue, stage

pytestmark = pytest.mark.e2e

FUNCTION = "techmoda-validate-backup"
FAILED, MISSING = "techmoda-backup-validation-failed", "techmoda-backup-validation-missing"


@pytest.fixture(scope="module")
def watched(built: Packages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A compliant account, and the primary stack with the validator run once a minute."""
    with stage(tmp_path_factory.mktemp("watched"), built) as made:
        stack = create(made.ministack, "primary", packaged("primary"), ValidationSchedule="cron(* * * * ? *)")
        assert stack.status == "CREATE_COMPLETE", stack.failures
        yield made


def errors(watched: Stage) -> float:
    """The validator's errors, as CloudWatch counts them."""
    now = datetime.now(UTC)
    found = watched.ministack.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": FUNCTION}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(one["Sum"] for one in found["Datapoints"]))


def alarms(watched: Stage) -> dict[str, str]:
    """State by name. ministack looks at its alarms only when a metric is put, so one is: of another namespace."""
    cloudwatch = watched.ministack.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="test", MetricData=[{"MetricName": "look", "Value": 1}])
    return {one["AlarmName"]: one["StateValue"] for one in cloudwatch.describe_alarms()["MetricAlarms"]}


def failures(watched: Stage) -> list[str]:
    """What failed runs have written to the log group of primary.yaml, whoever started them."""
    logs = watched.ministack.client("logs")
    found = logs.filter_log_events(logGroupName="/backcheck/techmoda/functions", filterPattern='"FAIL PIT-01"')[
        "events"
    ]
    return [one["message"] for one in found]


@pytest.fixture(scope="module")
def heard_by(watched: Stage) -> str:
    """A queue that hears what people would."""
    return queue(watched, "techmoda-backup-alerts")


@pytest.fixture(scope="module")
def passed(watched: Stage, heard_by: str) -> dict[str, int]:
    """What the validator says of the account while it is compliant."""
    came_back, said = invoke(watched, FUNCTION, {})
    assert came_back, said
    counts: dict[str, int] = said
    return counts


@pytest.fixture(scope="module")
def broken(watched: Stage, passed: dict[str, int]) -> Stage:
    """The account after somebody turned point-in-time recovery off."""
    watched.aws.client("dynamodb").update_continuous_backups(
        TableName="techmoda-products", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    return watched


def test_a_compliant_account_rings_nothing(watched: Stage, passed: dict[str, int]) -> None:
    assert passed["pass"] > 0
    assert errors(watched) == 0
    assert alarms(watched) == {FAILED: "OK", MISSING: "OK"}
    assert failures(watched) == []


def test_the_schedule_runs_the_validator_which_fails_with_the_reason(broken: Stage) -> None:
    [line, *_] = until(lambda: failures(broken), "the schedule's run has failed", seconds=150)
    assert "techmoda-products cannot be restored to a point in time" in line


def test_a_failed_run_rings_the_alarms_topic(broken: Stage, heard_by: str) -> None:
    came_back, said = invoke(broken, FUNCTION, {})
    assert not came_back
    assert "FAIL PIT-01" in said["errorMessage"]
    assert errors(broken) == 1
    assert alarms(broken)[FAILED] == "ALARM"
    alarm = json.loads(heard(broken, heard_by, f'ALARM: "{FAILED}"')["Message"])
    assert (alarm["AlarmName"], alarm["OldStateValue"], alarm["NewStateValue"]) == (FAILED, "OK", "ALARM")


def test_the_topic_hears_the_reason_of_a_run_that_nobody_waits_for(broken: Stage, heard_by: str) -> None:
    """As EventBridge calls in AWS: the event is taken, tried twice, and then goes where the template sends it."""
    reply = broken.ministack.client("lambda").invoke(FunctionName=FUNCTION, InvocationType="Event", Payload="{}")
    assert reply["StatusCode"] == 202
    message = heard(broken, heard_by, "FAIL PIT-01")
    assert "cannot be restored to a point in time" in message["Message"]
