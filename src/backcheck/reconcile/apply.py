"""Applying a plan: the only writer. Each item is read again, compared with the plan, and written on a condition.

Run again after it was killed, it goes on where it stopped. One thing it cannot know: whether a write that was under way
when it was killed arrived. If the item is then as the plan saw it, it is written again; a lost one is told of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from backcheck.errors import Error, UsageError
from backcheck.manifest.digest import item_digest, key_digest
from backcheck.manifest.encoding import Attributes
from backcheck.manifest.scan import Connection, ScanOptions, TableFacts, describe_table, segments_of
from backcheck.reconcile.document import Decision, Entry, Plan, TableId
from backcheck.reconcile.ledger import Ledger, Outcome
from backcheck.reconcile.writes import from_client, put_request, to_client, update_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a run came to, earlier runs of the same plan included."""

    outcomes: Counter[Outcome]
    source_changed: int
    """Items that the restored table no longer holds as the plan saw them: nothing was written."""
    undecided: int
    skipped: tuple[tuple[bytes, Outcome], ...]
    """Key digests of what was to be restored and was not, or not exactly."""

    @property
    def complete(self) -> bool:
        """Whether every item is decided on, and every one to be restored is."""
        return not (self.source_changed or self.undecided or self.skipped)


def apply(plan: Plan, connection: Connection, ledger: Ledger) -> Tally:
    """Write back what the plan decides to restore. Raises UsageError where the tables are not the plan's.

    Raises Error where a call fails: what was done until then is in the ledger, and another run goes on.
    """
    client = connection.client()
    if client.meta.endpoint_url != plan.endpoint:
        raise UsageError(f"the plan was made at {plan.endpoint}, this is {client.meta.endpoint_url}: nothing was begun")
    source, _ = (_checked(client, table, plan.key) for table in (plan.restored, plan.live))
    wanted = {entry.digest: entry for entry in plan.entries if entry.decision is Decision.RESTORE}
    waiting = {digest: entry for digest, entry in wanted.items() if digest not in ledger.outcomes}
    writer = _Writer(client, plan, ledger)
    for digest, item in _held(connection, source, waiting):
        if item_digest(item) == waiting[digest].restored:
            del waiting[digest]
            writer.bring_back(wanted[digest], item)
    done = {digest: outcome for digest, outcome in ledger.outcomes.items() if digest in wanted}
    fine = (Outcome.RESTORED, Outcome.REPEATED, Outcome.ALREADY)
    return Tally(
        outcomes=Counter(done.values()),
        source_changed=len(waiting),
        undecided=plan.undecided,
        skipped=tuple((digest, outcome) for digest, outcome in sorted(done.items()) if outcome not in fine),
    )


def _checked(client: Any, table: TableId, key: tuple[str, ...]) -> TableFacts:
    """The table, if it is the one that the plan was made of."""
    facts = describe_table(client, table.arn.rsplit("/", 1)[-1])
    if facts.table.arn != table.arn or facts.table.id != table.id or facts.key != key:
        raise UsageError("not the table that the plan was made of: nothing was begun", where=table.arn)
    return facts


def _held(
    connection: Connection, source: TableFacts, waiting: dict[bytes, Entry]
) -> Iterator[tuple[bytes, Attributes]]:
    """The restored table's items that are waited for, as they are read; the scan ends once there is none left."""
    for segment in segments_of(connection, source, ScanOptions(), segments=1, processes=1):
        for _, item, _ in segment.items():
            if not waiting:
                return
            if (digest := key_digest(item, source.key)) in waiting:
                yield digest, item


class _Writer:
    """Writes to the live table."""

    def __init__(self, client: Any, plan: Plan, ledger: Ledger) -> None:
        self._client, self._plan, self._ledger = client, plan, ledger
        self._table = plan.live.arn.rsplit("/", 1)[-1]

    def bring_back(self, entry: Entry, restored: Attributes) -> None:
        """Write one item back, if the live table still has what the plan saw."""
        live = self._read(restored)
        found = None if live is None else item_digest(live)
        if found == entry.restored:
            self._ledger.result(entry.digest, Outcome.ALREADY)
        elif found != entry.live:
            self._ledger.result(entry.digest, Outcome.CHANGED)
        else:
            self._write(entry, restored, live)

    def _read(self, restored: Attributes) -> Attributes | None:
        key = to_client({name: restored[name] for name in self._plan.key})
        reply = self._call("get_item", {"TableName": self._table, "Key": key, "ConsistentRead": True})
        return from_client(reply["Item"]) if reply and "Item" in reply else None

    def _write(self, entry: Entry, restored: Attributes, live: Attributes | None) -> None:
        if live is None:
            operation, request = "put_item", put_request(self._table, restored, self._plan.key)
        else:
            update = update_request(self._table, restored, live, self._plan.key)
            if update is None:
                self._ledger.result(entry.digest, Outcome.TOO_LARGE)
                return
            operation, request = "update_item", update
        repeated = live is None and entry.digest in self._ledger.begun
        self._ledger.intent(entry.digest)
        outcome = _outcome(self._call(operation, request), entry)
        self._ledger.result(entry.digest, Outcome.REPEATED if repeated and outcome is Outcome.RESTORED else outcome)

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """The reply; None where the condition was not met."""
        try:
            reply: dict[str, Any] = getattr(self._client, operation)(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise _failed(operation, error, self._table) from error
        except BotoCoreError as error:
            raise _failed(operation, error, self._table) from error
        return reply


def _outcome(reply: dict[str, Any] | None, entry: Entry) -> Outcome:
    if reply is None:
        return Outcome.CHANGED
    if "Attributes" in reply and item_digest(from_client(reply["Attributes"])) != entry.restored:
        return Outcome.MERGED
    return Outcome.RESTORED


def _failed(operation: str, error: Exception, table: str) -> Error:
    return Error(f"{operation} failed: {error}", where=table, hint="run the same command again: it goes on from here")
