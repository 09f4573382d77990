"""RestoreTableToPointInTime: the state at T, and what AWS refuses, takes over and drops."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import DR, START, Bench

Items = dict[str, dict[str, Any]]


def recovered(bench: Bench, name: str = "orders", *, days: int = 35) -> None:
    specification = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": days}
    bench.dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)


def restore(bench: Bench, target: str, at: datetime | None = None, **arguments: Any) -> dict[str, Any]:
    when = {"UseLatestRestorableTime": True} if at is None else {"RestoreDateTime": at}
    source = {} if "SourceTableArn" in arguments else {"SourceTableName": "orders"}
    described: dict[str, Any] = bench.dynamodb.restore_table_to_point_in_time(
        TargetTableName=target, **source, **when, **arguments
    )["TableDescription"]
    return described


def finished(bench: Bench, name: str) -> dict[str, Any]:
    """Poll as a client does that knows nothing of the sandbox's clock."""
    for _ in range(8):
        table: dict[str, Any] = bench.dynamodb.describe_table(TableName=name)["Table"]
        if table["TableStatus"] == "ACTIVE":
            return table
    raise AssertionError(f"{name} is never ACTIVE")


def content(bench: Bench, name: str) -> Items:
    return {item["id"]["S"]: item for item in bench.dynamodb.scan(TableName=name)["Items"]}


class TestTheStateAtATime:
    def test_each_way_of_writing(self, bench: Bench) -> None:
        bench.table(items=6)
        recovered(bench)
        states = [content(bench, "orders")]
        db = bench.dynamodb
        key = {"id": {"S": "00000"}}
        values = {":n": {"N": "7"}}
        arn = db.describe_table(TableName="orders")["Table"]["TableArn"]
        writes: list[Callable[[], Any]] = [
            lambda: db.put_item(TableName="orders", Item={"id": {"S": "new"}, "m": {"M": {"deep": {"L": []}}}}),
            lambda: db.update_item(
                TableName="orders", Key=key, UpdateExpression="SET n = :n", ExpressionAttributeValues=values
            ),
            lambda: db.update_item(
                TableName="orders",
                Key={"id": {"S": "new"}},
                UpdateExpression="SET m.deep[0] = :n",
                ExpressionAttributeValues=values,
            ),
            lambda: db.update_item(
                TableName="orders",
                Key={"id": {"S": "made by update"}},
                UpdateExpression="SET n = :n",
                ExpressionAttributeValues=values,
            ),
            lambda: db.delete_item(TableName="orders", Key={"id": {"S": "00001"}}),
            lambda: db.batch_write_item(
                RequestItems={
                    "orders": [
                        {"PutRequest": {"Item": {"id": {"S": "batch"}, "b": {"B": b"\x00\xff"}}}},
                        {"DeleteRequest": {"Key": {"id": {"S": "00002"}}}},
                    ]
                }
            ),
            lambda: db.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": "orders", "Item": {"id": {"S": "tx"}, "s": {"NS": ["1", "2"]}}}},
                    {"Delete": {"TableName": "orders", "Key": {"id": {"S": "00003"}}}},
                    {
                        "Update": {
                            "TableName": "orders",
                            "Key": key,
                            "UpdateExpression": "SET n = :n",
                            "ExpressionAttributeValues": {":n": {"N": "8"}},
                        }
                    },
                ]
            ),
            lambda: db.execute_statement(Statement="INSERT INTO \"orders\" VALUE {'id': 'sql', 'n': 1}"),
            lambda: db.execute_statement(Statement="UPDATE \"orders\" SET word='new' WHERE id='00004'"),
            lambda: db.execute_statement(Statement="DELETE FROM \"orders\" WHERE id='00005'"),
            lambda: db.put_item(TableName=arn, Item={"id": {"S": "by ARN"}}),
        ]
        for write in writes:
            bench.advance(minutes=10)
            write()
            states.append(content(bench, "orders"))
            assert states[-1] != states[-2]
        bench.advance(minutes=10)
        for number, state in enumerate(states):
            restore(bench, f"at-{number}", START + timedelta(minutes=10 * number))
            finished(bench, f"at-{number}")
            assert content(bench, f"at-{number}") == state

    def test_a_cancelled_transaction_and_a_failed_condition_leave_nothing(self, bench: Bench) -> None:
        bench.table(items=2)
        recovered(bench)
        before = content(bench, "orders")
        put = {"TableName": "orders", "Item": {"id": {"S": "x"}}}
        with pytest.raises(ClientError, match="TransactionCanceled"):
            bench.dynamodb.transact_write_items(
                TransactItems=[
                    {"Put": put},
                    {
                        "ConditionCheck": {
                            "TableName": "orders",
                            "Key": {"id": {"S": "00000"}},
                            "ConditionExpression": "attribute_not_exists(id)",
                        }
                    },
                ]
            )
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            bench.dynamodb.put_item(**put, ConditionExpression="attribute_exists(id)")
        bench.advance(minutes=10)
        restore(bench, "restored")
        finished(bench, "restored")
        assert content(bench, "restored") == before

    def test_writes_of_that_very_second_are_in_it(self, bench: Bench) -> None:
        bench.table(items=0)
        recovered(bench)
        bench.advance(minutes=1)
        bench.dynamodb.put_item(TableName="orders", Item={"id": {"S": "x"}})
        bench.advance(minutes=10)
        restore(bench, "then", START + timedelta(minutes=1))
        restore(bench, "before", START + timedelta(seconds=59))
        bench.advance(minutes=10)
        assert (list(content(bench, "then")), list(content(bench, "before"))) == (["x"], [])

    def test_the_latest_time_lags(self, bench: Bench) -> None:
        bench.table(items=1)
        recovered(bench)
        bench.advance(hours=1)
        bench.dynamodb.put_item(TableName="orders", Item={"id": {"S": "late"}})
        bench.advance(minutes=4)
        made = restore(bench, "restored")
        assert made["RestoreSummary"]["RestoreDateTime"] == START + timedelta(minutes=59)
        finished(bench, "restored")
        assert list(content(bench, "restored")) == ["00000"]

    def test_a_restored_table_is_a_table_of_its_own(self, bench: Bench) -> None:
        bench.table(items=1)
        recovered(bench)
        bench.advance(minutes=10)
        restore(bench, "one")
        restore(bench, "two")
        bench.advance(minutes=10)
        bench.dynamodb.update_item(
            TableName="one",
            Key={"id": {"S": "00000"}},
            UpdateExpression="SET n = :n",
            ExpressionAttributeValues={":n": {"N": "9"}},
        )
        assert [content(bench, name)["00000"]["n"]["N"] for name in ("orders", "one", "two")] == ["0", "9", "0"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "code", "says"),
        [
            ({"UseLatestRestorableTime": True}, "ValidationException", "SourceTableName and SourceTableArn must"),
            ({"SourceTableName": "orders"}, "ValidationException", "must be given"),
            ({"SourceTableName": "orders", "UseLatestRestorableTime": False}, "ValidationException", "must be given"),
            (
                {"SourceTableName": "orders", "UseLatestRestorableTime": True, "RestoreDateTime": START},
                "ValidationException",
                "cannot both",
            ),
            (
                {"SourceTableName": "orders", "SourceTableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/other"},
                "ValidationException",
                "different tables",
            ),
            ({"SourceTableName": "none", "UseLatestRestorableTime": True}, "TableNotFoundException", "none"),
            (
                {"SourceTableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"},
                "TableNotFoundException",
                "eu-west-1",
            ),
            (
                {"SourceTableName": "plain", "UseLatestRestorableTime": True},
                "PointInTimeRecoveryUnavailableException",
                "not enabled for table 'plain'",
            ),
            (
                {"SourceTableName": "orders", "RestoreDateTime": START - timedelta(seconds=1)},
                "InvalidRestoreTimeException",
                "is not between",
            ),
            (
                {"SourceTableName": "orders", "RestoreDateTime": START + timedelta(minutes=55, seconds=1)},
                "InvalidRestoreTimeException",
                "is not between",
            ),
            (
                {"SourceTableName": "orders", "UseLatestRestorableTime": True, "TargetTableName": "plain"},
                "TableAlreadyExistsException",
                "plain",
            ),
        ],
    )
    def test_a_call_that_aws_refuses(self, bench: Bench, arguments: dict[str, Any], code: str, says: str) -> None:
        bench.table()
        bench.table("plain")
        recovered(bench)
        bench.advance(hours=1)
        with pytest.raises(ClientError) as refused:
            bench.dynamodb.restore_table_to_point_in_time(**{"TargetTableName": "target", **arguments})
        assert refused.value.response["Error"]["Code"] == code
        assert says in refused.value.response["Error"]["Message"]
        assert bench.dynamodb.list_tables()["TableNames"] == ["orders", "plain"]

    def test_turning_it_off_forgets(self, bench: Bench) -> None:
        bench.table(items=1)
        recovered(bench)
        bench.advance(days=1)
        off = {"PointInTimeRecoveryEnabled": False}
        bench.dynamodb.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=off)
        with pytest.raises(ClientError, match="PointInTimeRecoveryUnavailable"):
            restore(bench, "restored", START)
        recovered(bench)
        with pytest.raises(ClientError, match="InvalidRestoreTime"):
            restore(bench, "restored", START)

    def test_a_period_that_has_passed(self, bench: Bench) -> None:
        bench.table(items=1)
        recovered(bench, days=1)
        bench.advance(days=3)
        with pytest.raises(ClientError, match="InvalidRestoreTime"):
            restore(bench, "restored", START + timedelta(days=1))
        restore(bench, "restored", START + timedelta(days=2))

    def test_the_fifty_first_at_once(self, bench: Bench) -> None:
        bench.table(items=0)
        recovered(bench)
        for number in range(50):
            restore(bench, f"restored-{number}")
        with pytest.raises(ClientError, match="LimitExceeded"):
            restore(bench, "one-too-many")
        bench.advance(minutes=10)
        restore(bench, "one-too-many")


class TestCreating:
    def test_creating_then_active(self, bench: Bench) -> None:
        arn = bench.table(items=1)
        recovered(bench)
        bench.advance(minutes=10)
        made = restore(bench, "restored")
        assert (made["TableStatus"], made["RestoreSummary"]["RestoreInProgress"]) == ("CREATING", True)
        begun = bench.clock.now()
        table = finished(bench, "restored")
        assert table["RestoreSummary"] == {
            "SourceTableArn": arn,
            "RestoreDateTime": START + timedelta(minutes=5),
            "RestoreInProgress": False,
        }
        assert timedelta(minutes=2) <= bench.clock.now() - begun <= timedelta(minutes=6)

    def test_the_clock_alone_finishes_it_too(self, bench: Bench) -> None:
        bench.table(items=1)
        recovered(bench)
        restore(bench, "restored")
        bench.advance(minutes=6)
        assert bench.dynamodb.describe_table(TableName="restored")["Table"]["TableStatus"] == "ACTIVE"

    @pytest.mark.parametrize(
        ("method", "arguments", "code"),
        [
            ("scan", {}, "ResourceNotFoundException"),
            ("get_item", {"Key": {"id": {"S": "x"}}}, "ResourceNotFoundException"),
            ("put_item", {"Item": {"id": {"S": "x"}}}, "ResourceNotFoundException"),
            ("delete_table", {}, "ResourceInUseException"),
            ("update_table", {"DeletionProtectionEnabled": True}, "ResourceInUseException"),
            (
                "update_continuous_backups",
                {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
                "ContinuousBackupsUnavailableException",
            ),
        ],
    )
    def test_it_is_not_there_yet(self, bench: Bench, method: str, arguments: dict[str, Any], code: str) -> None:
        bench.table(items=1)
        recovered(bench)
        restore(bench, "restored")
        with pytest.raises(ClientError) as refused:
            getattr(bench.dynamodb, method)(TableName="restored", **arguments)
        assert refused.value.response["Error"]["Code"] == code

    def test_nor_in_batches_transactions_and_statements(self, bench: Bench) -> None:
        bench.table(items=1)
        recovered(bench)
        restore(bench, "restored")
        item = {"Item": {"id": {"S": "x"}}}
        calls: tuple[Callable[[], Any], ...] = (
            lambda: bench.dynamodb.batch_write_item(RequestItems={"restored": [{"PutRequest": item}]}),
            lambda: bench.dynamodb.batch_get_item(RequestItems={"restored": {"Keys": [{"id": {"S": "00000"}}]}}),
            lambda: bench.dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": "restored", **item}}]),
            lambda: bench.dynamodb.execute_statement(Statement='SELECT * FROM "restored"'),
        )
        for call in calls:
            with pytest.raises(ClientError, match="ResourceNotFoundException"):
                call()


GLOBAL = {
    "IndexName": "by-n",
    "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}

UNITS = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 2}


def rich(bench: Bench, **settings: Any) -> None:
    """A table with everything that a restore keeps and drops."""
    bench.dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[GLOBAL],
        Tags=[{"Key": "tier", "Value": "gold"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        DeletionProtectionEnabled=True,
        SSESpecification={"Enabled": True, "SSEType": "KMS"},
        **{"BillingMode": "PAY_PER_REQUEST", **settings},
    )
    ttl = {"Enabled": True, "AttributeName": "ends"}
    bench.dynamodb.update_time_to_live(TableName="orders", TimeToLiveSpecification=ttl)
    recovered(bench)
    bench.advance(minutes=10)


def test_images_that_nobody_can_ask_for_are_dropped(bench: Bench) -> None:
    bench.table(items=1)
    recovered(bench, days=2)
    for number in range(10):
        bench.advance(days=1)
        bench.dynamodb.put_item(TableName="orders", Item={"id": {"S": "00000"}, "n": {"N": f"{number}"}})
    [history] = bench.sandbox.world.region("123456789012", "us-east-1").histories.values()
    assert [len(images) for images in history._images.values()] == [4]
    restore(bench, "earliest", bench.clock.now() - timedelta(days=2))
    finished(bench, "earliest")
    assert content(bench, "earliest")["00000"]["n"]["N"] == "7"


def test_nothing_is_remembered_of_tables_without_it(bench: Bench) -> None:
    bench.table(items=3)
    bench.table("other", region=DR)
    regions = list(bench.sandbox.world.regions())
    assert [region.histories for region in regions] == [{}] * len(regions)
