"""Keys: which one an ARN means, and whether it can be used."""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.controls.control import World
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import SYMMETRIC, Key, PolicyDocument

NOT_THERE = frozenset({"NotFoundException", "NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException"})
"""Codes by which services say that something does not exist: that is knowledge, and no gap."""


def find_key(arn: str, world: World) -> Key | Gap:
    """The key of an ARN, or why it is not known."""
    found = world.index.keys.get(arn)
    if found is not None:
        return found
    parts = arn.split(":")
    return Gap(
        service="kms",
        operation="DescribeKey",
        region=parts[3] if len(parts) > 3 else "",
        account=parts[4] if len(parts) > 4 else "",
        code="NotAsked",
        detail="the snapshot does not have this key",
        resource=arn,
    )


def key_policy(key: Key) -> PolicyDocument | Gap:
    """What a key's policy says, or why that is not known."""
    return key.policy or Gap(
        service="kms",
        operation="GetKeyPolicy",
        region=key.region,
        account=key.account,
        code="NotAsked",
        detail="the snapshot does not have this key's policy",
        resource=key.arn,
    )


def why_unusable(key: Key) -> Iterator[str]:
    """Why nothing can be encrypted or decrypted with a key; nothing where it can.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html; services encrypt with data keys, which only
    symmetric keys make: https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-compare.html
    """
    if key.spec != SYMMETRIC:
        yield f"is {key.spec}, and services encrypt with symmetric keys only"
    if key.deletion_date is not None:
        yield f"is to be deleted on {key.deletion_date:%Y-%m-%d}"
    elif key.state != "Enabled":
        yield f"is {key.state}"
