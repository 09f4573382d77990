from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backcheck.drill.plan import RUN_TAG
from backcheck.drill.settings import Settings, compare, parse
from backcheck.drill.surroundings import Surroundings

DESCRIBED: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "at", "KeyType": "RANGE"}, {"AttributeName": "id", "KeyType": "HASH"}],
    "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "arn:key"},
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-at",
            "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]},
        }
    ],
    "DeletionProtectionEnabled": True,
}
NOTHING = Surroundings(alarms={}, scaling={}, gaps=())
TTL = {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
PITR = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 20}}
SOURCE = parse(DESCRIBED, TTL, PITR, {"team": "shop", "aws:cloudformation:stack-name": "x", RUN_TAG: "run"}, NOTHING)


def test_replies_are_read_whole() -> None:
    assert (
        Settings(
            key=("id:S:HASH", "at:N:RANGE"),
            indexes={"by-at": "global at:N:HASH INCLUDE a b"},
            billing="on demand",
            table_class="STANDARD",
            encryption="KMS",
            key_arn="arn:key",
            ttl="expires",
            stream="NEW_IMAGE",
            tags={"team": "shop"},
            pitr_days=20,
            protected=True,
            around=NOTHING,
        )
        == SOURCE
    )


def test_a_table_without_anything_is_read_too() -> None:
    bare = {"AttributeDefinitions": [], "KeySchema": [], "ProvisionedThroughput": {"ReadCapacityUnits": 5}}
    found = parse(bare, {"TimeToLiveStatus": "DISABLED"}, {}, {}, NOTHING)
    assert (found.billing, found.encryption) == ("5 read and 0 write units", "AWS owned")
    assert (found.ttl, found.stream, found.pitr_days, found.protected) == (None, None, None, False)


def test_the_same_is_equal() -> None:
    found = compare(SOURCE, SOURCE, same_region=True)
    assert (found.verdict, found.different, found.listed) == ("equal", (), ())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"key": ("id:S:HASH",)}, "key schema is ('id:S:HASH',), was ('id:S:HASH', 'at:N:RANGE')"),
        ({"indexes": {}}, "index by-at is missing"),
        ({"indexes": {"by-at": "global at:N:HASH ALL"}}, "index by-at is global at:N:HASH ALL"),
        ({"indexes": {**SOURCE.indexes, "more": "x"}}, "index more is new"),
        ({"billing": "5 read and 5 write units"}, "billing is 5 read"),
        ({"table_class": "STANDARD_INFREQUENT_ACCESS"}, "table class is STANDARD_INFREQUENT_ACCESS"),
        ({"encryption": "AWS owned", "key_arn": None}, "encryption is AWS owned, was KMS"),
        ({"key_arn": "arn:other"}, "another key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_restore_promises_must_be_the_same(changes: dict[str, Any], says: str) -> None:
    found = compare(SOURCE, replace(SOURCE, **changes), same_region=True)
    assert found.verdict == "different"
    assert says in found.different[0]


@pytest.mark.parametrize(
    ("changes", "name", "command"),
    [
        ({"pitr_days": None}, "PITR", "RecoveryPeriodInDays=20"),
        ({"ttl": None}, "TTL", "Enabled=true,AttributeName=expires"),
        ({"stream": None}, "stream", "StreamViewType=NEW_IMAGE"),
        ({"protected": False}, "deletion protection", "--deletion-protection-enabled"),
        ({"tags": {}}, "tags", '[{"Key": "team", "Value": "shop"}]'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_aws_leaves_out_is_listed_with_the_command_that_sets_it(
    changes: dict[str, Any], name: str, command: str
) -> None:
    found = compare(SOURCE, replace(SOURCE, **changes), same_region=True)
    assert (found.verdict, found.listed) == ("listed", (name,))
    assert command in found.runbook[0]
    assert "Kinesis destinations" in found.runbook[-1]


def test_in_another_region_another_key_is_only_noted() -> None:
    found = compare(SOURCE, replace(SOURCE, key_arn="arn:dr"), same_region=False)
    assert (found.verdict, found.notes) == ("equal", ("encrypted by arn:dr",))
