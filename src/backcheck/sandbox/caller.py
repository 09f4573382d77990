"""Who calls: the account and the principal behind an access key."""

from __future__ import annotations

import re
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from backcheck.sandbox import moto_seams
from backcheck.sandbox.world import partition_of

KEY_PREFIX = "AKIASBOX"
"""An access key of the sandbox is this and the account's number: twenty characters, as AWS's are."""


def access_key(account: str) -> str:
    """The access key of an account's root in the sandbox."""
    return KEY_PREFIX + account


def account_of(response: Any, default: str) -> str:
    """The account: from our own keys, from keys that IAM or STS made here, else the sandbox's own."""
    key = key_of(response)
    if match := re.fullmatch(KEY_PREFIX + r"(\d{12})", key):
        return match.group(1)
    if re.fullmatch(r"\d{12}", key):
        return str(key)
    if _key_of(key) is None:
        return default
    return moto_seams.stock_account(response)


def key_of(response: Any) -> str:
    """The access key that signed the request; moto looks only for keys of twenty characters."""
    scope: str = response.headers.get("Authorization", "").partition("Credential=")[2]
    return scope.split("/")[0] or str(response.access_key)


def arn_of(response: Any) -> str:
    """The principal's ARN: an assumed role's role, a user, or the account's root."""
    account, partition = response.current_account, partition_of(response.region)
    for role in sts_backends[account][partition].assumed_roles if account in sts_backends else ():
        if role.access_key_id == key_of(response):
            return str(role.role_arn)
    key = _key_of(key_of(response))
    name = getattr(key, "user_name", None) if key is not None else None
    return f"arn:{partition}:iam::{account}:user/{name}" if name else f"arn:{partition}:iam::{account}:root"


def _key_of(access_key_id: str) -> Any:
    for partitions in list(iam_backends.values()):
        for backend in list(partitions.values()):
            if access_key_id in backend.access_keys:
                return backend.access_keys[access_key_id]
    return None
