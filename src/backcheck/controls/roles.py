"""Roles: which one a name or an ARN means, and what the policy calls them."""

from __future__ import annotations

from backcheck.controls.control import World
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Role


def find_role(name_or_arn: str, account: str, world: World) -> Role | Gap:
    """The role, or why it is not known; a Gap whose code is NoSuchEntity says that it does not exist."""
    name = role_name(name_or_arn)
    if name_or_arn.startswith("arn:"):
        account = name_or_arn.split(":")[4]
    found = world.index.roles.get((account, name))
    if found is not None:
        return found
    return Gap(
        service="iam",
        operation="GetRole",
        region="",
        account=account,
        code="NotAsked",
        detail="the snapshot does not have this role",
        resource=name,
    )


def role_name(name_or_arn: str) -> str:
    """The last part of an ARN: paths are no part of a role's name."""
    return name_or_arn.rpartition("/")[2]
