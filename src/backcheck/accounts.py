"""Which account a command looks at: exactly one of live, endpoint, sandbox, snapshot, named by the user."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backcheck.errors import UsageError
from backcheck.inventory import snapshot
from backcheck.inventory.model import Inventory
from backcheck.policy.model import Policy

Progress = Callable[[int], None]

ONE_ACCOUNT = "name one of --live, --endpoint-url URL, --sandbox SCENARIO, --snapshot FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the options say."""

    live: bool = False
    endpoint_url: str | None = None
    sandbox: str | None = None
    snapshot: Path | None = None
    profile: str | None = None
    role_arn: str | None = None
    regions: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise UsageError unless exactly one account is named. A sandbox is never chosen silently."""
        named = [bool(self.live), self.endpoint_url is not None, self.sandbox is not None, self.snapshot is not None]
        if sum(named) != 1:
            raise UsageError(
                "no account is named" if not any(named) else "more than one account is named", hint=ONE_ACCOUNT
            )
        if (self.profile or self.role_arn) and (self.sandbox is not None or self.snapshot is not None):
            raise UsageError("a profile or role means nothing to a sandbox or a snapshot", hint="leave it out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An inventory with the bytes that it is stored as."""

    inventory: Inventory
    data: bytes

    @property
    def sha256(self) -> str:
        """The digest of the snapshot's bytes."""
        return hashlib.sha256(self.data).hexdigest()


def take(choice: Choice, policy: Policy, progress: Progress = lambda _: None) -> Taken:
    """Read the account that was chosen. Raises UsageError for a wrong choice, Error where nothing can be read."""
    choice.check()
    if choice.snapshot is not None:
        inventory = snapshot.read(choice.snapshot)
        return Taken(inventory=inventory, data=choice.snapshot.read_bytes())
    inventory = _from_sandbox(choice, policy) if choice.sandbox is not None else _from_aws(choice, policy, progress)
    return Taken(inventory=inventory, data=snapshot.dumps(inventory))


def _from_aws(choice: Choice, policy: Policy, progress: Progress) -> Inventory:
    from backcheck.inventory.collect import collect
    from backcheck.inventory.collect.connect import Kind, targets

    kind = Kind.LIVE if choice.live else Kind.ENDPOINT
    accounts = targets(
        policy.accounts,
        kind=kind,
        profile=choice.profile,
        role_arn=choice.role_arn,
        endpoint_url=choice.endpoint_url,
    )
    return collect(accounts, policy, lambda: datetime.now(UTC), regions=choice.regions, progress=progress)


def _from_sandbox(choice: Choice, policy: Policy) -> Inventory:
    """The scenario's account, at the moment on the sandbox's own clock."""
    from backcheck.inventory.collect import collect
    from backcheck.inventory.collect.connect import Kind, Target
    from backcheck.sandbox import Sandbox

    with Sandbox.from_scenario(choice.sandbox or "") as sandbox:
        accounts = [
            Target(account=account, session=sandbox.session(account=account.id), kind=Kind.SANDBOX)
            for account in policy.accounts
        ]
        return collect(accounts, policy, sandbox.clock.now, regions=choice.regions)
