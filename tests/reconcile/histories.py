"""Every short history of one item, and what AWS's pages and the runbook say that a plan is to make of it.

Nothing here shares code or thought with backcheck.reconcile: histories are lists of states, exports are built as
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html describes them, and the truth
is read off the whole history, which a plan never sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

from backcheck.reconcile.classify import Change, Window

State = bytes | None
"""The item's image; None: there is no such item."""

STATES: tuple[State, ...] = (None, b"good", b"other")
UNWRITTEN = "nothing is written in this slot"
SLOTS = 5
"""One just before the bad window, two in it, two after it."""

ZERO = datetime(2026, 11, 2, 10, tzinfo=UTC)
EARLY, BAD_FROM, BAD_UNTIL, NOW = 0, 1, 3, SLOTS


def at(slot: int) -> datetime:
    """When a slot begins."""
    return ZERO + timedelta(minutes=10 * slot)


def span(start: int, end: int) -> Window:
    """The window of the slots from one to before another."""
    return Window(start=at(start), end=at(end))


BAD = span(BAD_FROM, BAD_UNTIL)


@dataclass(frozen=True, slots=True)
class History:
    """What became of one item: its state at first, and a write, or none, in each slot."""

    first: State
    writes: tuple[State | str, ...]

    def before(self, slot: int) -> State:
        """The state when a slot begins."""
        state = self.first
        for write in self.writes[:slot]:
            state = state if isinstance(write, str) else write
        return state

    def written(self, start: int, end: int) -> list[int]:
        """The slots with a write. To delete what is not there is none."""
        return [
            slot
            for slot in range(start, end)
            if not isinstance(self.writes[slot], str) and not (self.writes[slot] is None and self.before(slot) is None)
        ]

    def record(self, start: int, end: int) -> Change | None:
        """The one record of an incremental export with both images, if there is one."""
        written = self.written(start, end)
        old, new = self.before(start), self.before(end)
        if not written or (old is None and new is None):  # "Insert + delete: no output"
            return None
        return Change(window=span(start, end), written=at(written[-1]) + timedelta(minutes=1), before=old, after=new)

    def truth(self, *, accused: bool = True) -> str:
        """What is right to do, for somebody who has seen everything: the runbook's table of classes."""
        good, now = self.before(BAD_FROM), self.before(NOW)
        touched = accused and bool(self.written(BAD_FROM, BAD_UNTIL))
        since = bool(self.written(BAD_UNTIL, NOW))
        if good == now:
            return "nothing"
        if not touched:
            return "deleted" if now is None else "keep"
        if not since:
            return "undetermined" if good is None else "restore"
        if now is None:
            return "deleted"
        return "keep" if good is None else "conflict"

    def made_again_and_deleted_again(self) -> bool:
        """The runbook's step 6: no export shows it, as it was away both before and after."""
        return self.before(BAD_UNTIL) is None and self.before(NOW) is None and bool(self.written(BAD_UNTIL, NOW))

    def written_to_just_what_the_deployment_left(self) -> bool:
        """The runbook's step 4: only a second export, of the time since, makes the plan notice it."""
        return self.before(BAD_UNTIL) == self.before(NOW) and bool(self.written(BAD_UNTIL, NOW))


def every() -> Iterator[History]:
    """All of them."""
    for first in STATES:
        for writes in product((UNWRITTEN, *STATES), repeat=SLOTS):
            yield History(first, writes)
