"""The sandbox's time: it stands still until it is advanced, and what is due happens in order."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta

from backcheck.errors import UsageError

Action = Callable[[], None]


class Clock:
    """A clock with a diary. Nothing in the sandbox reads the machine's time."""

    def __init__(self, start: datetime, lock: AbstractContextManager[object] | None = None) -> None:
        """`start` must be aware; it is kept in UTC. While time passes `lock` is held: no call comes in between."""
        if start.tzinfo is None:
            raise UsageError(f"the sandbox's start {start.isoformat()} has no time zone", hint="pass tzinfo=UTC")
        self._now = start.astimezone(UTC)
        self._diary: list[tuple[datetime, int, Action]] = []
        self._entries = itertools.count()
        self._ticking_since: float | None = None
        self._lock = lock if lock is not None else nullcontext()

    def now(self) -> datetime:
        """The present, aware and in UTC."""
        return self._now

    def at(self, moment: datetime, action: Action) -> None:
        """Have `action` happen at `moment`, or with the next step where that has passed. Ties keep their order."""
        heapq.heappush(self._diary, (max(moment, self._now), next(self._entries), action))

    def after(self, delay: timedelta, action: Action) -> None:
        """Have `action` happen `delay` from now."""
        self.at(self._now + delay, action)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let this much time pass: from one entry of the diary to the next, never minute by minute."""
        self.advance_to(self._now + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def advance_to(self, moment: datetime) -> None:
        """Let time pass until `moment`. Raises UsageError for a moment that has passed."""
        if moment < self._now:
            raise UsageError(f"the sandbox's clock cannot go back from {self._now} to {moment}")
        with self._lock:
            while self._diary and self._diary[0][0] <= moment:
                self._now, _, action = heapq.heappop(self._diary)
                action()
            self._now = max(moment, self._now)

    def tick(self) -> None:
        """From now on follow the machine's clock, whenever `catch_up` is called: what a served sandbox does."""
        self._ticking_since = time.monotonic()

    def catch_up(self) -> None:
        """Pass the time that has gone by on the machine since the last call; nothing unless `tick` was called."""
        if self._ticking_since is not None:
            before, self._ticking_since = self._ticking_since, time.monotonic()
            self.advance(seconds=self._ticking_since - before)
