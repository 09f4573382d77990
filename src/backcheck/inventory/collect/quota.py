"""AWS's request rates, kept on our side: an audit must not take a production account's quota from its backups."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from backcheck.inventory.operations import BACKUP_CALLS_PER_SECOND, BY_ID

BURST_SECONDS = 1.0
"""How much unused rate may be spent at once."""


class Bucket:
    """A token bucket: `take` waits until one more request is within the rate."""

    def __init__(
        self, per_second: float, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`now` and `sleep` are seams for tests."""
        self._per_second = per_second
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = per_second * BURST_SECONDS
        self._at = now()

    def take(self) -> None:
        """Reserve one request, and wait for its turn."""
        with self._lock:
            now = self._now()
            self._tokens = min(self._per_second * BURST_SECONDS, self._tokens + (now - self._at) * self._per_second)
            self._at = now
            self._tokens -= 1
            wait = -self._tokens / self._per_second
        if wait > 0:
            self._sleep(wait)


class Quotas:
    """The buckets of one account: one by rate-limited operation and Region, one for all of AWS Backup by Region."""

    def __init__(self) -> None:
        """Buckets are made when they are first needed."""
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def take(self, service: str, operation: str, region: str) -> None:
        """Wait until this request is within AWS's documented rates."""
        rate = BY_ID[f"{service}:{operation}"].per_second
        if rate is not None:
            self._bucket(f"{service}:{operation}", region, rate).take()
        if service == "backup":
            self._bucket(service, region, BACKUP_CALLS_PER_SECOND).take()

    def _bucket(self, name: str, region: str, rate: float) -> Bucket:
        with self._lock:
            return self._buckets.setdefault((name, region), Bucket(rate))
