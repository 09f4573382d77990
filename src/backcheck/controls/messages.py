"""What is in the messages that tell of failures, and whether a subscription's filter lets them through.

An event is delivered whole (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html); AWS
Backup's own notifications are a text with attributes
(https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-notifications.html). No page lists what CloudWatch
sends: the names are those of AWS's own library (github.com/aws/aws-lambda-go, events/sns.go), and there may be others.
Nor does one say whether EventBridge or CloudWatch add attributes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from backcheck.controls.conditions import all_of, any_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """An object of a message, as far as it is known."""

    known: Mapping[str, str | Fields | None]
    """None: it is there, and its value is not known."""
    whole: bool
    """There are no others."""


ANYTHING: Final = Fields(known={}, whole=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is published."""

    name: str
    body: Fields
    attributes: Fields


def event(detail_type: str, field: str, state: str, account: str, region: str) -> Message:
    """An event of AWS Backup, as EventBridge delivers it to a topic."""
    detail = Fields(known={field: state}, whole=False)
    known: dict[str, str | Fields | None] = dict.fromkeys(("version", "id", "time", "resources"))
    known |= {"source": "aws.backup", "detail-type": detail_type, "account": account, "region": region}
    return Message(name=state, body=Fields(known={**known, "detail": detail}, whole=True), attributes=ANYTHING)


def notification(kind: str, state: str, account: str) -> Message:
    """A vault's notification, whose EventType is a `kind` such as BACKUP_JOB; its body is a text, and left open."""
    known: dict[str, str | Fields | None] = {"Id": None, "StartTime": None}
    known |= {"EventType": kind, "State": state, "AccountId": account}
    return Message(name=state, body=ANYTHING, attributes=Fields(known=known, whole=False))


def alarm(name: str, arn: str, account: str, metric: str) -> Message:
    """A CloudWatch alarm that goes off."""
    known: dict[str, str | Fields | None] = {"AlarmName": name, "AlarmArn": arn, "AWSAccountId": account}
    trigger = Fields(known={"MetricName": metric, "Namespace": "AWS/Lambda"}, whole=False)
    body = Fields(known={**known, "NewStateValue": "ALARM", "Trigger": trigger}, whole=False)
    return Message(name=name, body=body, attributes=ANYTHING)


class Absent(Enum):
    """What stands for a name that a message does not have."""

    ABSENT = "absent"


Found = str | Fields | Absent | None
"""What a message has under a name; None: not known."""

NOTHING: Final = Fields(known={}, whole=True)

RESERVED = frozenset({
    "anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard",
})  # fmt: skip
"""Names that make `$or` an ordinary name."""


def lets_through(policy: str, by_body: bool, message: Message) -> bool | None:
    """Whether a filter policy accepts a message; None where that is not known.

    Every name must match, by one of its values
    (https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html).
    """
    try:
        wanted = json.loads(policy)
    except ValueError:
        return None
    return _object(wanted, message.body if by_body else message.attributes) if isinstance(wanted, dict) else None


def _object(wanted: Mapping[str, object], fields: Fields) -> bool | None:
    return all_of(
        _either(value, fields) if key == "$or" else _name(value, _under(key, fields)) for key, value in wanted.items()
    )


def _either(value: object, fields: Fields) -> bool | None:
    """`$or` of two objects or more (https://docs.aws.amazon.com/sns/latest/dg/and-or-logic.html); else left open."""
    if not isinstance(value, list) or len(value) <= 1:
        return None
    if not all(isinstance(one, dict) and not RESERVED & one.keys() for one in value):
        return None
    return any_of(_object(one, fields) for one in value)


def _under(key: str, fields: Fields) -> Found:
    return fields.known.get(key, Absent.ABSENT if fields.whole else None)


def _name(wanted: object, found: Found) -> bool | None:
    if isinstance(wanted, list):
        return None if isinstance(found, Fields) else any_of(_value(one, found) for one in wanted)
    if not isinstance(wanted, dict) or found is None:
        return None
    if isinstance(found, str):
        return False
    return _object(wanted, found if isinstance(found, Fields) else NOTHING)


def _value(wanted: object, found: str | Absent | None) -> bool | None:
    """One of a name's values, against what a message has there."""
    if isinstance(wanted, dict):
        return _operator(wanted, found)
    return None if found is None else found == wanted


def _operator(wanted: Mapping[str, object], found: str | Absent | None) -> bool | None:
    """By https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html and .../attribute-key-matching.html."""
    if len(wanted) != 1:
        return None
    [(name, value)] = wanted.items()
    if found is None or name not in RESERVED:
        return None
    if name == "exists":
        return (found is not Absent.ABSENT) is value if isinstance(value, bool) else None
    if isinstance(found, Absent):
        return False
    if name == "anything-but":
        matched = any_of(_value(one, found) for one in (value if isinstance(value, list) else [value]))
        return None if matched is None else not matched
    compare = BY_NAME.get(name)
    return compare(found, value) if compare is not None and isinstance(value, str) else None


BY_NAME: Mapping[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda found, value: found.lower() == value.lower(),
    "wildcard": lambda found, value: re.fullmatch(".*".join(map(re.escape, value.split("*"))), found) is not None,
}
"""`numeric` and `cidr` compare what no message of ours is known to have: they leave it open."""
