"""Reaping: what dead drills left behind is taken away, by their own ledgers and by nothing else.

A drill that was killed has told the history nothing: reaping does, so that the audit hears of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from backcheck.drill import history
from backcheck.drill.canary import is_left
from backcheck.drill.ledger import Account, reopened
from backcheck.drill.reach import Clock, Patience, Reach
from backcheck.drill.record import DrillRecord
from backcheck.drill.removal import GONE, Remover
from backcheck.errors import Error
from backcheck.inventory.gap import Gap

DIED = "the drill died; reaped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """What became of one table, or of one ledger."""

    what: str
    done: bool
    text: str


def reap(
    folder: Path,
    reach: Reach,
    clock: Clock,
    patience: Patience,
    *,
    limit: timedelta = timedelta(hours=2),
    drills: Path | None = None,
) -> Iterator[Reaped]:
    """Finish every dead run whose ledger is in the folder. A run that is alive is left alone, and named.

    `drills` is the history, which gets a record of each restore that was finished here and has none.
    """
    for path in sorted(folder.glob("*.jsonl")):
        try:
            yield from _one(path, reach, clock, patience, limit, drills)
        except Error as error:
            yield Reaped(what=str(path), done=False, text=error.diagnostics())
        except OSError as error:
            yield Reaped(what=str(path), done=False, text=f"the ledger cannot be opened: {error.strerror}")


def _one(
    path: Path, reach: Reach, clock: Clock, patience: Patience, limit: timedelta, drills: Path | None
) -> Iterator[Reaped]:
    with reopened(path, clock.now) as ledger:
        if ledger is None:
            yield Reaped(what=path.stem, done=True, text="this drill is under way: left alone")
            return
        rest = [one.deed for one in ledger.accounts if not one.noted(GONE) or is_left(one)]
        if rest:
            reach.check_callers({(deed.account, deed.region) for deed in rest})
        remover = Remover(reach, ledger, clock, patience)
        for deed in rest:
            removed = remover.remove(deed.target, limit=limit)
            if removed.done and not ledger.account(deed.target).noted(GONE):
                ledger.note(deed.target, GONE)
            yield Reaped(what=deed.target_arn, done=removed.done, text=removed.text)
            if removed.done and drills is not None:
                yield from _recorded(drills, _died(ledger.account(deed.target), reach, clock))


def _recorded(drills: Path, record: DrillRecord) -> Iterator[Reaped]:
    """Add the record, unless the run told of this restore itself. A history that cannot be read is left as it is."""
    known = history.read(drills) if drills.exists() else ()
    if isinstance(known, Gap):
        yield Reaped(what=str(drills), done=False, text=f"no record of {record.run_id} was added: {known.detail}")
        return
    if _key(record) not in map(_key, known):
        history.append(drills, [record])


def _key(record: DrillRecord) -> tuple[str, str, str]:
    return record.run_id, record.table_arn, record.method


def _died(account: Account, reach: Reach, clock: Clock) -> DrillRecord:
    """What is known of a restore whose drill was killed: that it was begun, and that it is cleaned up by now."""
    started = account.entries[0].at
    return DrillRecord(
        run_id=account.run_id,
        account=account.deed.source_arn.split(":")[4],
        table_arn=account.deed.source_arn,
        method=str(account.deed.method),
        started=started,
        finished=max(started, clock.now()),
        active_minutes=None,
        verified_minutes=None,
        passed=False,
        undetermined=True,
        integrity="not-proven",
        witness="none",
        independent=False,
        settings="",
        cleaned_up=True,
        simulated=reach.simulated,
        detail=DIED,
    )
