"""One region of one account: everything at once, where nothing waits for what it does not need."""

from __future__ import annotations

import asyncio
from datetime import datetime

from backcheck.inventory.collect import jobs, scope
from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.plans import plans
from backcheck.inventory.collect.tables import read_tables
from backcheck.inventory.collect.vaults import vaults
from backcheck.inventory.model import RegionInventory
from backcheck.policy.model import Account, Policy


async def read_region(calls: Calls, policy: Policy, account: Account, region: str, now: datetime) -> RegionInventory:
    """The inventory of one region. What cannot be read is a Gap; only UsageError is raised."""
    planned = asyncio.ensure_future(plans(calls, region))
    tables = asyncio.ensure_future(read_tables(calls, policy, region, planned))
    found_vaults = asyncio.ensure_future(vaults(calls, region, scope.vault_names(policy, account, region), now))
    settings = asyncio.ensure_future(jobs.settings(calls, region))
    protected = asyncio.ensure_future(jobs.protected(calls, region))
    backups = asyncio.ensure_future(jobs.backup_jobs(calls, region))
    copies = asyncio.ensure_future(jobs.copy_jobs(calls, region))
    names, described = await tables
    return RegionInventory(
        account=calls.account,
        region=region,
        table_names=names,
        tables=described,
        plans=await planned,
        vaults=await found_vaults,
        settings=await settings,
        protected=await protected,
        backup_jobs=await backups,
        copy_jobs=await copies,
        restore_jobs=calls.not_asked("backup", "ListRestoreJobs", region),
        restore_testing=calls.not_asked("backup", "ListRestoreTestingPlans", region),
        keys=(),
        topics=(),
        rules=calls.not_asked("events", "ListRules", region),
        functions=(),
        alarms=calls.not_asked("cloudwatch", "DescribeAlarms", region),
        changes=calls.not_asked("cloudtrail", "LookupEvents", region),
    )
