"""What a subscription's filter lets through of the messages that tell of failures."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.controls.messages import Message, alarm, event, lets_through, notification

FAILED = event("Backup Job State Change", "state", "FAILED", "123456789012", "us-east-1")
RESTORE = event("Restore Job State Change", "status", "ABORTED", "123456789012", "us-east-1")
NOTIFIED = notification("BACKUP_JOB", "EXPIRED", "123456789012")
ALARM = alarm("validator", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:validator", "123456789012", "Errors")


@pytest.mark.parametrize(
    ("policy", "message", "expected"),
    [
        ({}, FAILED, True),
        ({"source": ["aws.backup"]}, FAILED, True),
        ({"source": ["aws.ec2"]}, FAILED, False),
        ({"source": ["aws.ec2", "aws.backup"]}, FAILED, True),
        ({"source": ["aws.backup"], "region": ["eu-west-1"]}, FAILED, False),
        ({"severity": ["high"]}, FAILED, False),
        ({"severity": [{"exists": False}]}, FAILED, True),
        ({"severity": [{"exists": True}]}, FAILED, False),
        ({"source": [{"exists": True}]}, FAILED, True),
        ({"resources": ["arn:x"]}, FAILED, None),
        ({"detail": {"state": ["FAILED", "EXPIRED"]}}, FAILED, True),
        ({"detail": {"state": ["COMPLETED"]}}, FAILED, False),
        ({"detail": {"status": ["ABORTED"]}}, RESTORE, True),
        ({"detail": {"resourceType": ["EBS"]}}, FAILED, None),
        ({"detail": {"resourceType": ["EBS"], "state": ["COMPLETED"]}}, FAILED, False),
        ({"detail": ["FAILED"]}, FAILED, None),
        ({"source": {"name": ["aws.backup"]}}, FAILED, False),
        ({"custom": {"part": ["x"]}}, FAILED, False),
        ({"custom": {"part": [{"exists": False}]}}, FAILED, True),
        ({"detail-type": [{"prefix": "Backup Job"}]}, FAILED, True),
        ({"detail-type": [{"suffix": "Change"}]}, FAILED, True),
        ({"detail-type": [{"wildcard": "*Job*"}]}, FAILED, True),
        ({"detail-type": [{"wildcard": "Copy*"}]}, FAILED, False),
        ({"source": [{"equals-ignore-case": "AWS.Backup"}]}, FAILED, True),
        ({"source": [{"anything-but": ["aws.ec2"]}]}, FAILED, True),
        ({"source": [{"anything-but": "aws.backup"}]}, FAILED, False),
        ({"source": [{"anything-but": {"prefix": "aws."}}]}, FAILED, False),
        ({"severity": [{"anything-but": ["low"]}]}, FAILED, False),
        ({"account": [{"numeric": [">", 1]}]}, FAILED, None),
        ({"source": [{"cidr": "10.0.0.0/8"}]}, FAILED, None),
        ({"source": [{"new-operator": "x"}]}, FAILED, None),
        ({"account": [123456789012]}, FAILED, False),
        ({"$or": [{"source": ["aws.ec2"]}, {"region": ["us-east-1"]}]}, FAILED, True),
        ({"$or": [{"source": ["aws.ec2"]}, {"region": ["eu-west-1"]}]}, FAILED, False),
        ({"$or": [{"source": ["aws.ec2"]}]}, FAILED, None),
        ({"$or": [{"prefix": "a"}, {"numeric": 1}]}, FAILED, None),
        ({"NewStateValue": ["ALARM"]}, ALARM, True),
        ({"NewStateValue": ["OK"]}, ALARM, False),
        ({"AlarmName": [{"prefix": "valid"}], "Trigger": {"MetricName": ["Errors"]}}, ALARM, True),
        ({"detail": {"state": ["FAILED"]}}, ALARM, None),
        ({"State": ["FAILED"]}, NOTIFIED, None),
    ],
)
def test_a_filter_on_the_body(policy: object, message: Message, expected: bool | None) -> None:
    assert lets_through(json.dumps(policy), True, message) is expected


@pytest.mark.parametrize(
    ("policy", "message", "expected"),
    [
        ({"State": ["FAILED", "EXPIRED"]}, NOTIFIED, True),
        ({"State": ["FAILED"]}, NOTIFIED, False),
        ({"State": [{"anything-but": "COMPLETED"}], "EventType": ["BACKUP_JOB"]}, NOTIFIED, True),
        ({"Id": ["x"]}, NOTIFIED, None),
        ({"State": ["FAILED"]}, FAILED, None),
        ({"severity": [{"exists": False}]}, ALARM, None),
    ],
)
def test_a_filter_on_the_attributes(policy: object, message: Message, expected: bool | None) -> None:
    assert lets_through(json.dumps(policy), False, message) is expected


@pytest.mark.parametrize("policy", ["", "no JSON", "[]", '"text"'])
def test_what_is_no_filter_policy_is_left_open(policy: str) -> None:
    assert lets_through(policy, True, FAILED) is None


names = st.sampled_from(["exists", "prefix", "anything-but", "$or", "source", "detail"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["source", "detail", "severity", "$or"]), values, max_size=3), st.booleans())
def test_whatever_a_policy_says_is_answered(policy: object, by_body: bool) -> None:
    assert lets_through(json.dumps(policy), by_body, FAILED) in (True, False, None)
