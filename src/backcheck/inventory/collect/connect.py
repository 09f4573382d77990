"""Which accounts to read and how to reach them: profile, role and external id, endpoint."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ProfileNotFound

from backcheck import __version__
from backcheck.errors import UsageError
from backcheck.policy.model import Account

WORKERS = 16
"""Requests at once: botocore takes about 1.4 ms of the interpreter's lock a call, so more threads gain nothing."""

USER_AGENT = f"backcheck/{__version__} Boto3/{boto3.__version__}"
"""Whole: botocore would put its own together twice a request, about a seventh of the CPU of a request."""

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".c2s.ic.gov", ".sc2s.sgov.gov", ".cloud.adc-e.uk")
"""Where AWS's partitions live (dnsSuffix in botocore's partitions.json); anything else is an emulator's endpoint."""


class Kind(StrEnum):
    """What an account really is."""

    LIVE = "live"
    ENDPOINT = "endpoint"
    SANDBOX = "sandbox"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One account to read."""

    account: Account
    session: boto3.Session
    kind: Kind
    """What was asked for; what is recorded comes from the hosts that were really called."""
    endpoint_url: str | None = None


def targets(
    accounts: tuple[Account, ...],
    *,
    kind: Kind,
    profile: str | None = None,
    role_arn: str | None = None,
    endpoint_url: str | None = None,
) -> tuple[Target, ...]:
    """A target for each account of the policy; `role_arn` is assumed for the first instead of the policy's own.

    Raises UsageError for a profile that does not exist, and for `live` with an endpoint override.
    """
    base = _session(profile)
    if kind is Kind.LIVE:
        refuse_override(base, os.environ)
    found = []
    for index, account in enumerate(accounts):
        role = role_arn if role_arn and index == 0 else account.role_arn
        session = _assumed(base, role, account.external_id, endpoint_url) if role else base
        found.append(Target(account=account, session=session, kind=kind, endpoint_url=endpoint_url))
    return tuple(found)


def assumed(target: Target, role_arn: str) -> boto3.Session:
    """A session of a role, assumed as the target; live, when it is first used and again before it expires.

    Anything else than AWS has a clock of its own, by which its credentials may have expired long ago: there they are
    taken once and kept. Raises UsageError without credentials, and botocore's errors where it is assumed at once.
    """
    if target.kind is Kind.LIVE:
        return _assumed(target.session, role_arn, None, target.endpoint_url)
    region = target.session.region_name or "us-east-1"
    sts = target.session.client("sts", region_name=region, endpoint_url=target.endpoint_url)
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName="backcheck")["Credentials"]
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=region,
    )


def refuse_override(session: boto3.Session, environment: Mapping[str, str]) -> None:
    """Raise UsageError where environment or profile would send a live audit to another endpoint."""
    names = [name for name, value in sorted(environment.items()) if name.startswith("AWS_ENDPOINT_URL") and value]
    profile = session._session.get_scoped_config()
    names += [f"profile key {key}" for key in ("endpoint_url", "services") if key in profile]
    if names:
        raise UsageError(
            f"--live, but {', '.join(names)} sends calls elsewhere",
            hint="unset it, or say --endpoint-url and have the run marked as simulated",
        )


def is_aws(url: str) -> bool:
    """Whether a URL is AWS's own."""
    host = urlsplit(url).hostname or ""
    return host.endswith(AWS_HOSTS)


def is_intercepted() -> bool:
    """Whether moto's in-process stub answers instead of the network."""
    core = sys.modules.get("moto.core.models")
    return core is not None and bool(core.botocore_stubber.enabled)


def config(kind: Kind) -> Config:
    """Adaptive retries; an emulator that answers 500 for what it lacks is asked only twice."""
    return Config(
        retries={"mode": "adaptive", "total_max_attempts": 6 if kind is Kind.LIVE else 2},
        max_pool_connections=WORKERS,
        connect_timeout=5,
        read_timeout=30,
        parameter_validation=False,
        user_agent=USER_AGENT,
    )


def _session(profile: str | None) -> boto3.Session:
    try:
        return boto3.Session(profile_name=profile)
    except ProfileNotFound as error:
        raise UsageError(str(error), hint="aws configure list-profiles names those that exist") from error


def _assumed(base: boto3.Session, role_arn: str, external_id: str | None, endpoint_url: str | None) -> boto3.Session:
    """A session that assumes the role when it is first used, and again before the credentials expire."""
    source = base.get_credentials()
    if source is None:
        raise UsageError(f"no credentials to assume {role_arn} with", hint="name a profile, or log in first")
    arguments: dict[str, Any] = {"RoleSessionName": "backcheck"}
    if external_id:
        arguments["ExternalId"] = external_id
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda service, **more: base.client(service, **{**more, "endpoint_url": endpoint_url}),
        source_credentials=source,
        role_arn=role_arn,
        extra_args=arguments,
    )
    inner = botocore.session.Session()
    inner._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return boto3.Session(botocore_session=inner, region_name=base.region_name or "us-east-1")
