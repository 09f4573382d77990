"""What `apply` was about to write, on disk before it is written, and what came of it. Append-only JSONL, beside it.

It is bound to its plan by the plan's id and locked while its run is alive; a lock ends with its process.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import orjson

from backcheck.errors import Error, UsageError

SCHEMA = "backcheck/reconcile-ledger/v1"


class Outcome(StrEnum):
    """What came of one item. Final: a later run leaves it alone, so that a deletion after it is never undone."""

    RESTORED = "restored"
    REPEATED = "restored; an earlier run ended while it was writing it: was it deleted since?"
    ALREADY = "already as restored"
    CHANGED = "skipped: written since the plan was made"
    MERGED = "restored, with an attribute that somebody added meanwhile"
    TOO_LARGE = "skipped: too many attributes for one condition"


class Ledger:
    """One plan's ledger, open for writing."""

    def __init__(self, file: IO[bytes], outcomes: dict[bytes, Outcome], begun: set[bytes]) -> None:
        """Use `opened`."""
        self._file = file
        self.outcomes = outcomes
        """What is known of each item, by key digest."""
        self.begun = begun
        """Items that a run was about to write, and of which it is not known whether it did."""

    def intent(self, digest: bytes) -> None:
        """On disk before the item is written."""
        self._write({"event": "intent", "key_digest": digest.hex()})
        self.begun.add(digest)

    def result(self, digest: bytes, outcome: Outcome) -> None:
        """What came of it."""
        self._write({"event": "result", "key_digest": digest.hex(), "outcome": str(outcome)})
        self.outcomes[digest] = outcome
        self.begun.discard(digest)

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()
        os.fsync(self._file.fileno())


def beside(plan: Path) -> Path:
    """Where a plan's ledger is."""
    return plan.with_name(plan.name + ".ledger.jsonl")


@contextmanager
def opened(path: Path, plan_id: str) -> Iterator[Ledger]:
    """The plan's ledger, new or as the last run left it, locked.

    Raises UsageError where another run is alive or it is another plan's, and Error for a damaged one.
    """
    try:
        file = path.open("a+b")
    except OSError as error:
        raise Error(f"the ledger cannot be written: {error.strerror}", where=str(path)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError("this plan is being applied already", where=str(path)) from error
        _sync_folder(path.parent)
        file.seek(0)
        text = file.read()
        ledger = _read(file, text, plan_id, str(path))
        file.truncate(text.rfind(b"\n") + 1)  # a line that was being written: its item was not touched, or is looked at
        if not text.rpartition(b"\n")[0]:
            ledger._write({"event": "plan", "schema": SCHEMA, "plan": plan_id})
        yield ledger


def _read(file: IO[bytes], text: bytes, plan_id: str, where: str) -> Ledger:
    outcomes: dict[bytes, Outcome] = {}
    begun: set[bytes] = set()
    for number, line in enumerate(text[: text.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            held = orjson.loads(line)
            if number == 1:
                _check_plan(held, plan_id, where)
                continue
            digest = bytes.fromhex(held["key_digest"])
            if held["event"] == "result":
                outcomes[digest] = Outcome(held["outcome"])
                begun.discard(digest)
            else:
                begun.add(digest)
        except (ValueError, TypeError, KeyError) as error:
            raise Error("the ledger is damaged: nothing is written on its word", where=f"{where}:{number}") from error
    return Ledger(file, outcomes, begun)


def _check_plan(held: dict[str, Any], plan_id: str, where: str) -> None:
    if held["event"] != "plan" or held["schema"] != SCHEMA or held["plan"] != plan_id:
        raise UsageError("the ledger of another plan", where=where, hint="give each plan a file name of its own")


def _sync_folder(folder: Path) -> None:
    """The name of a new file is on disk only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
