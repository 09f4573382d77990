"""SNS subscriptions: those by mail and over HTTP wait until whoever is there confirms them.

https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
"""

from __future__ import annotations

from typing import Any

from moto.sns.models import sns_backends

from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.world import Region

CONFIRMED_BY_HAND = frozenset({"email", "email-json", "http", "https"})
PENDING = "PendingConfirmation"
"""What stands in place of the ARN until then (API_ListSubscriptionsByTopic)."""


def confirm(region: Region, topic_arn: str) -> None:
    """Confirm every subscription of a topic, as the people behind them would."""
    for subscription in _of_topic(region, topic_arn):
        subscription.confirmed = True


def confirm_all(region: Region) -> None:
    """Confirm every subscription of a region."""
    for subscription in sns_backends[region.account][region.name].subscriptions.values():
        subscription.confirmed = True


@operation("sns", "ListSubscriptionsByTopic")
def list_subscriptions(call: Call) -> Reply:
    """moto's page, without the ARNs of what is not confirmed."""
    reply = dict(call.response.list_subscriptions_by_topic().result)
    rows = [
        {
            "SubscriptionArn": PENDING if _pending(subscription) else subscription.arn,
            "Owner": subscription.owner,
            "Protocol": subscription.protocol,
            "Endpoint": subscription.endpoint,
            "TopicArn": subscription.topic_arn,
        }
        for subscription in reply["Subscriptions"]
    ]
    token = reply.get("NextToken")
    return {"Subscriptions": rows, "NextToken": str(token)} if token else {"Subscriptions": rows}


@operation("sns", "GetTopicAttributes")
def get_attributes(call: Call) -> Reply:
    """moto's attributes, with the counts."""
    reply = dict(call.response.get_topic_attributes().result)
    pending = [_pending(subscription) for subscription in _of_topic(call.region, call.params["TopicArn"])]
    counts = {"SubscriptionsPending": sum(pending), "SubscriptionsConfirmed": len(pending) - sum(pending)}
    attributes = {**reply["Attributes"], **counts}
    return {"Attributes": {name: str(value) for name, value in attributes.items()}}


def _of_topic(region: Region, topic_arn: str) -> list[Any]:
    held = sns_backends[region.account][region.name].subscriptions.values()
    return [subscription for subscription in held if subscription.topic_arn == topic_arn]


def _pending(subscription: Any) -> bool:
    return subscription.protocol in CONFIRMED_BY_HAND and not subscription.confirmed
