"""The ledger of a drill: what it was about to do, on disk before it is done, and what came of it. Append-only JSONL.

A ledger is locked while its run is alive. A lock ends with its process, also one that was killed: what is not locked
may be reaped.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import orjson
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from backcheck.errors import Error
from backcheck.policy.model import Method

SCHEMA = "backcheck/ledger/v1"
FOLDER = "ledgers"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a drill answers for: one table that it makes."""

    method: Method
    account: str
    region: str
    target: str
    target_arn: str
    source_arn: str
    recovery_point_arn: str | None
    tags: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryKeys:
    """The items that a drill writes into its source table, to take them away again."""

    role_arn: str
    account: str
    region: str
    table: str
    keys: dict[str, dict[str, dict[str, str]]]
    """Half (before, after) to the item's key, as attribute values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line."""

    at: datetime
    event: str
    """run, deed, canary, intent, result or note."""
    target: str
    call: str
    outcome: str
    """Of a result: ok, or the error's code."""
    data: dict[str, Any]


class Ledger:
    """One run's ledger, open for writing."""

    def __init__(self, file: IO[bytes], now: Callable[[], datetime], entries: tuple[Entry, ...] = ()) -> None:
        """Use `opened` or `reopened`."""
        self._file = file
        self._now = now
        self._entries = list(entries)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """What it tells so far, a deed each."""
        return _accounts(tuple(self._entries))

    def account(self, target: str) -> Account:
        """What it tells of one table. Raises Error where it is not of this run."""
        found = next((one for one in self.accounts if one.deed.target == target), None)
        if found is None:
            raise Error("not in this run's ledger", where=target)
        return found

    def deed(self, deed: Deed) -> None:
        """A table that is going to be made; written before anything is asked of AWS about it."""
        self._write("deed", deed.target, data=asdict(deed))

    def canary(self, target: str, keys: CanaryKeys) -> None:
        """Items that are going to be written into the source table."""
        self._write("canary", target, data=asdict(keys))

    def note(self, target: str, text: str) -> None:
        """Something that a reader of the ledger should know, such as that a table was seen to be gone."""
        self._write("note", target, call=text)

    def call(self, target: str, name: str, work: Callable[[], Result]) -> Result:
        """Make a call that changes something: intent first, on disk; then the call; then what came of it."""
        self._write("intent", target, call=name)
        try:
            result = work()
        except ClientError as error:
            self._write("result", target, call=name, outcome=str(error.response["Error"]["Code"]))
            raise
        except (BotoCoreError, ResponseParserError) as error:
            self._write("result", target, call=name, outcome=f"unknown: {type(error).__name__}")
            raise
        self._write("result", target, call=name, outcome="ok", data=_told(result))
        return result

    def _write(
        self, event: str, target: str, *, call: str = "", outcome: str = "", data: dict[str, Any] | None = None
    ) -> None:
        at = self._now()
        line = {"at": at.isoformat(), "event": event, "target": target, "call": call, "outcome": outcome}
        self._file.write(orjson.dumps({**line, "data": data or {}}, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._entries.append(Entry(at=at, event=event, target=target, call=call, outcome=outcome, data=data or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a ledger tells of one deed."""

    run_id: str
    prefix: str
    """What the policy had drill tables called."""
    deed: Deed
    entries: tuple[Entry, ...]

    def _results(self, call: str) -> list[Entry]:
        return [one for one in self.entries if one.event == "result" and one.call == call]

    def began(self, call: str) -> datetime | None:
        """When the call was first about to be made; None: it never was."""
        return next((one.at for one in self.entries if one.event == "intent" and one.call == call), None)

    def succeeded(self, call: str) -> bool:
        """Whether AWS took the call."""
        return any(one.outcome == "ok" for one in self._results(call))

    def told(self, call: str, name: str) -> str | None:
        """A field of the call's reply that was kept."""
        found = [one.data.get(name) for one in self._results(call) if one.outcome == "ok"]
        return str(found[-1]) if found and found[-1] else None

    @property
    def canary(self) -> CanaryKeys | None:
        """The items that it wrote into the source table; None: it was to write none."""
        found = next((one for one in self.entries if one.event == "canary"), None)
        return None if found is None else _canary(found)

    def noted(self, text: str) -> bool:
        """Whether a note says so."""
        return any(one.event == "note" and one.call == text for one in self.entries)


@contextmanager
def opened(folder: Path, run_id: str, prefix: str, now: Callable[[], datetime]) -> Iterator[Ledger]:
    """A new ledger, locked. Raises Error where one of this run exists or the folder cannot be written."""
    path = folder / f"{run_id}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except OSError as error:
        raise Error(f"the ledger cannot be written: {error.strerror}", where=str(path)) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _sync_folder(folder)
        ledger = Ledger(file, now)
        ledger._write("run", "", data={"schema": SCHEMA, "run_id": run_id, "prefix": prefix})
        yield ledger


@contextmanager
def reopened(path: Path, now: Callable[[], datetime]) -> Iterator[Ledger | None]:
    """A dead run's ledger, locked; None while its run is alive. Raises Error for a damaged one."""
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        text = file.read()
        entries = read(text, str(path))
        file.truncate(text.rfind(b"\n") + 1)  # a line that was being written: its call was never made
        file.seek(0, os.SEEK_END)
        yield Ledger(file, now, entries)


def read(text: bytes, where: str) -> tuple[Entry, ...]:
    """The lines of a ledger. A last line without its end was being written when the run died, and is left out.

    Raises Error for any other line that is not one: then nothing may be deleted on its word.
    """
    whole = text[: text.rfind(b"\n") + 1].splitlines()
    entries = tuple(_entry(line, f"{where}:{number}") for number, line in enumerate(whole, start=1))
    if entries and (entries[0].event != "run" or entries[0].data.get("schema") != SCHEMA):
        raise Error("not a drill's ledger", where=where)
    _accounts(entries)
    return entries


def _accounts(entries: tuple[Entry, ...]) -> tuple[Account, ...]:
    return tuple(
        Account(
            run_id=str(entries[0].data["run_id"]),
            prefix=str(entries[0].data["prefix"]),
            deed=_deed(one),
            entries=tuple(other for other in entries if other.target == one.target),
        )
        for one in entries
        if one.event == "deed"
    )


def _entry(line: bytes, where: str) -> Entry:
    try:
        held = orjson.loads(line)
        return Entry(
            at=datetime.fromisoformat(held["at"]),
            event=str(held["event"]),
            target=str(held["target"]),
            call=str(held["call"]),
            outcome=str(held["outcome"]),
            data=dict(held["data"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Error("the ledger is damaged: nothing is deleted on its word", where=where) from error


def _deed(entry: Entry) -> Deed:
    held = entry.data
    try:
        return Deed(
            method=Method(held["method"]),
            account=str(held["account"]),
            region=str(held["region"]),
            target=str(held["target"]),
            target_arn=str(held["target_arn"]),
            source_arn=str(held["source_arn"]),
            recovery_point_arn=held["recovery_point_arn"],
            tags=dict(held["tags"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Error("the ledger is damaged: nothing is deleted on its word", where=entry.target) from error


def _canary(entry: Entry) -> CanaryKeys:
    held = entry.data
    try:
        return CanaryKeys(
            role_arn=str(held["role_arn"]),
            account=str(held["account"]),
            region=str(held["region"]),
            table=str(held["table"]),
            keys=dict(held["keys"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Error("the ledger is damaged: nothing is deleted on its word", where=entry.target) from error


def _told(result: object) -> dict[str, Any]:
    """What of a reply a reaper needs; nothing else of it is kept."""
    if not isinstance(result, dict):
        return {}
    kept: dict[str, Any] = {}
    if "RestoreJobId" in result:
        kept["RestoreJobId"] = result["RestoreJobId"]
    if "TableDescription" in result:
        kept["TableId"] = result["TableDescription"].get("TableId")
    return kept


def _sync_folder(folder: Path) -> None:
    """The name of a new file is on disk only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
