"""Reaping: what dead drills left behind is taken away, by their own ledgers and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from backcheck.drill.canary import is_left
from backcheck.drill.ledger import reopened
from backcheck.drill.reach import Clock, Patience, Reach
from backcheck.drill.removal import GONE, Remover
from backcheck.errors import Error


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """What became of one table, or of one ledger."""

    what: str
    done: bool
    text: str


def reap(
    folder: Path, reach: Reach, clock: Clock, patience: Patience, *, limit: timedelta = timedelta(hours=2)
) -> Iterator[Reaped]:
    """Finish every dead run whose ledger is in the folder. A run that is alive is left alone, and named."""
    for path in sorted(folder.glob("*.jsonl")):
        try:
            yield from _one(path, reach, clock, patience, limit)
        except Error as error:
            yield Reaped(what=str(path), done=False, text=error.diagnostics())
        except OSError as error:
            yield Reaped(what=str(path), done=False, text=f"the ledger cannot be opened: {error.strerror}")


def _one(path: Path, reach: Reach, clock: Clock, patience: Patience, limit: timedelta) -> Iterator[Reaped]:
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
