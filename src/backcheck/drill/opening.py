"""The accounts of a drill, opened: clients, and the clock that goes with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from backcheck.accounts import Choice
from backcheck.drill.reach import Clock, MachineClock
from backcheck.errors import UsageError
from backcheck.inventory.collect.connect import Kind, Target, targets
from backcheck.policy.model import Policy

if TYPE_CHECKING:
    from backcheck.sandbox.clock import Clock as SandboxTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a drill works with."""

    targets: tuple[Target, ...]
    clock: Clock


class SandboxClock:
    """A sandbox's own time: waiting lets it pass at once."""

    def __init__(self, time: SandboxTime) -> None:
        """`time` is the sandbox's clock."""
        self._time = time

    def now(self) -> datetime:
        """The sandbox's present."""
        return self._time.now()

    def sleep(self, seconds: float) -> None:
        """Advance it."""
        self._time.advance(seconds=seconds)


@contextmanager
def opened(choice: Choice, policy: Policy) -> Iterator[Opened]:
    """The accounts that were chosen. Raises UsageError for a snapshot, which nothing can be restored in."""
    choice.check()
    if choice.snapshot is not None:
        raise UsageError("nothing can be restored in a snapshot", hint="--live, --endpoint-url or --sandbox")
    if choice.sandbox is None:
        found = targets(
            policy.accounts,
            kind=Kind.LIVE if choice.live else Kind.ENDPOINT,
            profile=choice.profile,
            role_arn=choice.role_arn,
            endpoint_url=choice.endpoint_url,
        )
        yield Opened(targets=found, clock=MachineClock())
        return
    from backcheck.sandbox import Sandbox

    with Sandbox.from_scenario(choice.sandbox) as sandbox:
        inside = tuple(
            Target(account=account, session=sandbox.session(account=account.id), kind=Kind.SANDBOX)
            for account in policy.accounts
        )
        yield Opened(targets=inside, clock=SandboxClock(sandbox.clock))
