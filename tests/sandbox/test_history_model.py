"""Point-in-time recovery against a model of a dozen lines: under any writes, at any moment, the two agree."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backcheck.sandbox import Sandbox

from .conftest import ACCOUNT, START

Items = dict[str, dict[str, Any]]

NUMBERS = st.integers(-5, 5)


@dataclass(frozen=True)
class Write:
    """One call that writes."""

    kind: str
    keys: tuple[str, ...]
    """Different ones; how many are used depends on the kind."""
    number: int
    seconds: int
    """How much time passes afterwards."""


WRITES = st.lists(
    st.builds(
        Write,
        kind=st.sampled_from(
            ["put", "set", "append", "delete", "batch", "transact", "cancelled", "sql set", "sql del"]
        ),
        keys=st.permutations(["a", "b", "c", "d"]).map(tuple),
        number=NUMBERS,
        seconds=st.sampled_from([0, 1, 30, 400]),
    ),
    min_size=1,
    max_size=12,
)
"""Several may come at one instant, and some hours apart from others."""


class Model:
    """What the table should hold."""

    def __init__(self) -> None:
        self.items: Items = {}

    def put(self, key: str, number: int) -> None:
        self.items[key] = {"id": {"S": key}, "n": {"N": str(number)}}

    def set(self, key: str, number: int) -> None:
        self.items[key] = {**self.items.get(key, {"id": {"S": key}}), "n": {"N": str(number)}}

    def append(self, key: str, number: int) -> None:
        item = self.items.setdefault(key, {"id": {"S": key}})
        item["l"] = {"L": [*item.get("l", {"L": []})["L"], {"N": str(number)}]}

    def apply(self, write: Write) -> None:
        first, second, third, _ = write.keys
        if write.kind == "put":
            self.put(first, write.number)
        elif write.kind == "set":
            self.set(first, write.number)
        elif write.kind == "append":
            self.append(first, write.number)
        elif write.kind == "sql set" and first in self.items:
            self.items[first]["w"] = {"S": f"w{write.number}"}
        elif write.kind in ("delete", "sql del"):
            self.items.pop(first, None)
        elif write.kind == "batch":
            self.put(first, write.number)
            self.items.pop(second, None)
        elif write.kind == "transact":
            self.put(first, write.number)
            self.append(second, write.number)
            self.items.pop(third, None)


def perform(db: Any, table: str, write: Write) -> None:
    """The same, as calls."""
    first, second, third, _ = write.keys
    item = {"id": {"S": first}, "n": {"N": str(write.number)}}
    append = {
        "UpdateExpression": "SET l = list_append(if_not_exists(l, :none), :one)",
        "ExpressionAttributeValues": {":none": {"L": []}, ":one": {"L": [{"N": str(write.number)}]}},
    }
    if write.kind == "put":
        db.put_item(TableName=table, Item=item)
    elif write.kind == "set":
        value = {":n": {"N": str(write.number)}}
        db.update_item(TableName=table, Key=_key(first), UpdateExpression="SET n = :n", ExpressionAttributeValues=value)
    elif write.kind == "append":
        db.update_item(TableName=table, Key=_key(first), **append)
    elif write.kind == "delete":
        db.delete_item(TableName=table, Key=_key(first))
    elif write.kind == "batch":
        requests = [{"PutRequest": {"Item": item}}, {"DeleteRequest": {"Key": _key(second)}}]
        db.batch_write_item(RequestItems={table: requests})
    elif write.kind == "transact":
        put, delete = {"TableName": table, "Item": item}, {"TableName": table, "Key": _key(third)}
        update = {"TableName": table, "Key": _key(second), **append}
        db.transact_write_items(TransactItems=[{"Put": put}, {"Update": update}, {"Delete": delete}])
    elif write.kind == "cancelled":
        condition = {"TableName": table, "Key": _key(second), "ConditionExpression": "attribute_exists(never)"}
        try:
            db.transact_write_items(
                TransactItems=[{"Put": {"TableName": table, "Item": item}}, {"ConditionCheck": condition}]
            )
        except db.exceptions.TransactionCanceledException:
            return
        raise AssertionError("a transaction whose condition fails was not cancelled")
    elif write.kind == "sql set":
        db.execute_statement(Statement=f"UPDATE \"{table}\" SET w='w{write.number}' WHERE id='{first}'")
    elif write.kind == "sql del":
        db.execute_statement(Statement=f"DELETE FROM \"{table}\" WHERE id='{first}'")


def _key(key: str) -> dict[str, Any]:
    return {"id": {"S": key}}


def state(history: list[tuple[datetime, Items]], at: datetime) -> Items:
    """The last state that was reached at `at` or before."""
    return [items for moment, items in history if moment <= at][-1]


class Checked:
    """A table for each example, in one sandbox."""

    def __init__(self, sandbox: Sandbox, db: Any) -> None:
        self.sandbox, self.db = sandbox, db
        self.names: Iterator[str] = (f"table-{number}" for number in itertools.count())

    def lived(self, writes: list[Write]) -> tuple[str, list[tuple[datetime, Items]]]:
        """A table on which this was done, and what the model says of it."""
        table, model = next(self.names), Model()
        self.db.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        model.put("a", 0)  # there when it begins
        self.db.put_item(TableName=table, Item=model.items["a"])
        specification = {"PointInTimeRecoveryEnabled": True}
        self.db.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=specification)
        history = [(self.sandbox.clock.now(), copy.deepcopy(model.items))]
        for write in writes:
            model.apply(write)
            perform(self.db, table, write)
            history.append((self.sandbox.clock.now(), copy.deepcopy(model.items)))
            self.sandbox.clock.advance(seconds=write.seconds)
        self.sandbox.clock.advance(minutes=6)
        return table, history

    def restored(self, table: str, at: datetime) -> Items:
        target = next(self.names)
        self.db.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=target, RestoreDateTime=at)
        while self.db.describe_table(TableName=target)["Table"]["TableStatus"] != "ACTIVE":
            pass
        items: Items = {item["id"]["S"]: item for item in self.db.scan(TableName=target)["Items"]}
        self.db.delete_table(TableName=target)
        return items


def agree(checked: Checked, examples: int) -> int:
    """Restore tables as of moments of random histories, and compare each with the state then. How many there were."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(writes=WRITES, fractions=st.lists(st.floats(0, 1), min_size=1, max_size=3))
    def check(writes: list[Write], fractions: list[float]) -> None:
        table, history = checked.lived(writes)
        begun = history[0][0]
        length = (checked.sandbox.clock.now() - timedelta(minutes=5) - begun).total_seconds()
        for fraction in fractions:
            at = begun + timedelta(seconds=int(length * fraction))
            assert checked.restored(table, at) == state(history, at)
            moments.append(at)

    moments: list[datetime] = []
    check()
    return len(moments)


def test_any_moment_in_process() -> None:
    with Sandbox(account=ACCOUNT, start=START, seed=1) as sandbox:
        assert agree(Checked(sandbox, sandbox.client("dynamodb")), examples=25) >= 25


def test_any_moment_through_the_server() -> None:
    with Sandbox(account=ACCOUNT, start=START, seed=2) as sandbox:
        url = sandbox.serve().url
        assert agree(Checked(sandbox, boto3.client("dynamodb", endpoint_url=url)), examples=5) >= 5


def test_changes_lead_from_one_moment_to_the_next() -> None:
    """Whatever lies before a period, with the changes of the period, is what lies before its end."""
    with Sandbox(account=ACCOUNT, start=START, seed=3) as sandbox:
        checked = Checked(sandbox, sandbox.client("dynamodb"))

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(writes=WRITES, cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted))
        def check(writes: list[Write], cuts: list[float]) -> None:
            table, history = checked.lived(writes)
            begun, now = history[0][0] + timedelta(seconds=1), sandbox.clock.now()
            start, end = (begun + timedelta(seconds=int((now - begun).total_seconds() * cut)) for cut in cuts)
            instant = timedelta(microseconds=1)
            items = copy.deepcopy(state(history, start - instant))
            for key, after in changes(sandbox, table, start, end):
                items.pop(key, None)
                items.update({} if after is None else {key: after})
            assert items == state(history, end - instant)

        check()


def changes(sandbox: Sandbox, table: str, start: datetime, end: datetime) -> Iterator[tuple[str, Any]]:
    table_id = sandbox.client("dynamodb").describe_table(TableName=table)["Table"]["TableId"]
    history = sandbox.world.region(ACCOUNT, "us-east-1").histories[table_id]
    for change in history.changes(start, end, ("id",)):
        yield change.key["id"]["S"], None if change.after is None else json.loads(change.after)
