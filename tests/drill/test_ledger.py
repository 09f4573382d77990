from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from backcheck.controls import examples
from backcheck.drill import ledger
from backcheck.drill.ledger import Deed, Ledger
from backcheck.errors import Error
from backcheck.policy.model import Method

RUN = "20261122t120000z-abc123"


def now() -> datetime:
    return examples.NOW


DEED = Deed(
    method=Method.PITR,
    account=examples.ACCOUNT,
    region="us-east-1",
    target="drill-x",
    target_arn="arn:x",
    source_arn=examples.TABLE_ARN,
    recovery_point_arn=None,
    tags={"backcheck:drill": RUN},
)


def lines(folder: Path) -> list[str]:
    return (folder / f"{RUN}.jsonl").read_text().splitlines()


def test_the_intent_is_on_disk_before_the_call_is_made(tmp_path: Path) -> None:
    seen: list[str] = []
    with ledger.opened(tmp_path, RUN, "drill-", now) as book:
        book.deed(DEED)
        book.call("drill-x", "dynamodb:X", lambda: seen.extend(lines(tmp_path)))
    assert '"intent"' in seen[-1]
    assert '"dynamodb:X"' in seen[-1]
    assert '"outcome":"ok"' in lines(tmp_path)[-1]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ClientError({"Error": {"Code": "Denied", "Message": ""}}, "X"), "Denied"),
        (EndpointConnectionError(endpoint_url="http://x"), "unknown: EndpointConnectionError"),
    ],
)
def test_a_failed_call_is_told_and_raised(tmp_path: Path, error: Exception, outcome: str) -> None:
    def fail() -> None:
        raise error

    with ledger.opened(tmp_path, RUN, "drill-", now) as book:
        book.deed(DEED)
        with pytest.raises(type(error)):
            book.call("drill-x", "dynamodb:X", fail)
        assert book.account("drill-x").began("dynamodb:X") == examples.NOW
        assert not book.account("drill-x").succeeded("dynamodb:X")
    assert f'"{outcome}"' in lines(tmp_path)[-1]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    with ledger.opened(tmp_path, RUN, "drill-", now) as book:
        book.deed(DEED)
        book.call("drill-x", "backup:StartRestoreJob", lambda: {"RestoreJobId": "job", "Secret": "s"})
        book.note("drill-x", "gone")
    with ledger.reopened(tmp_path / f"{RUN}.jsonl", now) as again:
        assert again is not None
        account = again.account("drill-x")
    assert account.deed == DEED
    assert account.told("backup:StartRestoreJob", "RestoreJobId") == "job"
    assert account.noted("gone")
    assert "Secret" not in "".join(lines(tmp_path))


def test_a_line_that_was_being_written_is_left_out_and_writing_goes_on(tmp_path: Path) -> None:
    with ledger.opened(tmp_path, RUN, "drill-", now) as book:
        book.deed(DEED)
    path = tmp_path / f"{RUN}.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at": "2026')
    with ledger.reopened(path, now) as again:
        assert again is not None
        again.note("drill-x", "gone")
    assert path.read_bytes().startswith(whole)
    assert len(ledger.read(path.read_bytes(), "x")) == 3


@pytest.mark.parametrize("line", [b"nonsense\n", b"{}\n", b'{"at":"x","event":"deed"}\n'])
def test_a_damaged_ledger_is_nothing_to_delete_by(tmp_path: Path, line: bytes) -> None:
    with ledger.opened(tmp_path, RUN, "drill-", now):
        pass
    path = tmp_path / f"{RUN}.jsonl"
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(Error, match="damaged: nothing is deleted"), ledger.reopened(path, now):
        pass


def test_another_file_is_no_ledger() -> None:
    other = b'{"at":"2026-11-22T12:00:00Z","event":"note","target":"","call":"","outcome":"","data":{}}\n'
    with pytest.raises(Error, match="not a drill's ledger"):
        ledger.read(other, "x")


def test_a_run_that_is_alive_holds_its_ledger(tmp_path: Path) -> None:
    with ledger.opened(tmp_path, RUN, "drill-", now), ledger.reopened(tmp_path / f"{RUN}.jsonl", now) as again:
        assert again is None


def test_a_run_has_one_ledger(tmp_path: Path) -> None:
    with ledger.opened(tmp_path, RUN, "drill-", now):
        pass
    with pytest.raises(Error, match="cannot be written"), ledger.opened(tmp_path, RUN, "drill-", now):
        pass


def test_a_table_of_another_run_is_not_in_it(tmp_path: Path) -> None:
    with ledger.opened(tmp_path, RUN, "drill-", now) as book:
        assert isinstance(book, Ledger)
        with pytest.raises(Error, match="not in this run"):
            book.account("drill-y")
