"""DynamoDB as an audit sees it, and scans that say what moto's say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from backcheck.sandbox import Sandbox
from backcheck.sandbox.numbers import canonical
from backcheck.sandbox.refusal import Refusal

from .conftest import START, Bench


class TestPointInTimeRecovery:
    def set(self, bench: Bench, enabled: bool, days: int | None = None) -> dict[str, Any]:
        specification: dict[str, Any] = {"PointInTimeRecoveryEnabled": enabled}
        if days is not None:
            specification["RecoveryPeriodInDays"] = days
        bench.dynamodb.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=specification)
        return self.get(bench)

    def get(self, bench: Bench) -> dict[str, Any]:
        reply = bench.dynamodb.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
        assert reply["ContinuousBackupsStatus"] == "ENABLED"
        found: dict[str, Any] = reply["PointInTimeRecoveryDescription"]
        return found

    def test_it_is_off_at_first(self, bench: Bench) -> None:
        bench.table()
        assert self.get(bench) == {"PointInTimeRecoveryStatus": "DISABLED"}

    def test_the_window_moves_with_the_clock(self, bench: Bench) -> None:
        bench.table()
        assert self.set(bench, True)["RecoveryPeriodInDays"] == 35
        bench.advance(days=10)
        assert self.get(bench)["EarliestRestorableDateTime"] == START
        assert self.get(bench)["LatestRestorableDateTime"] == START + timedelta(days=10, minutes=-5)
        bench.advance(days=30)
        assert self.get(bench)["EarliestRestorableDateTime"] == START + timedelta(days=5)

    def test_turning_it_off_and_on_starts_anew(self, bench: Bench) -> None:
        bench.table()
        self.set(bench, True)
        bench.advance(days=20)
        self.set(bench, False)
        assert self.set(bench, True)["EarliestRestorableDateTime"] == START + timedelta(days=20)

    def test_enabling_again_changes_nothing(self, bench: Bench) -> None:
        bench.table()
        self.set(bench, True, 10)
        bench.advance(days=5)
        again = self.set(bench, True)
        assert (again["EarliestRestorableDateTime"], again["RecoveryPeriodInDays"]) == (START, 10)

    def test_a_shorter_period_drops_history_and_a_longer_one_does_not_bring_it_back(self, bench: Bench) -> None:
        bench.table()
        self.set(bench, True, 35)
        bench.advance(days=30)
        assert self.set(bench, True, 7)["EarliestRestorableDateTime"] == START + timedelta(days=23)
        assert self.set(bench, True, 35)["EarliestRestorableDateTime"] == START + timedelta(days=23)
        bench.advance(days=10)
        assert self.get(bench)["EarliestRestorableDateTime"] == START + timedelta(days=23)

    @pytest.mark.parametrize("days", [36, 99])
    def test_the_period_is_bounded(self, bench: Bench, days: int) -> None:
        bench.table()
        with pytest.raises(ClientError, match="ValidationException"):
            self.set(bench, True, days)

    def test_a_lag_on_request(self, bench: Bench) -> None:
        bench.table()
        self.set(bench, True)
        bench.sandbox.faults.pitr_lag = timedelta(hours=1)
        bench.advance(days=1)
        assert self.get(bench)["LatestRestorableDateTime"] == START + timedelta(days=1, minutes=-65)

    def test_a_table_that_is_not_there(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match="TableNotFoundException"):
            bench.dynamodb.describe_continuous_backups(TableName="orders")

    def test_a_table_made_again_begins_without(self, bench: Bench) -> None:
        bench.table()
        self.set(bench, True)
        bench.dynamodb.delete_table(TableName="orders")
        bench.table()
        assert self.get(bench)["PointInTimeRecoveryStatus"] == "DISABLED"


class TestDescribeTable:
    def test_counts_lag_six_hours(self, bench: Bench) -> None:
        bench.table(items=3)
        assert bench.dynamodb.describe_table(TableName="orders")["Table"]["ItemCount"] == 0
        bench.advance(hours=6)
        bench.dynamodb.put_item(TableName="orders", Item={"id": {"S": "x"}})
        table = bench.dynamodb.describe_table(TableName="orders")["Table"]
        assert (table["ItemCount"], table["TableSizeBytes"] > 0) == (4, True)
        bench.dynamodb.put_item(TableName="orders", Item={"id": {"S": "y"}})
        assert bench.dynamodb.describe_table(TableName="orders")["Table"]["ItemCount"] == 4

    def test_times_are_the_sandboxs(self, bench: Bench) -> None:
        bench.advance(days=3)
        bench.table()
        table = bench.dynamodb.describe_table(TableName="orders")["Table"]
        assert table["CreationDateTime"] == START + timedelta(days=3)
        role = bench.sandbox.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]
        assert role["CreateDate"] == START + timedelta(days=3)

    def test_deletion_protection(self, bench: Bench) -> None:
        bench.table()
        bench.dynamodb.update_table(TableName="orders", DeletionProtectionEnabled=True)
        assert bench.dynamodb.describe_table(TableName="orders")["Table"]["DeletionProtectionEnabled"] is True
        with pytest.raises(ClientError, match="ValidationException"):
            bench.dynamodb.delete_table(TableName="orders")

    def test_ttl_and_tags(self, bench: Bench) -> None:
        arn = bench.table(team="shop")
        specification = {"Enabled": True, "AttributeName": "until"}
        bench.dynamodb.update_time_to_live(TableName="orders", TimeToLiveSpecification=specification)
        ttl = bench.dynamodb.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "until")
        assert bench.dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "shop"}]

    def test_a_table_that_is_not_there(self, bench: Bench) -> None:
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            bench.dynamodb.describe_table(TableName="missing")


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("1.50", "1.5"),
        ("-0", "0"),
        ("1E+2", "100"),
        ("007", "7"),
        (" 3 ", "3"),
        ("9" * 38, "9" * 38),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("100", "100"),
    ],
)
def test_numbers_are_normalised(given_: str, kept: str) -> None:
    assert canonical(given_) == kept


@pytest.mark.parametrize("number", ["9" * 39, "1e126", "1e-131", "x", "NaN", "Infinity", ""])
def test_numbers_are_bounded(number: str) -> None:
    with pytest.raises(Refusal, match="ValidationException"):
        canonical(number)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**20), max_value=10**20))
def test_a_number_is_normal_once(number: Any) -> None:
    once = canonical(str(number))
    assert canonical(once) == once
    assert float(once) == float(number)


class TestValues:
    @pytest.mark.parametrize(
        "value",
        [
            {"SS": ["a", "a"]},
            {"NS": ["1", "1.0"]},
            {"N": "1e126"},
            {"L": [{"N": "9" * 39}]},
            {"M": {"x": {"NS": ["1", "1"]}}},
        ],
    )
    def test_what_is_refused_wherever_it_is_written(self, bench: Bench, value: dict[str, Any]) -> None:
        bench.table(items=0)
        item = {"id": {"S": "x"}, "v": value}
        writes: tuple[Callable[[], Any], ...] = (
            lambda: bench.dynamodb.put_item(TableName="orders", Item=item),
            lambda: bench.dynamodb.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": item}}]}),
            lambda: bench.dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": "orders", "Item": item}}]),
            lambda: bench.dynamodb.update_item(
                TableName="orders",
                Key={"id": {"S": "x"}},
                UpdateExpression="SET v = :v",
                ExpressionAttributeValues={":v": value},
            ),
        )
        for write in writes:
            with pytest.raises(ClientError, match="ValidationException"):
                write()
        assert bench.dynamodb.scan(TableName="orders")["Items"] == []

    def test_numbers_come_back_normalised(self, bench: Bench) -> None:
        bench.table(items=0)
        item = {"id": {"S": "x"}, "n": {"N": "1.50"}, "m": {"M": {"N": {"N": "007"}}}, "s": {"NS": ["1E+2", "-0"]}}
        bench.dynamodb.put_item(TableName="orders", Item=item)
        kept = bench.dynamodb.get_item(TableName="orders", Key={"id": {"S": "x"}})["Item"]
        assert (kept["n"], kept["m"]) == ({"N": "1.5"}, {"M": {"N": {"N": "7"}}})
        assert sorted(kept["s"]["NS"]) == ["0", "100"]

    @pytest.mark.parametrize(
        ("before", "expression", "by", "after"),
        [("1.5", "SET n = n + :v", "0.5", "2"), ("1E+2", "SET n = n - :v", "1", "99"), ("1", "ADD n :v", "-1", "0")],
    )
    def test_sums_are_normalised(self, bench: Bench, before: str, expression: str, by: str, after: str) -> None:
        bench.table(items=0)
        key = {"id": {"S": "x"}}
        bench.dynamodb.put_item(TableName="orders", Item={**key, "n": {"N": before}})
        values = {":v": {"N": by}}
        reply = bench.dynamodb.update_item(
            TableName="orders",
            Key=key,
            UpdateExpression=expression,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
        assert reply["Attributes"]["n"] == {"N": after}
        assert bench.dynamodb.get_item(TableName="orders", Key=key)["Item"]["n"] == {"N": after}

    def test_a_sum_that_does_not_fit_is_refused(self, bench: Bench) -> None:
        bench.table(items=0)
        key = {"id": {"S": "x"}}
        bench.dynamodb.put_item(TableName="orders", Item={**key, "n": {"N": "9" * 38}})
        with pytest.raises(ClientError, match="ValidationException"):
            bench.dynamodb.update_item(
                TableName="orders",
                Key=key,
                UpdateExpression="SET n = n + :v",
                ExpressionAttributeValues={":v": {"N": "0.5"}},
            )
        assert bench.dynamodb.get_item(TableName="orders", Key=key)["Item"]["n"] == {"N": "9" * 38}

    def test_an_attribute_may_be_called_like_a_type(self, bench: Bench) -> None:
        bench.table(items=0)
        item = {"id": {"S": "x"}, "N": {"S": "not a number"}, "SS": {"L": [{"S": "a"}, {"S": "a"}]}}
        bench.dynamodb.put_item(TableName="orders", Item=item)
        assert bench.dynamodb.get_item(TableName="orders", Key={"id": {"S": "x"}})["Item"] == item


EVERY_TYPE = {
    "id": {"S": "every"},
    "n": {"N": "1.5"},
    "b": {"B": b"\x00\xff"},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": [b"\x01", b"\x02"]},
    "m": {"M": {"deep": {"L": [{"M": {"b": {"B": b"\x03"}}}, {"NULL": True}]}, "empty": {"M": {}}}},
    "l": {"L": [{"S": ""}, {"BOOL": False}, {"L": []}]},
    "e": {"S": ""},
    "eb": {"B": b""},
    "t": {"BOOL": True},
    "z": {"NULL": True},
}


def every_reply(dynamodb: Any) -> list[Any]:
    dynamodb.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="items", Item=EVERY_TYPE)
    for number in range(20):
        dynamodb.put_item(TableName="items", Item={"id": {"S": f"{number:03d}"}, "n": {"N": str(number)}})
    key = {"id": {"S": "every"}}
    replies = [
        dynamodb.get_item(TableName="items", Key=key),
        dynamodb.batch_get_item(RequestItems={"items": {"Keys": [key]}}),
        dynamodb.query(
            TableName="items", KeyConditionExpression="id = :i", ExpressionAttributeValues={":i": {"S": "every"}}
        ),
        dynamodb.scan(TableName="items"),
        dynamodb.scan(TableName="items", Limit=7),
        dynamodb.scan(TableName="items", Limit=7, ExclusiveStartKey={"id": {"S": "006"}}),
        dynamodb.scan(TableName="items", ExclusiveStartKey={"id": {"S": "005x"}}),
        dynamodb.scan(TableName="items", Segment=1, TotalSegments=4),
        dynamodb.scan(TableName="items", Select="COUNT"),
        dynamodb.scan(TableName="items", ProjectionExpression="n"),
        dynamodb.scan(TableName="items", FilterExpression="n > :n", ExpressionAttributeValues={":n": {"N": "15"}}),
        dynamodb.update_item(
            TableName="items",
            Key=key,
            UpdateExpression="SET n = n + :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="ALL_NEW",
        ),
        dynamodb.delete_item(TableName="items", Key=key, ReturnValues="ALL_OLD"),
        dynamodb.scan(TableName="items", Limit=3, ReturnConsumedCapacity="TOTAL"),
    ]
    for reply in replies:
        del reply["ResponseMetadata"]
    return replies


def test_replies_with_items_are_stock_motos(sandbox: Sandbox) -> None:
    ours = every_reply(sandbox.client("dynamodb"))
    sandbox.close()
    with mock_aws():
        stock = every_reply(boto3.client("dynamodb", region_name="us-east-1"))
    for mine, theirs in zip(ours, stock, strict=True):
        assert mine == theirs


def test_scans_are_cut_at_a_megabyte_and_complete(bench: Bench) -> None:
    bench.table("big", items=0)
    for number in range(30):
        bench.dynamodb.put_item(TableName="big", Item={"id": {"S": f"{number:02d}"}, "v": {"S": "x" * 100_000}})
    pages = list(bench.dynamodb.get_paginator("scan").paginate(TableName="big"))
    assert [page["Count"] for page in pages] == [10, 10, 10]
    assert sorted(item["id"]["S"] for page in pages for item in page["Items"]) == [f"{n:02d}" for n in range(30)]


def test_a_scan_sees_every_kind_of_write(bench: Bench) -> None:
    bench.table(items=1)

    def seen() -> list[str]:
        return sorted(item["id"]["S"] for item in bench.dynamodb.scan(TableName="orders")["Items"])

    assert seen() == ["00000"]
    bench.dynamodb.put_item(TableName="orders", Item={"id": {"S": "put"}})
    assert "put" in seen()
    bench.dynamodb.execute_statement(Statement="INSERT INTO orders VALUE {'id': 'sql'}")
    assert "sql" in seen()
    bench.dynamodb.delete_item(TableName="orders", Key={"id": {"S": "put"}})
    assert "put" not in seen()


def test_segments_are_disjoint_and_complete(bench: Bench) -> None:
    bench.table(items=40)
    parts = [
        {item["id"]["S"] for item in bench.dynamodb.scan(TableName="orders", Segment=n, TotalSegments=7)["Items"]}
        for n in range(7)
    ]
    assert sum(map(len, parts)) == 40
    assert len(set().union(*parts)) == 40
