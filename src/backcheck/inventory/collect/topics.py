"""SNS: two calls for each topic that failures go to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.collect.reply import Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Topic

NONE_THERE = ("NotFound", "NotFoundException")

UNCONFIRMED = frozenset({"PendingConfirmation", "Deleted"})
"""What stands for the ARN of a subscription that nobody has confirmed, or that was removed."""


async def topics(calls: Calls, region: str, arns: Iterable[str]) -> tuple[Topic | Gap, ...]:
    """Each topic that exists, in order of its ARN; one that does not exist is not among them."""
    found = await asyncio.gather(*(_topic(calls, region, arn) for arn in sorted(set(arns))))
    return tuple(topic for topic in found if topic is not None)


async def _topic(calls: Calls, region: str, arn: str) -> Topic | Gap | None:
    confirmed, attributes = await asyncio.gather(
        calls.pages(
            "sns",
            "ListSubscriptionsByTopic",
            region,
            lambda page: tuple(part.text("SubscriptionArn") for part in page.parts("Subscriptions")),
            about=arn,
            absent=NONE_THERE,
            TopicArn=arn,
        ),
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
    count = confirmed if isinstance(confirmed, Gap) else len([one for one in confirmed if one not in UNCONFIRMED])
    return Topic(
        arn=arn,
        region=region,
        fifo=attributes.fifo,
        key_id=attributes.key_id,
        policy=attributes.policy,
        confirmed_subscriptions=count,
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
        confirmed_subscriptions=0,
    )
