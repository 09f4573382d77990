"""Which account a command looks at: exactly one of live, endpoint, sandbox, snapshot, named by the user."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from backcheck.errors import UsageError
from backcheck.inventory import snapshot
from backcheck.inventory.model import Inventory
from backcheck.policy.model import PRIMARY, Account, Policy

Progress = Callable[[int], None]

REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+")

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
        if self.endpoint_url is not None:
            _check_url(self.endpoint_url)
        for region in self.regions:
            if not REGION.fullmatch(region):
                raise UsageError(f"{region!r} is not the name of a Region", hint="write it as us-east-1")
        if self.role_arn is not None and not ROLE.fullmatch(self.role_arn):
            raise UsageError(
                f"{self.role_arn!r} is not the ARN of a role", hint="write it as arn:aws:iam::123456789012:role/NAME"
            )
        if (self.profile or self.role_arn) and (self.sandbox is not None or self.snapshot is not None):
            raise UsageError("a profile or role means nothing to a sandbox or a snapshot", hint="leave it out")


def _check_url(url: str) -> None:
    """Raise UsageError for what no request could be sent to."""
    try:
        parts = urlsplit(url)
        there = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        there = False
    if not there:
        raise UsageError(f"--endpoint-url {url!r} is not a URL", hint="write it as http://127.0.0.1:4566")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An inventory with the bytes that it is stored as."""

    inventory: Inventory
    data: bytes

    @property
    def sha256(self) -> str:
        """The digest of the snapshot's bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An account that is there to be read, as often as need be."""

    home: Callable[[], str | None]
    """The Region of its profile or session; None where nothing says it."""
    identity: Callable[[], str]
    """Asks whose account it is: twelve digits. Raises Error where that cannot be told."""
    read: Callable[[Policy], Inventory]
    """Everything that an audit of a policy reads."""


def moment(text: str | None) -> datetime | None:
    """What `--at` says, in UTC; None where it is not given. Raises UsageError for a time without a zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text} is not a time", hint="write it as 2026-11-22T05:00:00Z") from error
    if found.tzinfo is None:
        raise UsageError(f"--at {text} has no time zone", hint="end it with Z for UTC")
    return found.astimezone(UTC)


def known_regions() -> frozenset[str]:
    """Every Region that the installed botocore knows, of any partition. It may be older than the newest Region."""
    partitions = orjson.loads(files("botocore").joinpath("data", "partitions.json").read_bytes())["partitions"]
    return frozenset(name for one in partitions for name in one["regions"] if REGION.fullmatch(name))


def take(choice: Choice, policy: Policy, progress: Progress = lambda _: None) -> Taken:
    """Read the account that was chosen. Raises UsageError for a wrong choice, Error where nothing can be read."""
    choice.check()
    if choice.snapshot is not None:
        inventory = snapshot.read(choice.snapshot)
        return Taken(inventory=inventory, data=choice.snapshot.read_bytes())
    with opened(choice, progress) as account:
        inventory = account.read(policy)
    return Taken(inventory=inventory, data=snapshot.dumps(inventory))


@contextmanager
def opened(choice: Choice, progress: Progress = lambda _: None) -> Iterator[Opened]:
    """The account that was chosen, but for a snapshot, which is read already."""
    if choice.sandbox is not None:
        yield from _sandbox(choice, choice.sandbox)
    else:
        yield _aws(choice, progress)


def _aws(choice: Choice, progress: Progress) -> Opened:
    from backcheck.inventory.collect import collect, whoami
    from backcheck.inventory.collect.connect import Kind, Target, targets

    def reached(accounts: tuple[Account, ...]) -> tuple[Target, ...]:
        return targets(
            accounts,
            kind=Kind.LIVE if choice.live else Kind.ENDPOINT,
            profile=choice.profile,
            role_arn=choice.role_arn,
            endpoint_url=choice.endpoint_url,
        )

    def read(policy: Policy) -> Inventory:
        clock = lambda: datetime.now(UTC)  # noqa: E731  where the real clock is looked at
        return collect(reached(policy.accounts), policy, clock, regions=choice.regions, progress=progress)

    def caller() -> Target:
        return reached((Account(key=PRIMARY, id=""),))[0]

    def identity() -> str:
        found = caller()
        return whoami(found, (*choice.regions, found.session.region_name or "us-east-1")[0])

    return Opened(home=lambda: caller().session.region_name, identity=identity, read=read)


def _sandbox(choice: Choice, scenario: str) -> Iterator[Opened]:
    """The scenario's account, at the moment on the sandbox's own clock."""
    from backcheck.inventory.collect import collect
    from backcheck.inventory.collect.connect import Kind, Target
    from backcheck.sandbox import Sandbox

    with Sandbox.from_scenario(scenario) as sandbox:

        def read(policy: Policy) -> Inventory:
            accounts = [
                Target(account=account, session=sandbox.session(account=account.id), kind=Kind.SANDBOX)
                for account in policy.accounts
            ]
            return collect(accounts, policy, sandbox.clock.now, regions=choice.regions)

        yield Opened(home=lambda: sandbox.session().region_name, identity=lambda: sandbox.account, read=read)
