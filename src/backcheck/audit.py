"""An audit from end to end, once the account has been read: evaluate, apply waivers, name the run. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from backcheck.controls.control import AnyControl, World
from backcheck.coverage import coverage
from backcheck.evaluate import evaluate
from backcheck.finding import AuditedAccount, GapRecord, Run
from backcheck.inventory.model import Inventory
from backcheck.waivers import waive


def audit(world: World, controls: Iterable[AnyControl], snapshot_sha256: str) -> Run:
    """Everything that evidence is rendered from."""
    policy, inventory = world.policy, world.inventory
    clock = world.now.isoformat()
    found = list(evaluate(world, controls))
    found += coverage(inventory, policy) if inventory else ()
    history = (repr(world.drills),) if world.drills else ()
    identity = "\n".join((policy.source.sha256, snapshot_sha256, clock, *history))
    return Run(
        id=hashlib.sha256(identity.encode()).hexdigest()[:32],
        clock=world.now,
        policy_name=policy.name,
        policy_version=policy.version,
        policy_sha256=policy.source.sha256,
        accounts=_accounts(inventory) if inventory else (),
        gaps=_gaps(inventory) if inventory else (),
        findings=waive(found, policy, world.now.date()),
        snapshot_sha256=snapshot_sha256,
    )


def _accounts(inventory: Inventory) -> tuple[AuditedAccount, ...]:
    return tuple(
        AuditedAccount(
            kind=account.kind,
            id=account.id,
            regions=tuple(region.region for region in account.regions),
            simulated=account.simulated,
        )
        for account in inventory.accounts
    )


def _gaps(inventory: Inventory) -> tuple[GapRecord, ...]:
    return tuple(
        GapRecord(
            service=gap.service,
            operation=gap.operation,
            region=gap.region,
            account=gap.account,
            code=gap.code,
            detail=f"{gap.resource}: {gap.detail}" if gap.resource else gap.detail,
        )
        for gap in inventory.gaps
    )
