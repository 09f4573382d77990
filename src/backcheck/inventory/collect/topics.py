"""SNS: two calls for each topic that failures go to, and one for each of its subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.collect.reply import Malformed, Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Subscription, Topic

NONE_THERE = ("NotFound", "NotFoundException")

UNCONFIRMED = frozenset({"PendingConfirmation", "Deleted"})
"""What stands for the ARN of a subscription that nobody has confirmed, or that was removed."""

OF_AWS = frozenset({"firehose", "lambda", "sqs"})
"""Protocols whose endpoint is an ARN, and nobody's address."""


async def topics(calls: Calls, region: str, arns: Iterable[str]) -> tuple[Topic | Gap, ...]:
    """Each topic that exists, in order of its ARN; one that does not exist is not among them."""
    found = await asyncio.gather(*(_topic(calls, region, arn) for arn in sorted(set(arns))))
    return tuple(topic for topic in found if topic is not None)


async def _topic(calls: Calls, region: str, arn: str) -> Topic | Gap | None:
    subscribed, attributes = await asyncio.gather(
        _subscriptions(calls, region, arn),
        calls.maybe(
            "sns",
            "GetTopicAttributes",
            region,
            lambda reply: _parsed(reply.part("Attributes"), arn, region),
            about=arn,
            absent=NONE_THERE,
            TopicArn=arn,
        ),
    )
    if attributes is None or isinstance(attributes, Gap):
        return attributes
    return replace(attributes, subscriptions=subscribed)


async def _subscriptions(calls: Calls, region: str, topic: str) -> tuple[Subscription, ...] | Gap:
    listed = await calls.pages(
        "sns",
        "ListSubscriptionsByTopic",
        region,
        lambda page: tuple(_listed(part) for part in page.parts("Subscriptions")),
        about=topic,
        absent=NONE_THERE,
        TopicArn=topic,
    )
    if isinstance(listed, Gap):
        return listed
    found = await asyncio.gather(*(_filtered(calls, region, one) for one in listed if one.arn not in UNCONFIRMED))
    return tuple(one for one in found if one is not None)


async def _filtered(calls: Calls, region: str, listed: Subscription) -> Subscription | None:
    """With its filter; None where it has gone since it was listed."""
    found = await calls.maybe(
        "sns",
        "GetSubscriptionAttributes",
        region,
        lambda reply: _filter(reply.part("Attributes"), listed),
        about=listed.arn,
        absent=NONE_THERE,
        SubscriptionArn=listed.arn,
    )
    return replace(listed, filter_policy=found) if isinstance(found, Gap) else found


def _listed(reply: Reply) -> Subscription:
    protocol = reply.text("Protocol")
    return Subscription(
        arn=reply.text("SubscriptionArn"),
        protocol=protocol,
        endpoint=(reply.maybe_text("Endpoint") or "") if protocol in OF_AWS else "",
        filter_policy=None,
        filters_body=False,
    )


def _filter(attributes: Reply, listed: Subscription) -> Subscription:
    if attributes.text("SubscriptionArn") != listed.arn:
        raise Malformed(f"the attributes are not of {listed.arn}")
    return replace(
        listed,
        filter_policy=attributes.maybe_text("FilterPolicy") or None,
        filters_body=attributes.maybe_text("FilterPolicyScope") == "MessageBody",
    )


def _parsed(attributes: Reply, arn: str, region: str) -> Topic:
    """What the attributes say; `_topic` fills in the subscriptions."""
    policy = attributes.maybe_text("Policy")
    return Topic(
        arn=arn,
        region=region,
        fifo=attributes.flag_in_text("FifoTopic"),
        key_id=attributes.maybe_text("KmsMasterKeyId") or None,
        policy=parse_document(policy) if policy else None,
        subscriptions=(),
    )
