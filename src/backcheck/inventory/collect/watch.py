"""What watches over backups in one region: rules, functions, alarms, and the topics that failures go to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from backcheck.cron import same_schedule
from backcheck.inventory.backup import Notifications, Vault
from backcheck.inventory.collect import scope
from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.functions import alarms, functions, with_metrics
from backcheck.inventory.collect.rules import SOURCE, rules
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Topic
from backcheck.inventory.watch import Alarm, EventRule, Function
from backcheck.policy.model import Account, Drill, Policy, Validation


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """As RegionInventory has them."""

    rules: tuple[EventRule, ...] | Gap
    functions: tuple[Function | Gap, ...]
    alarms: tuple[Alarm, ...] | Gap


async def read_watch(calls: Calls, policy: Policy, region: str, now: datetime) -> Watch:
    """Asked for only where the policy says that failures must be heard."""
    if policy.validation is None:
        return Watch(
            rules=calls.not_asked("events", "ListRules", region),
            functions=(),
            alarms=calls.not_asked("cloudwatch", "DescribeAlarms", region),
        )
    alarmed = asyncio.ensure_future(alarms(calls, region))
    found = await rules(calls, region)
    named = await functions(calls, region, _function_names(policy, policy.validation, found))
    known = () if isinstance(found, Gap) else found
    counted, ruled = await with_metrics(calls, region, named, known, now)
    return Watch(rules=found if isinstance(found, Gap) else ruled, functions=counted, alarms=await alarmed)


def _function_names(policy: Policy, validation: Validation, found: tuple[EventRule, ...] | Gap) -> Iterator[str]:
    """The function that the policy names; where it names none, every one that a schedule starts.

    Where the policy drills also those that start when a drill is due, or with news of AWS Backup.
    """
    if validation.function:
        yield validation.function
    for rule in () if isinstance(found, Gap) else found:
        wanted = (rule.schedule and not validation.function) or (policy.drill and _may_drill(rule, policy.drill))
        if wanted and not isinstance(rule.target_arns, Gap):
            yield from (arn for arn in rule.target_arns if _is_another_function(arn, validation.function))


def _may_drill(rule: EventRule, drill: Drill) -> bool:
    return same_schedule(rule.schedule, drill.schedule) if rule.schedule else SOURCE in rule.sources


def _is_another_function(arn: str, name: str | None) -> bool:
    parts = arn.split(":")
    return parts[2:3] == ["lambda"] and parts[6:7] != [name]


def topic_arns(
    calls: Calls,
    policy: Policy,
    account: Account,
    region: str,
    vaults: tuple[Vault, ...] | Gap,
    found: tuple[EventRule, ...] | Gap,
) -> Iterator[str]:
    """The policy's topic where it has a vault, and every topic that notifications or rules send to."""
    if policy.validation is None or policy.validation.alerts is None:
        return
    if scope.vault_names(policy, account, region):
        yield f"arn:{calls.partition(region)}:sns:{region}:{account.id}:{policy.validation.alerts.topic}"
    for vault in () if isinstance(vaults, Gap) else vaults:
        if isinstance(vault.notifications, Notifications):
            yield vault.notifications.topic_arn
    for rule in () if isinstance(found, Gap) else found:
        if not rule.schedule and not isinstance(rule.target_arns, Gap):
            yield from (arn for arn in rule.target_arns if arn.split(":")[2:3] == ["sns"])


async def subscribed_functions(
    calls: Calls, region: str, told: tuple[Topic | Gap, ...], known: tuple[Function | Gap, ...]
) -> tuple[Function | Gap, ...]:
    """The functions of this region that topics deliver to, but for those that are known already. Nobody counts runs."""
    named = {one.resource if isinstance(one, Gap) else one.arn for one in known}
    subscribed = [topic.subscriptions for topic in told if isinstance(topic, Topic)]
    arns = {one.endpoint for each in subscribed if not isinstance(each, Gap) for one in each}
    mine = [arn for arn in arns if arn.startswith(f"arn:{calls.partition(region)}:lambda:{region}:{calls.account}:")]
    found = await functions(calls, region, (arn for arn in mine if arn not in named))
    uncounted = calls.not_asked("cloudwatch", "GetMetricData", region)
    return tuple(
        one if isinstance(one, Gap) else replace(one, invocations_26h=uncounted, errors_26h=uncounted) for one in found
    )
