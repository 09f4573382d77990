"""Lambda and CloudWatch: the functions that rules start, whether they ran, and the alarms that watch them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.collect.reply import Malformed, Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.watch import Alarm, EventRule, Function

NONE_THERE = ("ResourceNotFoundException",)

WATCHED_HOURS = 26
"""A day and two hours: a daily check must show up in it."""

QUERIES_AT_MOST = 500
"""GetMetricData's own limit for one request."""

Metric = tuple[str, str, str, str]
"""Namespace, metric, dimension's name and value."""


async def functions(calls: Calls, region: str, names: Iterable[str]) -> tuple[Function | Gap, ...]:
    """Each function by name or ARN, in order of name; one that does not exist is not among them."""
    found = await asyncio.gather(*(_function(calls, region, name) for name in sorted(set(names))))
    return tuple(function for function in found if function is not None)


async def with_metrics(
    calls: Calls, region: str, found: tuple[Function | Gap, ...], rules: tuple[EventRule, ...], now: datetime
) -> tuple[tuple[Function | Gap, ...], tuple[EventRule, ...]]:
    """The functions with their runs and errors, the rules with their failed invocations: one request for all."""
    named = [function for function in found if isinstance(function, Function)]
    wanted: list[Metric] = [("AWS/Lambda", m, "FunctionName", f.name) for f in named for m in ("Invocations", "Errors")]
    wanted += [("AWS/Events", "FailedInvocations", "RuleName", rule.name) for rule in rules if rule.schedule]
    sums = await _sums(calls, region, wanted, now)

    def of(metric: Metric) -> int | Gap:
        return sums if isinstance(sums, Gap) else sums.get(metric, 0)

    counted = (
        function
        if isinstance(function, Gap)
        else replace(
            function,
            invocations_26h=of(("AWS/Lambda", "Invocations", "FunctionName", function.name)),
            errors_26h=of(("AWS/Lambda", "Errors", "FunctionName", function.name)),
        )
        for function in found
    )
    failed = (
        replace(rule, failed_invocations_26h=of(("AWS/Events", "FailedInvocations", "RuleName", rule.name)))
        if rule.schedule
        else rule
        for rule in rules
    )
    return tuple(counted), tuple(failed)


async def alarms(calls: Calls, region: str) -> tuple[Alarm, ...] | Gap:
    """Every metric alarm of the region."""
    return await calls.pages(
        "cloudwatch",
        "DescribeAlarms",
        region,
        lambda page: tuple(_alarm(part, region) for part in page.parts("MetricAlarms")),
        AlarmTypes=["MetricAlarm"],
    )


async def _function(calls: Calls, region: str, name: str) -> Function | Gap | None:
    found, policy, reserved = await asyncio.gather(
        calls.maybe(
            "lambda",
            "GetFunctionConfiguration",
            region,
            lambda reply: _parsed(reply, region, name),
            about=name,
            absent=NONE_THERE,
            FunctionName=name,
        ),
        calls.maybe(
            "lambda",
            "GetPolicy",
            region,
            lambda reply: parse_document(reply.text("Policy")),
            about=name,
            absent=NONE_THERE,
            FunctionName=name,
        ),
        calls.maybe(
            "lambda",
            "GetFunctionConcurrency",
            region,
            lambda reply: reply.maybe_number("ReservedConcurrentExecutions"),
            about=name,
            absent=NONE_THERE,
            FunctionName=_unqualified(name),
        ),
    )
    if found is None or isinstance(found, Gap):
        return found
    return replace(found, policy=policy, reserved_concurrency=reserved)


def _unqualified(name_or_arn: str) -> str:
    """Without version or alias: concurrency is the function's as a whole (API_GetFunctionConcurrency)."""
    return ":".join(name_or_arn.split(":")[:7])


def _parsed(reply: Reply, region: str, asked: str) -> Function:
    """What the configuration says; `_function` fills in policy and concurrency, `with_metrics` the counts.

    A version or an alias that was asked for by its ARN stays one: policies are each one's own
    (https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html).
    """
    arn = reply.text("FunctionArn")
    return Function(
        arn=asked if asked.startswith(f"{arn}:") else arn,
        name=reply.text("FunctionName"),
        region=region,
        runtime=reply.maybe_text("Runtime") or "",
        timeout_seconds=reply.number("Timeout"),
        state=reply.maybe_text("State") or "",
        policy=None,
        invocations_26h=0,
        errors_26h=0,
    )


async def _sums(calls: Calls, region: str, wanted: list[Metric], now: datetime) -> dict[Metric, int] | Gap:
    found: dict[Metric, int] = {}
    for start in range(0, len(wanted), QUERIES_AT_MOST):
        part = wanted[start : start + QUERIES_AT_MOST]
        pairs = await _sums_of(calls, region, part, now)
        if isinstance(pairs, Gap):
            return pairs
        for index, value in pairs:
            found[part[index]] = found.get(part[index], 0) + value
    return found


async def _sums_of(calls: Calls, region: str, wanted: list[Metric], now: datetime) -> tuple[tuple[int, int], ...] | Gap:
    """(position in `wanted`, sum) for each result."""
    return await calls.pages(
        "cloudwatch",
        "GetMetricData",
        region,
        lambda page: tuple(_sum(part) for part in page.parts("MetricDataResults")),
        MetricDataQueries=[_query(index, metric) for index, metric in enumerate(wanted)],
        StartTime=now - timedelta(hours=WATCHED_HOURS),
        EndTime=now,
    )


def _query(index: int, metric: Metric) -> Mapping[str, Any]:
    namespace, name, dimension, value = metric
    return {
        "Id": f"m{index}",
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": dimension, "Value": value}]},
            "Period": 3600,
            "Stat": "Sum",
        },
    }


def _sum(reply: Reply) -> tuple[int, int]:
    status = reply.maybe_text("StatusCode") or "Complete"
    if status not in ("Complete", "PartialData"):  # the rest of partial data is on the next pages
        raise Malformed(f"metric data is {status}")
    return int(reply.text("Id").removeprefix("m")), round(sum(reply.decimals("Values")))


def _alarm(reply: Reply, region: str) -> Alarm:
    """An alarm on a metric; one on an expression has no metric of its own, and watches nothing that we know."""
    metric = reply.maybe_text("MetricName") or ""
    return Alarm(
        arn=reply.text("AlarmArn"),
        name=reply.text("AlarmName"),
        region=region,
        namespace=reply.maybe_text("Namespace") or "",
        metric=metric,
        dimensions=tuple((part.text("Name"), part.text("Value")) for part in reply.optional_parts("Dimensions")),
        comparison=reply.maybe_text("ComparisonOperator") or "",
        threshold=reply.decimal("Threshold") if metric else 0.0,
        statistic=reply.maybe_text("Statistic") or reply.maybe_text("ExtendedStatistic") or "",
        period_seconds=reply.maybe_number("Period") or 0,
        evaluation_periods=reply.maybe_number("EvaluationPeriods") or 0,
        datapoints_to_alarm=reply.maybe_number("DatapointsToAlarm"),
        unit=reply.maybe_text("Unit") or "",
        treat_missing_data=reply.maybe_text("TreatMissingData") or "missing",
        actions_enabled=reply.maybe_flag("ActionsEnabled") is not False,
        action_arns=reply.optional_texts("AlarmActions"),
        state=reply.maybe_text("StateValue") or "",
    )
