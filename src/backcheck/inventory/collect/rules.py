"""EventBridge: the rules that could carry news of backups or run a check on a schedule, and their targets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import orjson

from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.reply import Malformed, Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.watch import EventRule

SOURCE = "aws.backup"

JUDGED = frozenset({"source", "detail-type", "detail"})

DETAILS = frozenset({"state", "status"})
"""Backup and copy events say `state`, restore events `status` (backup developer guide, EventBridge)."""


async def rules(calls: Calls, region: str) -> tuple[EventRule, ...] | Gap:
    """Rules of the default bus that run on a schedule, or whose pattern lets events of AWS Backup through."""
    listed = await calls.pages(
        "events",
        "ListRules",
        region,
        lambda page: tuple(_rule(part, region) for part in page.parts("Rules")),
    )
    if isinstance(listed, Gap):
        return listed
    ours = [rule for rule in listed if rule.schedule or not rule.sources or SOURCE in rule.sources]
    return tuple(await asyncio.gather(*(_with_targets(calls, region, rule) for rule in ours)))


async def _with_targets(calls: Calls, region: str, rule: EventRule) -> EventRule:
    targets = await calls.pages(
        "events",
        "ListTargetsByRule",
        region,
        lambda page: tuple(_target(part) for part in page.parts("Targets")),
        about=rule.name,
        Rule=rule.name,
    )
    if isinstance(targets, Gap):
        return replace(rule, target_arns=targets)
    roles = [role for arn, role, _ in targets if role and arn.split(":")[2:3] in (["lambda"], ["sns"])]
    return replace(
        rule,
        target_arns=tuple(arn for arn, _, _ in targets),
        role_arns=(*rule.role_arns, *roles),
        altered_arns=tuple(arn for arn, _, altered in targets if altered),
    )


def _target(reply: Reply) -> tuple[str, str, bool]:
    """ARN, role, and whether it gets another text than the event."""
    other = reply.maybe_text("Input") or reply.maybe_text("InputPath") or reply.maybe_part("InputTransformer")
    return reply.text("Arn"), reply.maybe_text("RoleArn") or "", other is not None


def _rule(reply: Reply, region: str) -> EventRule:
    """What the list says; `_with_targets` fills in the targets."""
    pattern = _pattern(reply.maybe_text("EventPattern"))
    detail = pattern.get("detail")
    states = _names(detail.get("state")) if isinstance(detail, Mapping) else ()
    statuses = _names(detail.get("status")) if isinstance(detail, Mapping) else ()
    return EventRule(
        arn=reply.text("Arn"),
        name=reply.text("Name"),
        region=region,
        enabled=reply.text("State").startswith("ENABLED"),
        schedule=reply.maybe_text("ScheduleExpression") or None,
        sources=_names(pattern.get("source")) or (),
        detail_types=_names(pattern.get("detail-type")) or (),
        states=states or (),
        statuses=statuses or (),
        other_filters=_filters_more(pattern),
        target_arns=(),
        role_arns=tuple(role for role in [reply.maybe_text("RoleArn")] if role),
    )


def _pattern(text: str | None) -> Mapping[str, object]:
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"an event pattern is not JSON: {error}") from error
    if not isinstance(found, Mapping):
        raise Malformed("an event pattern is not an object")
    return found


def _names(value: object) -> tuple[str, ...] | None:
    """A list of exact strings; None for anything else, such as a prefix filter."""
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return None


def _filters_more(pattern: Mapping[str, object]) -> bool:
    """Whether the pattern asks for more than exact sources, detail types, states and statuses."""
    if pattern.keys() - JUDGED:
        return True
    if any(_names(pattern.get(key)) is None for key in ("source", "detail-type")):
        return True
    detail = pattern.get("detail")
    if detail is None:
        return False
    if not isinstance(detail, Mapping) or detail.keys() - DETAILS:
        return True
    return any(_names(detail.get(key)) is None for key in DETAILS)
