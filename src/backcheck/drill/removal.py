"""Taking away what a drill made, and nothing else: the same code at the end of a drill and in `reap`.

A table is deleted only where the ledger, the name, the tag and AWS's own record of the restore all say that it is this
run's, and the ledger says that there was no such table before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from backcheck.drill import settings
from backcheck.drill.canary import Canaries, is_left
from backcheck.drill.ledger import Account, Ledger
from backcheck.drill.plan import RUN_TAG
from backcheck.drill.reach import FAILED_CALLS, Clock, Patience, Reach, error_code
from backcheck.errors import Error
from backcheck.policy.model import Method

PITR_CALL = "dynamodb:RestoreTableToPointInTime"
JOB_CALL = "backup:StartRestoreJob"
TAG_CALL = "dynamodb:TagResource"
DELETE_CALL = "dynamodb:DeleteTable"
ABSENT = "there is no table of this name"
"""Noted before anything is restored."""
GONE = "the table is gone"

NOT_THERE = ("ResourceNotFoundException", "TableNotFoundException")
UNFINISHED = frozenset({"PENDING", "RUNNING"})
"""States of a restore job that may still make a table (botocore, RestoreJobStatus)."""


def restore_call(method: Method) -> str:
    """The call that makes the table."""
    return PITR_CALL if method is Method.PITR else JOB_CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What AWS says of a table that may be ours."""

    name: str
    arn: str
    table_id: str | None
    status: str
    tags: Mapping[str, str]
    restored_from: str | None
    """RestoreSummary.SourceTableArn."""
    made_by_job: bool
    """A restore job of the recovery point in the ledger says that it created this ARN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What came of it."""

    done: bool
    text: str


def why_not_ours(account: Account, seen: Seen) -> str:
    """Why the table must not be deleted; empty where everything says that it is the run's."""
    return next(_doubts(account, seen), "")


def _doubts(account: Account, seen: Seen) -> Iterator[str]:
    deed = account.deed
    if account.began(restore_call(deed.method)) is None:
        yield "the ledger does not say that a restore was begun"
    if not account.noted(ABSENT):
        yield "the ledger does not say that there was no such table before"
    if (seen.name, seen.arn) != (deed.target, deed.target_arn):
        yield f"the ledger names {deed.target_arn}"
    if not account.prefix or not seen.name.startswith(f"{account.prefix}{account.run_id}-"):
        yield "its name is not one that this run gives"
    if seen.tags.get(RUN_TAG) != account.run_id:
        yield f"its tag {RUN_TAG} is {seen.tags.get(RUN_TAG, 'missing')}, not {account.run_id}"
    known = account.told(PITR_CALL, "TableId")
    if known and seen.table_id != known:
        yield "it is another table of this name: its TableId is not the one that was made"
    if deed.method is Method.PITR and seen.restored_from != deed.source_arn:
        yield f"its RestoreSummary names {seen.restored_from or 'no source'}, not {deed.source_arn}"
    if deed.method is not Method.PITR and not seen.made_by_job:
        yield "no restore job of the recovery point says that it created this table"


class Remover:
    """Removes one run's tables."""

    def __init__(self, reach: Reach, ledger: Ledger, clock: Clock, patience: Patience) -> None:
        """`ledger` is locked by this process."""
        self._reach, self._ledger, self._clock, self._patience = reach, ledger, clock, patience
        self._canaries = Canaries(reach, ledger, clock, patience)

    def remove(self, target: str, *, limit: timedelta) -> Removal:
        """Delete canaries and table, and wait until they are gone. What cannot be done is said, never raised."""
        parts = (self._remove_canaries(target), self._remove_table(target, limit))
        return Removal(done=all(part.done for part in parts), text="; ".join(part.text for part in parts if part.text))

    def _remove_canaries(self, target: str) -> Removal:
        if not is_left(self._ledger.account(target)):
            return Removal(done=True, text="")
        try:
            problem = self._canaries.remove(target)
        except FAILED_CALLS as error:
            problem = f"the canary could not be removed: {error}"
        except Error as error:
            problem = f"the canary could not be removed: {error.diagnostics()}"
        return Removal(done=not problem, text=problem or "the canaries are gone")

    def _remove_table(self, target: str, limit: timedelta) -> Removal:
        account = self._ledger.account(target)
        if account.noted(GONE) or account.began(restore_call(account.deed.method)) is None:
            return Removal(done=True, text="nothing was made")
        try:
            return self._remove(account, limit)
        except FAILED_CALLS as error:
            return Removal(done=False, text=f"{account.deed.target_arn} could not be removed: {error}")
        except Error as error:
            return Removal(done=False, text=f"{account.deed.target_arn} could not be removed: {error.diagnostics()}")

    def _remove(self, account: Account, limit: timedelta) -> Removal:
        deed = account.deed
        table = self._patience.wait(lambda: self._settled(account), self._clock, deed.target_arn, limit=limit)
        if not table:
            self._ledger.note(deed.target, GONE)
            return Removal(done=True, text="there is no table, and no restore that could still make it")
        seen = self._seen(account, table)
        if doubt := why_not_ours(account, seen):
            return Removal(done=False, text=f"{deed.target_arn} is left alone: {doubt}")
        client = self._client(account)
        if seen.status != "DELETING":
            self._ledger.call(deed.target, DELETE_CALL, lambda: client.delete_table(TableName=deed.target))
        self._patience.wait(lambda: self._is_gone(account), self._clock, deed.target_arn, limit=limit)
        self._ledger.note(deed.target, GONE)
        return Removal(done=True, text="deleted")

    def _settled(self, account: Account) -> Mapping[str, Any] | None:
        """The table once it can be deleted; empty once it is certain that there is none; None: look again."""
        table = describe(self._client(account), account.deed.target)
        if table is not None:
            return table if table["TableStatus"] in ("ACTIVE", "DELETING", "ARCHIVED") else None
        began = account.began(restore_call(account.deed.method))
        if began is None or self._clock.now() - began < self._patience.settle:
            return None
        return None if self._may_still_come(account) else {}

    def _may_still_come(self, account: Account) -> bool:
        """Whether a restore job of our recovery point is under way that may be ours."""
        return account.deed.method is not Method.PITR and any(
            job["Status"] in UNFINISHED and job.get("CreatedResourceArn") in (None, "", account.deed.target_arn)
            for job in self._jobs(account)
        )

    def _seen(self, account: Account, table: Mapping[str, Any]) -> Seen:
        deed = account.deed
        tags = settings.read_tags(self._client(account), deed.target_arn)
        seen = Seen(
            name=table["TableName"],
            arn=table["TableArn"],
            table_id=table.get("TableId"),
            status=table["TableStatus"],
            tags=tags,
            restored_from=(table.get("RestoreSummary") or {}).get("SourceTableArn"),
            made_by_job=deed.method is not Method.PITR
            and any(job.get("CreatedResourceArn") == deed.target_arn for job in self._jobs(account)),
        )
        return self._tagged(account, seen) if RUN_TAG not in tags else seen

    def _tagged(self, account: Account, seen: Seen) -> Seen:
        """A run that died before it could tag its table: do it in its place, where all else says that it is its own."""
        deed = account.deed
        as_if = Seen(
            name=seen.name,
            arn=seen.arn,
            table_id=seen.table_id,
            status=seen.status,
            tags={RUN_TAG: account.run_id},
            restored_from=seen.restored_from,
            made_by_job=seen.made_by_job,
        )
        if seen.status == "DELETING" or account.succeeded(TAG_CALL) or why_not_ours(account, as_if):
            return seen
        tag(self._reach, self._ledger, account)
        tags = self._patience.wait(
            lambda: _with_tag(settings.read_tags(self._client(account), deed.target_arn)),
            self._clock,
            f"the tags of {deed.target_arn}",
            limit=timedelta(minutes=10),
        )
        return Seen(
            name=seen.name,
            arn=seen.arn,
            table_id=seen.table_id,
            status=seen.status,
            tags=tags,
            restored_from=seen.restored_from,
            made_by_job=seen.made_by_job,
        )

    def _jobs(self, account: Account) -> list[Mapping[str, Any]]:
        """Our job where its id is known; else every restore job of our recovery point that AWS still lists."""
        deed = account.deed
        backup = self._reach.client("backup", deed.account, deed.region)
        if job := account.told(JOB_CALL, "RestoreJobId"):
            return [backup.describe_restore_job(RestoreJobId=job)]
        found: list[Mapping[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            page = backup.list_restore_jobs(ByResourceType="DynamoDB", **more)
            found += [
                job for job in page.get("RestoreJobs", ()) if job.get("RecoveryPointArn") == deed.recovery_point_arn
            ]
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}

    def _is_gone(self, account: Account) -> bool | None:
        return True if describe(self._client(account), account.deed.target) is None else None

    def _client(self, account: Account) -> Any:
        return self._reach.client("dynamodb", account.deed.account, account.deed.region)


def tag(reach: Reach, ledger: Ledger, account: Account) -> None:
    """Put the run's tags on its table: neither way to restore takes tags of our own."""
    deed = account.deed
    client = reach.client("dynamodb", deed.account, deed.region)
    tags = [{"Key": name, "Value": value} for name, value in deed.tags.items()]
    ledger.call(deed.target, TAG_CALL, lambda: client.tag_resource(ResourceArn=deed.target_arn, Tags=tags))


def describe(client: Any, name: str) -> Mapping[str, Any] | None:
    """DescribeTable; None where there is no such table. Raises botocore's other errors."""
    try:
        found: Mapping[str, Any] = client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error_code(error) in NOT_THERE:
            return None
        raise
    return found


def _with_tag(tags: Mapping[str, str]) -> Mapping[str, str] | None:
    return tags if RUN_TAG in tags else None
