"""Read accounts into an Inventory: bounded, paged, under AWS's request rates, with every call's outcome recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from backcheck.errors import Error, UsageError
from backcheck.inventory.collect.calls import Calls, Progress
from backcheck.inventory.collect.connect import WORKERS, Kind, Target
from backcheck.inventory.collect.failure import CREDENTIALS
from backcheck.inventory.collect.region import read_region
from backcheck.inventory.collect.reply import Reply
from backcheck.inventory.collect.roles import Principals, principals, roles_of, simulations
from backcheck.inventory.collect.scope import destructible, names_roles, role_names
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Caller, Role, Simulation
from backcheck.inventory.model import AccountInventory, Inventory, RegionInventory
from backcheck.inventory.regions import regions_of
from backcheck.policy.model import PRIMARY, Account, Policy

Clock = Callable[[], datetime]


def collect(
    accounts: Sequence[Target],
    policy: Policy,
    clock: Clock,
    *,
    regions: tuple[str, ...] = (),
    every_role: bool = False,
    progress: Progress = lambda _: None,
) -> Inventory:
    """Everything that an audit of `policy` reads; `regions` are looked at besides those that the policy names.

    `every_role` keeps every role of the account, and not only those that the policy or a selection names.
    Raises UsageError for an account that is not the policy's, Error where the credentials themselves are refused.
    """
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="collect") as pool:
        called = [(target, Calls(target, pool, progress)) for target in accounts]
        return asyncio.run(_collect(called, policy, clock, regions, every_role))


def whoami(target: Target, region: str) -> str:
    """The id of the account that the credentials are of. Raises Error where that cannot be told."""
    with ThreadPoolExecutor(1) as pool:
        found = Calls(target, pool).ask("sts", "GetCallerIdentity", region, _identity)
    if isinstance(found, Gap):
        raise Error(f"whose account it is cannot be told: {found}", hint="log in again, or name another profile")
    return found.account


async def _collect(
    called: Sequence[tuple[Target, Calls]], policy: Policy, clock: Clock, regions: tuple[str, ...], every_role: bool
) -> Inventory:
    now = clock()
    read = await asyncio.gather(
        *(_account(calls, policy, target.account, now, regions, every_role) for target, calls in called)
    )
    return Inventory(
        taken_at=now,
        accounts=tuple(read),
        calls=tuple(record for _, calls in called for record in calls.records),
        gaps=tuple(gap for _, calls in called for gap in calls.gaps),
    )


async def _account(
    calls: Calls, policy: Policy, account: Account, now: datetime, more: tuple[str, ...], every_role: bool
) -> AccountInventory:
    names = regions_of(policy, account, more) or (policy.regions[PRIMARY],)
    caller = await _caller(calls, account, names)
    everyone = asyncio.ensure_future(principals(calls, names[0]))
    found = tuple(await asyncio.gather(*(read_region(calls, policy, account, name, now) for name in names)))
    roles, told = await _roles(calls, policy, account, names[0], await everyone, found, every_role)
    return AccountInventory(
        kind=calls.kind,
        id=account.id,
        simulated=calls.kind is not Kind.LIVE,
        caller=caller,
        roles=roles,
        simulations=told,
        regions=found,
    )


async def _roles(
    calls: Calls,
    policy: Policy,
    account: Account,
    region: str,
    everyone: Principals | Gap,
    regions: tuple[RegionInventory, ...],
    every_role: bool,
) -> tuple[tuple[Role | Gap, ...], tuple[Simulation, ...] | Gap]:
    """The roles that the policy names or a selection uses, and what the simulator says of those who can destroy."""
    if isinstance(everyone, Gap):
        return (everyone,), everyone
    names = everyone.role_names() if every_role else role_names(policy, regions)
    roles = roles_of(everyone, names, calls, region)
    if not names_roles(policy):
        return roles, calls.not_asked("iam", "SimulatePrincipalPolicy", region)
    return roles, await simulations(calls, region, everyone, destructible(policy, account, regions))


async def _caller(calls: Calls, account: Account, regions: tuple[str, ...]) -> Caller | Gap:
    """Whom the audit runs as. Nothing else is asked of the wrong account, or with credentials that are refused."""
    found = await calls.one("sts", "GetCallerIdentity", regions[0], _identity)
    if isinstance(found, Gap):
        if found.code in CREDENTIALS:
            raise Error(
                f"the credentials were refused: {found.detail}",
                where=f"account {account.id}, sts:GetCallerIdentity",
                hint="log in again (aws sso login), or name another profile",
            )
        return found
    if found.account != account.id:
        raise UsageError(
            f"the credentials are of account {found.account}, the policy's {account.key} account is {account.id}",
            hint="name another profile or role, or correct the policy",
        )
    return found


def _identity(reply: Reply) -> Caller:
    return Caller(arn=reply.text("Arn"), account=reply.text("Account"))
