"""Who hears of failures: topics, rules, the scheduled check, alarms, and who changed the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from backcheck.controls.examples.access import allow, document
from backcheck.controls.examples.shop import ACCOUNT, HERE, NOW, VALIDATOR_ARN, VALIDATOR_RULE_ARN
from backcheck.inventory.iam import Subscription, Topic
from backcheck.inventory.watch import Alarm, Change, EventRule, Function


def subscription(**changes: Any) -> Subscription:
    """Somebody who has confirmed, and gets every message."""
    made = Subscription(
        arn=f"arn:aws:sns:{HERE}:{ACCOUNT}:shop-alerts:1",
        protocol="email",
        endpoint="",
        filter_policy=None,
        filters_body=False,
    )
    return replace(made, **changes)


def topic(where: str = HERE, /, **changes: Any) -> Topic:
    """The topic that wakes somebody."""
    made = Topic(
        arn=f"arn:aws:sns:{where}:{ACCOUNT}:shop-alerts",
        region=where,
        fifo=False,
        key_id=None,
        policy=document(
            allow("sns:Publish", principals=(("Service", "events.amazonaws.com"),)),
            allow("sns:Publish", principals=(("Service", "cloudwatch.amazonaws.com"),)),
        ),
        subscriptions=(subscription(),),
    )
    return replace(made, **changes)


def failure_rule(where: str = HERE, /, **changes: Any) -> EventRule:
    """The rule that takes failed backups and copies to the topic."""
    made = EventRule(
        arn=f"arn:aws:events:{where}:{ACCOUNT}:rule/shop-failures",
        name="shop-failures",
        region=where,
        enabled=True,
        schedule=None,
        sources=("aws.backup",),
        detail_types=("Backup Job State Change", "Copy Job State Change"),
        states=("FAILED", "EXPIRED", "ABORTED", "PARTIAL"),
        other_filters=False,
        target_arns=(topic(where).arn,),
    )
    return replace(made, **changes)


def restore_failure_rule(where: str = HERE, /, **changes: Any) -> EventRule:
    """The rule that takes failed restores there, which carry a status and no state."""
    made = failure_rule(
        where,
        arn=f"arn:aws:events:{where}:{ACCOUNT}:rule/shop-failed-restores",
        name="shop-failed-restores",
        detail_types=("Restore Job State Change",),
        states=(),
        statuses=("FAILED", "ABORTED"),
    )
    return replace(made, **changes)


def validation_rule(**changes: Any) -> EventRule:
    """The schedule that starts the validator."""
    made = EventRule(
        arn=VALIDATOR_RULE_ARN,
        name="shop-validate",
        region=HERE,
        enabled=True,
        schedule="cron(0 10 * * ? *)",
        sources=(),
        detail_types=(),
        states=(),
        other_filters=False,
        target_arns=(VALIDATOR_ARN,),
    )
    return replace(made, **changes)


def drill_rule(**changes: Any) -> EventRule:
    """The schedule that starts the drill."""
    made = validation_rule(
        arn=f"arn:aws:events:{HERE}:{ACCOUNT}:rule/shop-drill",
        name="shop-drill",
        schedule="cron(0 3 2 * ? *)",
        target_arns=(f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:shop-drill",),
    )
    return replace(made, **changes)


def function(**changes: Any) -> Function:
    """The validator."""
    invoke = allow(
        "lambda:InvokeFunction",
        resources=(VALIDATOR_ARN,),
        principals=(("Service", "events.amazonaws.com"),),
        conditions=(("ArnLike", "AWS:SourceArn", (VALIDATOR_RULE_ARN,)),),
    )
    made = Function(
        arn=VALIDATOR_ARN,
        name="shop-validate",
        region=HERE,
        runtime="python3.13",
        timeout_seconds=120,
        state="Active",
        policy=document(invoke),
        invocations_26h=1,
        errors_26h=0,
    )
    return replace(made, **changes)


def alarm(metric: str = "Errors", /, **changes: Any) -> Alarm:
    """The alarm on the validator's `Errors`, or on its missing `Invocations`."""
    made = Alarm(
        arn=f"arn:aws:cloudwatch:{HERE}:{ACCOUNT}:alarm:shop-validate-{metric.lower()}",
        name=f"shop-validate-{metric.lower()}",
        region=HERE,
        namespace="AWS/Lambda",
        metric=metric,
        dimensions=(("FunctionName", "shop-validate"),),
        comparison="GreaterThanOrEqualToThreshold" if metric == "Errors" else "LessThanThreshold",
        threshold=1.0,
        statistic="Sum",
        period_seconds=86400 if metric == "Invocations" else 300,
        evaluation_periods=1,
        treat_missing_data="breaching" if metric == "Invocations" else "notBreaching",
        actions_enabled=True,
        action_arns=(topic().arn,),
        state="OK",
    )
    return replace(made, **changes)


def change(**changes: Any) -> Change:
    """What CloudTrail tells of a plan that was changed."""
    made = Change(
        time=NOW - timedelta(days=3), event="UpdateBackupPlan", principal="ops", resource="plan-1", read_only=False
    )
    return replace(made, **changes)
