from __future__ import annotations

from typing import Any

import pytest
from tests.drill.building import Shop

from backcheck.controls import examples
from backcheck.drill import settings, surroundings
from backcheck.drill.surroundings import Surroundings
from backcheck.drill.verdict import record
from backcheck.policy.model import Method

ALARM: dict[str, Any] = {
    "AlarmName": "orders-throttled",
    "AlarmDescription": "customers wait",
    "Namespace": "AWS/DynamoDB",
    "MetricName": "ReadThrottleEvents",
    "Dimensions": [{"Name": "TableName", "Value": "orders"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 5,
    "Threshold": 3.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:pager"],
}


def around(shop: Shop, table: str, *, provisioned: bool = True) -> Surroundings:
    return surroundings.read(lambda service: shop.sandbox.client(service), table, provisioned=provisioned)


def alarm(shop: Shop, **changes: Any) -> None:
    shop.sandbox.client("cloudwatch").put_metric_alarm(**{**ALARM, **changes})


def scaled(shop: Shop, resource: str, **changes: Any) -> None:
    """A scalable target with a policy."""
    client = shop.sandbox.client("application-autoscaling")
    place = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": resource,
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
        **changes,
    }
    client.register_scalable_target(**place, MinCapacity=5, MaxCapacity=50)
    metric = {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"}
    client.put_scaling_policy(
        **place,
        PolicyName="reads",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 70.0, "PredefinedMetricSpecification": metric},
    )


def missing(shop: Shop) -> list[tuple[str, str]]:
    return list(surroundings.missing(around(shop, "orders"), around(shop, "restored")))


def test_an_alarm_that_is_not_there_again_comes_with_its_command(shop: Shop) -> None:
    alarm(shop)
    found = missing(shop)
    assert [kind for kind, _ in found] == ["alarms"]
    command = found[0][1]
    assert command.startswith("aws cloudwatch put-metric-alarm --cli-input-json '{")
    for part in (
        '"AlarmName": "orders-throttled-RESTORED"',
        '"Value": "RESTORED"',
        '"Threshold": 3.0',
        '"AlarmActions": ["arn:aws:sns:us-east-1:123456789012:pager"]',
        "customers wait",
    ):
        assert part in command
    assert '"orders"' not in command


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({}, 0),
        ({"AlarmDescription": "another text"}, 0),
        ({"Threshold": 4.0}, 1),
        ({"AlarmActions": []}, 1),
        ({"MetricName": "WriteThrottleEvents"}, 1),
    ],
)
def test_an_alarm_is_there_again_where_it_watches_and_does_the_same(
    shop: Shop, changes: dict[str, Any], lacks: int
) -> None:
    alarm(shop)
    dimensions = [{"Name": "TableName", "Value": "restored"}]
    alarm(shop, AlarmName="another-name", Dimensions=dimensions, **changes)
    assert len(missing(shop)) == lacks


def test_alarms_of_other_tables_are_left_out(shop: Shop) -> None:
    alarm(shop, AlarmName="others", Dimensions=[{"Name": "TableName", "Value": "orders-archive"}])
    assert missing(shop) == []


def test_alarms_that_auto_scaling_made_come_with_its_policy(shop: Shop) -> None:
    scaled(shop, "table/orders")
    theirs = shop.sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(theirs) > 1
    alarm(shop)
    found = [command for kind, command in missing(shop) if kind == "alarms"]
    assert len(found) == 1
    assert "orders-throttled" in found[0]


def test_auto_scaling_of_table_and_indexes_is_made_again_targets_first(shop: Shop) -> None:
    scaled(shop, "table/orders")
    scaled(shop, "table/orders/index/by-city", ScalableDimension="dynamodb:index:ReadCapacityUnits")
    scaled(shop, "table/orders-archive")
    found = missing(shop)
    assert {kind for kind, _ in found} == {"auto scaling"}
    commands = [command for _, command in found]
    assert [command.split()[2] for command in commands] == ["register-scalable-target"] * 2 + ["put-scaling-policy"] * 2
    assert "--resource-id table/RESTORED --scalable-dimension dynamodb:table:ReadCapacityUnits" in commands[0]
    assert "--min-capacity 5 --max-capacity 50" in commands[0]
    assert "table/RESTORED/index/by-city" in commands[1]
    assert '"TargetValue": 70.0' in commands[2]
    scaled(shop, "table/restored")
    assert len(missing(shop)) == 2


def test_on_demand_there_is_nothing_to_scale(shop: Shop) -> None:
    scaled(shop, "table/orders")
    shop.sandbox.faults.deny("application-autoscaling:*")
    found = around(shop, "orders", provisioned=False)
    assert (found.scaling, found.gaps) == ({}, ())


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        ("cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarms: AccessDenied"),
        ("application-autoscaling:DescribeScalableTargets", "application-autoscaling: AccessDenied"),
    ],
)
def test_what_cannot_be_read_is_a_gap(shop: Shop, operation: str, says: str) -> None:
    shop.sandbox.faults.deny(operation)
    assert [gap for gap in around(shop, "orders").gaps if gap.startswith(says)]


def test_a_drill_lists_alarms_with_the_commands(shop: Shop) -> None:
    shop.table()
    alarm(shop)
    facts = shop.drill(shop.plan(Method.PITR))[0]
    assert facts.settings is not None
    assert "alarms" in facts.settings.listed
    assert any("put-metric-alarm" in command for command in facts.settings.runbook)
    assert record(facts, run_id="run", simulated=True).settings == "listed"


def test_a_drill_that_may_not_read_alarms_does_not_know_whether_settings_came_back(shop: Shop) -> None:
    shop.table()
    shop.sandbox.faults.deny("cloudwatch:DescribeAlarms")
    facts = shop.drill(shop.plan(Method.PITR))[0]
    found = record(facts, run_id="run", simulated=True)
    assert (found.settings, found.integrity, found.passed, found.undetermined) == ("", "equal", False, True)
    assert "not read: cloudwatch:DescribeAlarms" in found.detail


def test_a_difference_outweighs_what_is_not_known(shop: Shop) -> None:
    shop.table()
    source = settings.read(lambda service: shop.reach.client(service, examples.ACCOUNT, "us-east-1"), "orders")
    shop.sandbox.faults.deny("cloudwatch:DescribeAlarms")
    shop.table("other", items=1)
    shop.dynamodb.update_table(TableName="other", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-city"}}])
    other = settings.read(lambda service: shop.reach.client(service, examples.ACCOUNT, "us-east-1"), "other")
    found = settings.compare(source, other, same_region=True)
    assert found.gaps
    assert (found.verdict, found.shape_is_equal) == ("different", False)
