"""The accounts of a drill, opened: clients, and the clock that goes with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from backcheck.accounts import Choice
from backcheck.drill.reach import FAILED_CALLS, Clock, MachineClock
from backcheck.errors import Error, UsageError
from backcheck.inventory.collect.connect import Kind, Target, assumed, targets
from backcheck.policy.model import Policy

if TYPE_CHECKING:
    from backcheck.sandbox.clock import Clock as SandboxTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a drill works with."""

    targets: tuple[Target, ...]
    """To read with, as whoever called."""
    acting: tuple[Target, ...]
    """To drill with, as the policy's roles.drill where it names one."""
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
        yield Opened(targets=found, acting=as_drill_role(found, policy), clock=MachineClock())
        return
    from backcheck.sandbox import Sandbox

    with Sandbox.from_scenario(choice.sandbox) as sandbox:
        inside = tuple(
            Target(account=account, session=sandbox.session(account=account.id), kind=Kind.SANDBOX)
            for account in policy.accounts
        )
        acting = as_drill_role(inside, policy)
        yield Opened(targets=inside, acting=acting, clock=SandboxClock(sandbox.clock))


def as_drill_role(targets: tuple[Target, ...], policy: Policy) -> tuple[Target, ...]:
    """The same accounts as the policy's roles.drill, which is assumed in each where the caller is not it already.

    Raises Error where nobody can tell who calls.
    """
    role = policy.roles.drill
    return tuple(_as_role(one, role) for one in targets) if role else targets


def _as_role(target: Target, role: str) -> Target:
    region = target.session.region_name or "us-east-1"
    try:
        caller = target.session.client("sts", region_name=region, endpoint_url=target.endpoint_url)
        arn = str(caller.get_caller_identity()["Arn"])
        if f":assumed-role/{role}/" in arn:
            return target
        wanted = f"arn:{arn.split(':')[1]}:iam::{target.account.id}:role/{role}"
        return replace(target, session=assumed(target, wanted))
    except FAILED_CALLS as error:
        raise Error(
            f"the drill role {role} could not be taken on: {error}",
            where=f"account {target.account.id}",
            hint="it must trust whoever calls; without roles.drill in the policy the caller drills",
        ) from error
