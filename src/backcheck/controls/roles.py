"""Roles: which one a name or an ARN means, and what the policy calls them."""

from __future__ import annotations

from backcheck.controls.control import Reads, World
from backcheck.inventory.gap import Gap, undecided
from backcheck.inventory.iam import Role
from backcheck.inventory.model import Inventory


def find_role(name_or_arn: str, account: str, world: World) -> Role | Gap:
    """The role, or why it is not known; a Gap whose code is NoSuchEntity says that it does not exist.

    The collector reads every role of an account in one call: one that is not among them does not exist. A template says
    nothing about roles of other stacks. A name is an account's only one, whatever its path
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html): an ARN with another path is none.
    """
    name = role_name(name_or_arn)
    if name_or_arn.startswith("arn:"):
        account = name_or_arn.split(":")[4]
    found = world.index.roles.get((account, name)) or world.index.roles.get((account, ""))
    if isinstance(found, Role) and name_or_arn.startswith("arn:") and found.arn != name_or_arn:
        return _gap(
            name, account, "NoSuchEntity", f"the account has no {name_or_arn}: its role of that name is {found.arn}"
        )
    if found is not None:
        return found
    if Reads.TEMPLATE in world.reads:
        return _gap(name, account, "NotInTemplate", "the template does not have this role")
    if world.inventory is None or world.inventory.account(account) is None:
        return _gap(name, account, "NotLookedAt", "the snapshot has nothing of this account")
    return _gap(name, account, "NoSuchEntity", "the account has no such role")


def role_arn(name: str, account: str, partition: str, inventory: Inventory) -> str:
    """By the ARN that the account has the role under, where it was read: it may have a path."""
    found = inventory.account(account)
    roles = (one for one in (found.roles if found else ()) if isinstance(one, Role) and one.name == name)
    return next((one.arn for one in roles), f"arn:{partition}:iam::{account}:role/{name}")


def role_name(name_or_arn: str) -> str:
    """The last part of an ARN: paths are no part of a role's name."""
    return name_or_arn.rpartition("/")[2]


def open_question(role: Role, why: str) -> Gap:
    """What its policies leave open about a role."""
    return undecided("iam", "GetRolePolicy", why, account=role.account, resource=role.name)


def _gap(name: str, account: str, code: str, detail: str) -> Gap:
    return Gap(service="iam", operation="GetRole", region="", account=account, code=code, detail=detail, resource=name)
