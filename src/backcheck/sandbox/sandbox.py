"""The sandbox itself: an AWS account in this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.handlers import BUILTIN_HANDLERS

from backcheck.errors import UsageError
from backcheck.sandbox import all_operations, caller, dynamodb, keys, managed_policies, moto_seams, points, tables
from backcheck.sandbox.clock import Clock
from backcheck.sandbox.faults import Faults
from backcheck.sandbox.models import botocore_session
from backcheck.sandbox.server import Server
from backcheck.sandbox.wire import Wire
from backcheck.sandbox.world import World

SECRET = "sandbox"  # noqa: S105  nothing checks it

_open: Wire | None = None


def _before_send(event_name: str, request: Any, **_: object) -> Any:
    """In every botocore session made since this import: does nothing unless a sandbox is open."""
    return None if _open is None else _open.before_send(event_name, request)


BUILTIN_HANDLERS.append(("before-send", _before_send))


class Sandbox:
    """An AWS account that exists while the `with` block lasts, on a clock that is moved by hand.

    Every boto3 client made inside the block talks to it, whatever session it comes from; none reaches a network, and
    the machine's AWS settings and credentials are out of sight. One sandbox is open in a process at a time.
    """

    def __init__(self, *, account: str = "123456789012", start: datetime, seed: int = 0) -> None:
        """`start` is aware. Equal starts, seeds and calls give equal histories."""
        if not (len(account) == 12 and account.isdigit()):
            raise UsageError(f"an AWS account has twelve digits, not {account!r}")
        all_operations.load()
        self.world = World(account=account, start=start, seed=seed)
        self._wire = Wire(self.world)
        self._servers: list[Server] = []
        self._sessions: dict[str, boto3.Session] = {}
        self._environment: dict[str, str] | None = None

    @classmethod
    def from_scenario(cls, path: Path | str, *, seed: int = 0) -> Sandbox:
        """The account that a scenario describes, its history included: a file, or a name in fixtures/scenarios.

        Raises UsageError for a scenario that is not one.
        """
        from backcheck.sandbox.scenario import load

        scenario = load(path)
        sandbox = cls(account=scenario.account, start=scenario.start, seed=seed)
        sandbox._scenario = scenario
        return sandbox

    _scenario: Any = None

    @property
    def account(self) -> str:
        """The account that clients are in unless told otherwise."""
        return self.world.account

    @property
    def clock(self) -> Clock:
        """The sandbox's time."""
        return self.world.clock

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        return self.world.faults

    def organize(self, *accounts: str) -> None:
        """Put these accounts, and the sandbox's own, into one organisation."""
        self.world.organization = frozenset({self.account, *accounts})

    def delete_point(self, arn: str) -> None:
        """Take a recovery point away past every lock and policy, as if somebody had found a way.

        Raises UsageError for one that is not there.
        """
        for region in self.world.regions():
            if (point := region.points.get(arn)) is not None:
                points.discard(region, point)
                return
        raise UsageError(f"there is no recovery point {arn}")

    def session(self, *, account: str | None = None, role: str | None = None) -> boto3.Session:
        """A session in an account, as its root or as one of its roles (by name)."""
        account = account or self.account
        session = boto3.Session(
            aws_access_key_id=caller.access_key(account),
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            botocore_session=botocore_session(),
        )
        if role is None:
            return session
        arn = f"arn:aws:iam::{account}:role/{role}"
        given = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="sandbox")["Credentials"]
        return boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name="us-east-1",
            botocore_session=botocore_session(),
        )

    def client(self, service: str, *, region: str = "us-east-1", account: str | None = None) -> Any:
        """A client of one service, as the account's root."""
        account = account or self.account
        if account not in self._sessions:
            self._sessions[account] = self.session(account=account)
        return self._sessions[account].client(service, region_name=region)

    def serve(self, *, port: int = 0) -> Server:
        """Serve it on 127.0.0.1 for any AWS client; port 0 takes a free one. Closed with the sandbox."""
        server = Server(self._wire, port=port)
        self._servers.append(server)
        self._wire.served_at.add(server.address)
        return server

    def __enter__(self) -> Sandbox:
        """Open it. Raises UsageError while another one is open."""
        global _open
        if _open is not None:
            raise UsageError("a sandbox is open already in this process", hint="close it first")
        _open = self._wire
        self._environment = _hide_aws_settings(self.account)
        tables.forget()
        dynamodb.forget()
        moto_seams.reset()
        default = self.account
        moto_seams.engage(
            moto_seams.Seams(
                now=self.world.clock.now,
                act=self._wire.act,
                account=lambda response: caller.account_of(response, default),
                dynamo_result=dynamodb.FastResult,
                add=dynamodb.add,
                subtract=dynamodb.subtract,
                private_key=keys.private_key,
            )
        )
        managed_policies.install(self.account)
        if self._scenario is not None:
            self._build()
        return self

    def _build(self) -> None:
        from backcheck.sandbox.scenario import build

        try:
            build(self, self._scenario)
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it; nothing of it is left."""
        self.close()

    def close(self) -> None:
        """Stop the servers, empty moto, restore the environment."""
        global _open
        for server in self._servers:
            server.close()
        moto_seams.release()
        tables.forget()
        dynamodb.forget()
        if self._environment is not None:
            _restore(self._environment)
            self._environment = None
        _open = None


def _hide_aws_settings(account: str) -> dict[str, str]:
    """No endpoint, profile or credentials of the machine's: with an endpoint set, calls would pass the sandbox by."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
    os.environ.update(
        AWS_ACCESS_KEY_ID=caller.access_key(account),
        AWS_SECRET_ACCESS_KEY=SECRET,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    return hidden


def _restore(hidden: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(hidden)
