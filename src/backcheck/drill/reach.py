"""How a drill reaches its accounts, and how it waits: the only place that makes clients and looks at a clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from backcheck import __version__
from backcheck.errors import Error, UsageError
from backcheck.inventory.collect.connect import Kind, Target, assumed, is_aws, is_intercepted
from backcheck.inventory.collect.failure import CREDENTIALS, UNSUPPORTED
from backcheck.manifest.scan import Connection

Found = TypeVar("Found")

FAILED_CALLS = (ClientError, BotoCoreError, ResponseParserError)
"""What a call raises that was not answered as asked."""

BUSY = ("LimitExceededException", "ThrottlingException", "ServiceUnavailableException")
"""Not now: more restores or requests than AWS takes at once."""


class Clock(Protocol):
    """Time, and letting it pass."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass; in a sandbox its own clock is advanced."""
        ...


class MachineClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to look, and when to give up."""

    first_seconds: float = 5.0
    factor: float = 1.5
    longest_seconds: float = 60.0
    limit: timedelta = timedelta(hours=8)
    settle: timedelta = timedelta(seconds=60)
    """How long AWS may take to show what was just made: listings and DescribeTable are eventually consistent. However
    often somebody looks, 'there is nothing' is only believed after it."""

    def wait(
        self, look: Callable[[], Found | None], clock: Clock, what: str, *, limit: timedelta | None = None
    ) -> Found:
        """What `look` finds, looked for less and less often. Raises GaveUpError where it is not there in time."""
        until = clock.now() + (limit or self.limit)
        pause = self.first_seconds
        while (found := look()) is None:
            if clock.now() >= until:
                raise GaveUpError(f"gave up after {(limit or self.limit).total_seconds() / 60:.0f} min", where=what)
            clock.sleep(pause)
            pause = min(pause * self.factor, self.longest_seconds)
        return found


class Reach:
    """The accounts of a drill."""

    def __init__(self, targets: Sequence[Target]) -> None:
        """One target an account."""
        self._targets = {target.account.id: target for target in targets}
        self._clients: dict[tuple[str, str, str, str], Any] = {}

    @property
    def simulated(self) -> bool:
        """Whether any account is not AWS itself."""
        return any(target.kind is not Kind.LIVE for target in self._targets.values()) or is_intercepted()

    def client(self, service: str, account: str, region: str, *, role_arn: str = "") -> Any:
        """A client, of a role that is assumed first where one is named.

        Raises UsageError for an account that the policy does not have, or a live one that is not AWS.
        """
        key = (service, account, region, role_arn)
        if key not in self._clients:
            target = self._target(account)
            session = assumed(target, role_arn) if role_arn else target.session
            client = session.client(service, region_name=region, endpoint_url=target.endpoint_url, config=_config())
            if target.kind is Kind.LIVE and not is_aws(client.meta.endpoint_url):
                raise UsageError(f"--live, but {service} would be called at {client.meta.endpoint_url}")
            self._clients[key] = client
        return self._clients[key]

    def connection(self, account: str, region: str) -> Connection:
        """For scans."""
        target = self._target(account)
        return Connection(region=region, endpoint_url=target.endpoint_url, session=target.session)

    def check_callers(self, places: Iterable[tuple[str, str]]) -> None:
        """Raise UsageError unless the credentials for each (account, region) are of that very account."""
        for account, region in sorted(dict(places).items()):
            try:
                found = self.client("sts", account, region).get_caller_identity()["Account"]
            except (ClientError, BotoCoreError) as error:
                raise Error(f"sts:GetCallerIdentity failed: {error}", where=f"account {account}") from error
            if found != account:
                raise UsageError(
                    f"the credentials are of account {found}, the policy's is {account}: nothing was begun",
                    hint="name another profile or role",
                )

    def _target(self, account: str) -> Target:
        target = self._targets.get(account)
        if target is None:
            raise UsageError(f"account {account} is not one of the policy's")
        return target


def says_nothing(error: BaseException) -> bool:
    """Whether a failure says nothing of the backup: the call was denied, not supported, not answered, or put off.

    Nor does a witness that cannot be had: no restore was asked for. A cause counts as the failure itself. Anything else
    that AWS answers is a refusal of the restore.
    """
    if isinstance(error, ClientError):
        code = error_code(error)
        denied = "AccessDenied" in code or code in ("UnauthorizedOperation", "AuthorizationError")
        broken = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
        return denied or broken or code in UNSUPPORTED or code in CREDENTIALS or code in BUSY
    if isinstance(error, BotoCoreError | ResponseParserError | NoTurnError | NoWitnessError):
        return True
    return error.__cause__ is not None and says_nothing(error.__cause__)


class GaveUpError(Error):
    """Something did not come about in the time that was allowed."""


class NoTurnError(Error):
    """AWS had no room for one more restore for as long as somebody waited."""


class NoWitnessError(Error):
    """The source could not be read or exported before the restore, so none was asked for."""


def error_code(error: ClientError) -> str:
    """AWS's code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _config() -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": 6},
        connect_timeout=5,
        read_timeout=60,
        user_agent_extra=f"backcheck/{__version__}",
    )
