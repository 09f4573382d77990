"""The canary: two small items of a drill's own in the source table, which show where a restore by PITR ends.

One is written before T and must come back, the other after T and must not. A role of their own writes them, limited by
dynamodb:LeadingKeys to the policy's key prefix; each is put only where there is no such item, and deleted only while it
carries the run's mark, so that no item of anybody else is ever touched. Recovery points are older than any drill: their
boundary is not asserted.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from backcheck.drill.ledger import Account, CanaryKeys, Ledger
from backcheck.drill.plan import Restore
from backcheck.drill.reach import Clock, Patience, Reach, error_code
from backcheck.drill.verdict import Boundary
from backcheck.errors import Error

MARK = "backcheck:canary"
"""The attribute that says whose canary it is: the run's id."""
SORT_VALUES = {"S": "backcheck", "N": "0", "B": b"backcheck"}
CONDITION_FAILED = "ConditionalCheckFailedException"


class Half(StrEnum):
    """Which canary."""

    BEFORE = "before"
    AFTER = "after"


def put_call(half: Half) -> str:
    """The name in the ledger."""
    return f"dynamodb:PutItem, the canary {half} T"


def delete_call(half: Half) -> str:
    """The name in the ledger."""
    return f"dynamodb:DeleteItem, the canary {half} T"


def gone(half: Half) -> str:
    """The ledger's note that it is not there any more."""
    return f"the canary {half} T is gone"


def is_left(account: Account) -> bool:
    """Whether a canary of this run may still be in the source table."""
    return any(account.began(put_call(half)) is not None and not account.noted(gone(half)) for half in Half)


class Canaries:
    """Writes, finds and removes the canaries of one run."""

    def __init__(self, reach: Reach, ledger: Ledger, clock: Clock, patience: Patience) -> None:
        """`ledger` is locked by this process."""
        self._reach, self._ledger, self._clock, self._patience = reach, ledger, clock, patience

    def announce(self, restore: Restore) -> None:
        """Write into the ledger which items will be written. Raises Error for a key that no prefix can begin."""
        canary, source = restore.canary, restore.source
        assert canary is not None, "only asked for where the plan has one"
        client = self._reach.client("dynamodb", source.account, source.region)
        table = client.describe_table(TableName=source.name)["Table"]
        keys = {str(half): _key(table, canary.key_value(str(half)), source.arn) for half in Half}
        self._ledger.canary(
            restore.target,
            CanaryKeys(
                role_arn=canary.role_arn, account=source.account, region=source.region, table=source.name, keys=keys
            ),
        )

    def write(self, target: str, half: Half) -> None:
        """Put it, where there is no item of its key. Raises Error where there is one, and botocore's errors."""
        account, keys = self._keys(target)
        client = self._client(keys)
        key = keys.keys[half]
        request = {
            "TableName": keys.table,
            "Item": {**_sent(key), MARK: {"S": account.run_id}},
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": next(iter(key))},
        }
        try:
            self._ledger.call(target, put_call(half), lambda: client.put_item(**request))
        except ClientError as error:
            # Maybe our own request, whose answer was lost and which botocore sent again.
            if error_code(error) != CONDITION_FAILED or self._mark(keys, half) != account.run_id:
                raise

    def came_back(self, restore: Restore) -> Boundary:
        """Which of the two the restored table holds. Raises botocore's errors."""
        account, keys = self._keys(restore.target)
        client = self._reach.client("dynamodb", restore.account, restore.region)
        found = {
            half: _marked(client.get_item(TableName=restore.target, Key=_sent(keys.keys[half]), ConsistentRead=True))
            for half in Half
        }
        return Boundary(
            before_came_back=found[Half.BEFORE] == account.run_id, after_came_back=found[Half.AFTER] is not None
        )

    def remove(self, target: str, *halves: Half) -> str:
        """Delete what was put; why one could not be, or nothing. Raises botocore's errors."""
        problems = []
        for half in halves or tuple(Half):
            account = self._ledger.account(target)
            if account.began(put_call(half)) is not None and not account.noted(gone(half)):
                problems.append(self._remove(account, half))
        return "; ".join(problem for problem in problems if problem)

    def _remove(self, account: Account, half: Half) -> str:
        target = account.deed.target
        _, keys = self._keys(target)
        try:
            mark = self._patience.wait(
                lambda: self._settled(account, keys, half), self._clock, f"the canary in {keys.table}"
            )
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            mark = ""  # the source table itself is gone
        if mark and mark != account.run_id:
            return f"an item of {keys.table} has the canary's key and not this run's mark: it is left alone"
        if mark:
            self._delete(account, keys, half)
        self._ledger.note(target, gone(half))
        return ""

    def _settled(self, account: Account, keys: CanaryKeys, half: Half) -> str | None:
        """The mark of what is there; empty once it is certain that nothing is; None: a put may still arrive."""
        mark = self._mark(keys, half)
        if mark is not None:
            return mark
        began = account.began(put_call(half))
        late = began is not None and self._clock.now() - began >= self._patience.settle
        return "" if late or account.succeeded(put_call(half)) else None

    def _delete(self, account: Account, keys: CanaryKeys, half: Half) -> None:
        client = self._client(keys)
        request = {
            "TableName": keys.table,
            "Key": _sent(keys.keys[half]),
            "ConditionExpression": "#mark = :run",
            "ExpressionAttributeNames": {"#mark": MARK},
            "ExpressionAttributeValues": {":run": {"S": account.run_id}},
        }
        try:
            self._ledger.call(account.deed.target, delete_call(half), lambda: client.delete_item(**request))
        except ClientError as error:
            # Maybe our own request again: then there is nothing left.
            if error_code(error) != CONDITION_FAILED or self._mark(keys, half) is not None:
                raise

    def _mark(self, keys: CanaryKeys, half: Half) -> str | None:
        key = _sent(keys.keys[half])
        return _marked(self._client(keys).get_item(TableName=keys.table, Key=key, ConsistentRead=True))

    def _keys(self, target: str) -> tuple[Account, CanaryKeys]:
        account = self._ledger.account(target)
        if account.canary is None:
            raise Error("the ledger names no canary", where=target)
        return account, account.canary

    def _client(self, keys: CanaryKeys) -> Any:
        return self._reach.client("dynamodb", keys.account, keys.region, role_arn=keys.role_arn)


def _key(table: Mapping[str, Any], value: str, arn: str) -> dict[str, dict[str, str]]:
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    by_kind = {one["KeyType"]: one["AttributeName"] for one in table["KeySchema"]}
    hashed = by_kind["HASH"]
    if types[hashed] != "S":
        raise Error(f"its partition key {hashed} is no string: there can be no canary", where=arn)
    key = {hashed: {"S": value}}
    if sort := by_kind.get("RANGE"):
        # bytes are kept as text: a ledger is JSON
        held = SORT_VALUES[types[sort]]
        key[sort] = {types[sort]: held.decode() if isinstance(held, bytes) else str(held)}
    return key


def _sent(key: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """As boto3 wants it: bytes for B."""
    return {
        name: {kind: held.encode() if kind == "B" else held for kind, held in value.items()}
        for name, value in key.items()
    }


def _marked(reply: Mapping[str, Any]) -> str | None:
    """The mark of the item in a GetItem reply; empty for an item without one, None for no item."""
    item = reply.get("Item")
    return None if not item else str((item.get(MARK) or {}).get("S", ""))
