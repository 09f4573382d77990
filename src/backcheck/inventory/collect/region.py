"""One region of one account: everything at once, where nothing waits for what it does not need."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import TypeVar

from backcheck.inventory.backup import Vault
from backcheck.inventory.collect import jobs, scope
from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.changes import changes
from backcheck.inventory.collect.keys import keys
from backcheck.inventory.collect.plans import plans
from backcheck.inventory.collect.tables import read_tables
from backcheck.inventory.collect.topics import topics
from backcheck.inventory.collect.vaults import vaults
from backcheck.inventory.collect.watch import read_watch, subscribed_functions, topic_arns
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Topic
from backcheck.inventory.model import RegionInventory, Table
from backcheck.policy.model import Account, Policy

T = TypeVar("T")


async def read_region(calls: Calls, policy: Policy, account: Account, region: str, now: datetime) -> RegionInventory:
    """The inventory of one region. What cannot be read is a Gap; only UsageError is raised."""
    start = asyncio.ensure_future
    planned = start(plans(calls, region))
    tables = start(read_tables(calls, policy, region, planned))
    held = start(vaults(calls, region, scope.vault_names(policy, account, region), now))
    settings, protected = start(jobs.settings(calls, region)), start(jobs.protected(calls, region))
    backups, copies = start(jobs.backup_jobs(calls, region)), start(jobs.copy_jobs(calls, region))
    changed = start(changes(calls, region, now))
    restores = start(_drill(calls, policy, region, "ListRestoreJobs", jobs.restore_jobs))
    testing = start(_drill(calls, policy, region, "ListRestoreTestingPlans", jobs.restore_testing))
    watching = start(read_watch(calls, policy, region, now))
    names, described = await tables
    found = await held
    watch = await watching
    told = await topics(calls, region, topic_arns(calls, policy, account, region, found, watch.rules))
    behind = await subscribed_functions(calls, region, told, watch.functions)
    used = {*_key_arns(described, found), *_topic_keys(told)}
    return RegionInventory(
        account=calls.account,
        region=region,
        table_names=names,
        tables=described,
        plans=await planned,
        vaults=found,
        settings=await settings,
        protected=await protected,
        backup_jobs=await backups,
        copy_jobs=await copies,
        restore_jobs=await restores,
        restore_testing=await testing,
        keys=await keys(calls, region, used),
        topics=told,
        rules=watch.rules,
        functions=(*watch.functions, *behind),
        alarms=watch.alarms,
        changes=await changed,
    )


async def _drill(
    calls: Calls, policy: Policy, region: str, operation: str, read: Callable[[Calls, str], Awaitable[T]]
) -> T | Gap:
    """Restores are asked for only where the policy has drills."""
    return calls.not_asked("backup", operation, region) if policy.drill is None else await read(calls, region)


def _key_arns(tables: tuple[Table | Gap, ...], found: tuple[Vault, ...] | Gap) -> Iterator[str]:
    for table in tables:
        if isinstance(table, Table) and table.encryption_key_arn:
            yield table.encryption_key_arn
    for vault in () if isinstance(found, Gap) else found:
        if vault.key_arn:
            yield vault.key_arn


def _topic_keys(told: tuple[Topic | Gap, ...]) -> Iterator[str]:
    """The ARNs of the customer's keys that topics are under; a topic names its key by id, ARN or alias."""
    for topic in told:
        if isinstance(topic, Gap) or not topic.key_id or "alias/" in topic.key_id:
            continue
        home = topic.arn.rpartition(":")[0].replace(":sns:", ":kms:")
        yield topic.key_id if topic.key_id.startswith("arn:") else f"{home}:key/{topic.key_id}"
