"""What watches over backups: event rules, functions, alarms, changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import PolicyDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """An EventBridge rule on the default bus."""

    arn: str
    name: str
    region: str
    enabled: bool
    schedule: str | None
    sources: tuple[str, ...]
    """`source` of the event pattern, such as aws.backup; empty: any."""
    detail_types: tuple[str, ...]
    states: tuple[str, ...]
    """`detail.state` of the pattern; empty: any."""
    other_filters: bool
    """The pattern filters on more than these: what it lets through is not known."""
    target_arns: tuple[str, ...] | Gap
    statuses: tuple[str, ...] = ()
    """`detail.status` of the pattern; empty: any. Restore job events carry `status`, backup and copy job events `state`
    (https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html)."""
    role_arns: tuple[str, ...] = ()
    """Execution roles that the rule, or its targets of Lambda and SNS, name."""
    altered_arns: tuple[str, ...] = ()
    """Targets that get another text than the event (Input, InputPath, InputTransformer)."""
    failed_invocations_26h: int | Gap = 0
    """Sum of AWS/Events FailedInvocations over the 26 hours before the snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function that an event rule starts."""

    arn: str
    name: str
    region: str
    runtime: str
    timeout_seconds: int
    state: str
    policy: PolicyDocument | Gap | None
    invocations_26h: int | Gap
    """Sum of AWS/Lambda Invocations over the 26 hours before the snapshot."""
    errors_26h: int | Gap
    reserved_concurrency: int | Gap | None = None
    """None: nothing is reserved, and the function shares what the account has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A CloudWatch metric alarm."""

    arn: str
    name: str
    region: str
    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    comparison: str
    threshold: float
    statistic: str
    period_seconds: int
    evaluation_periods: int
    treat_missing_data: str
    actions_enabled: bool
    action_arns: tuple[str, ...]
    state: str
    datapoints_to_alarm: int | None = None
    """How many of the evaluation periods must breach; None: all of them."""
    unit: str = ""
    """Only data of this unit counts; empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A management event of CloudTrail that touched backups."""

    time: datetime
    event: str
    principal: str
    resource: str
    read_only: bool
