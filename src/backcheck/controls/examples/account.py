"""The account as it is found, and the world that a control judges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from backcheck.controls.control import World
from backcheck.controls.examples.access import key, roles, simulations
from backcheck.controls.examples.backups import plan, table
from backcheck.controls.examples.drilled import shop_drills
from backcheck.controls.examples.jobs import backup_jobs, copy_jobs
from backcheck.controls.examples.points import dr_vault, point, vault
from backcheck.controls.examples.promised import shop_policy
from backcheck.controls.examples.shop import ACCOUNT, DR_KEY_ARN, HERE, NOW, TABLE_ARN, THERE, Changes
from backcheck.controls.examples.watch import (
    alarm,
    drill_rule,
    failure_rule,
    function,
    restore_failure_rule,
    topic,
    validation_rule,
)
from backcheck.drill.record import DrillRecord
from backcheck.inventory.backup import ProtectedResource, RegionSettings
from backcheck.inventory.contradictions import ANSWERS
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Caller
from backcheck.inventory.model import AccountInventory, CallRecord, Inventory, RegionInventory
from backcheck.policy.model import Policy


def world(
    *,
    policy: Policy | None = None,
    now: datetime = NOW,
    primary: Changes | None = None,
    dr: Changes | None = None,
    account: Changes | None = None,
    drills: tuple[DrillRecord, ...] | Gap | None = None,
) -> World:
    """The shop, with what is changed in its primary region, its DR region or its account."""
    regions = (region(**(primary or {})), dr_region(**(dr or {})))
    accounts = (replace(_account(), regions=regions, **(account or {})),)
    inventory = Inventory(taken_at=now, accounts=accounts, calls=_ledger(regions), gaps=())
    return World(
        policy=policy or shop_policy(), now=now, inventory=inventory, drills=shop_drills() if drills is None else drills
    )


def region(**changes: Any) -> RegionInventory:
    """The primary region."""
    made = RegionInventory(
        account=ACCOUNT,
        region=HERE,
        table_names=("orders",),
        tables=(table(),),
        plans=(plan(),),
        vaults=(vault(),) if "vaults" not in changes else (),
        settings=RegionSettings(opt_in={"DynamoDB": True}, management={"DynamoDB": True}),
        protected=(ProtectedResource(resource_arn=TABLE_ARN, resource_type="DynamoDB", last_backup=point().created),),
        backup_jobs=backup_jobs(),
        copy_jobs=copy_jobs(),
        restore_jobs=(),
        restore_testing=(),
        keys=(key(),),
        topics=(topic(),),
        rules=(failure_rule(), restore_failure_rule(), validation_rule(), drill_rule()),
        functions=(function(),),
        alarms=(alarm(), alarm("Invocations")),
        changes=(),
    )
    return replace(made, **changes)


def dr_region(**changes: Any) -> RegionInventory:
    """The DR region."""
    made = replace(
        region(vaults=()),
        region=THERE,
        table_names=(),
        tables=(),
        plans=(),
        vaults=(dr_vault(),) if "vaults" not in changes else (),
        protected=(),
        backup_jobs=(),
        copy_jobs=(),
        keys=(key(DR_KEY_ARN),),
        topics=(topic(THERE),),
        rules=(failure_rule(THERE), restore_failure_rule(THERE)),
        functions=(),
        alarms=(),
    )
    return replace(made, **changes)


def _ledger(regions: Iterable[RegionInventory]) -> tuple[CallRecord, ...]:
    return tuple(
        CallRecord(
            service=service, operation=operation, region=one.region, account=one.account, calls=1, pages=1, failed=0
        )
        for one in regions
        for service, operation in (call.split(":") for call in ANSWERS.values())
    )


def _account() -> AccountInventory:
    return AccountInventory(
        kind="live",
        id=ACCOUNT,
        simulated=False,
        caller=Caller(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/shop-auditor/audit", account=ACCOUNT),
        roles=roles(),
        simulations=simulations(),
        regions=(),
    )
