"""KMS: four calls for a customer's key, one for a key that AWS manages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.collect.reply import Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import SYMMETRIC, Key, PolicyDocument

CUSTOMER = "CUSTOMER"


async def keys(calls: Calls, region: str, arns: Iterable[str]) -> tuple[Key | Gap, ...]:
    """Each key once, in order of its ARN."""
    return tuple(await asyncio.gather(*(_key(calls, region, arn) for arn in sorted(set(arns)))))


async def _key(calls: Calls, region: str, arn: str) -> Key | Gap:
    found = await calls.one(
        "kms",
        "DescribeKey",
        region,
        lambda reply: _described(reply.part("KeyMetadata"), region),
        about=arn,
        KeyId=arn,
    )
    if isinstance(found, Gap):
        return found
    if found.manager != CUSTOMER:  # "AWS KMS automatically rotates AWS managed keys every year" (kms, rotate-keys)
        return replace(
            found,
            policy=calls.not_asked("kms", "GetKeyPolicy", region, arn),
            aliases=calls.not_asked("kms", "ListAliases", region, arn),
        )
    rotation, policy, aliases = await asyncio.gather(
        calls.one(
            "kms", "GetKeyRotationStatus", region, lambda reply: reply.flag("KeyRotationEnabled"), about=arn, KeyId=arn
        ),
        calls.one(
            "kms",
            "GetKeyPolicy",
            region,
            lambda reply: in_effect(parse_document(reply.text("Policy"))),
            about=arn,
            KeyId=arn,
            PolicyName="default",  # "The only valid name is default" (API_GetKeyPolicy)
        ),
        calls.pages("kms", "ListAliases", region, _alias_names, about=arn, KeyId=arn),
    )
    return replace(
        found,
        rotation=rotation,
        policy=policy,
        aliases=aliases if isinstance(aliases, Gap) else tuple(sorted(aliases)),
    )


def in_effect(policy: PolicyDocument) -> PolicyDocument:
    """Without the statements that have no Action or no Resource: KMS takes one, and it "has no effect"
    (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html)."""
    return PolicyDocument(
        statements=tuple(
            one
            for one in policy.statements
            if (one.actions or one.not_actions) and (one.resources or one.not_resources)
        )
    )


def _alias_names(page: Reply) -> tuple[str, ...]:
    return tuple(part.text("AliasName") for part in page.parts("Aliases"))


def _described(reply: Reply, region: str) -> Key:
    """What DescribeKey says; `_key` fills in rotation, policy and aliases of a customer's key."""
    arn = reply.text("Arn")
    return Key(
        arn=arn,
        region=region,
        account=arn.split(":")[4],
        manager=reply.text("KeyManager"),
        state=reply.text("KeyState"),
        deletion_date=reply.maybe_time("DeletionDate"),
        multi_region=reply.maybe_flag("MultiRegion") or False,
        rotation=True,
        policy=None,
        aliases=(),
        spec=reply.maybe_text("KeySpec") or SYMMETRIC,
    )
