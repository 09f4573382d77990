"""What the shop's policy promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backcheck.controls.examples.shop import ACCOUNT, HERE, THERE, Changes
from backcheck.policy.model import (
    Account,
    AlertEvent,
    Alerts,
    Copy,
    Discovery,
    Drill,
    KeyKind,
    Lock,
    LockMode,
    Method,
    Objectives,
    Pitr,
    Plan,
    Policy,
    Roles,
    RpoObjectives,
    RtoObjectives,
    TableScope,
    Tier,
    Validation,
)
from backcheck.policy.model import Vault as PolicyVault
from backcheck.policy.source import Source


def tier(name: str = "daily", /, **changes: Any) -> Tier:
    """`daily` or `monthly` of the shop's plan."""
    return replace(_TIERS[name], **changes)


def policy(*, tiers: tuple[Tier, ...] | None = None, scope: Changes | None = None, **changes: Any) -> Policy:
    """The shop's policy."""
    made = replace(shop_policy(), **changes)
    if scope:
        made = replace(made, tables=(replace(made.tables[0], **scope),))
    if tiers is not None:
        scopes = tuple(replace(one, tiers=tuple(t.id for t in tiers)) for one in made.tables)
        made = replace(made, tables=scopes, plans=(Plan(key="main", name="shop-plan", tiers=tiers),))
    return made


def policy_vault(key: str = "main", **changes: Any) -> PolicyVault:
    """`main` or `dr`."""
    return replace(_POLICY_VAULTS[key], **changes)


def pitr_promise(**changes: Any) -> Pitr:
    """What the policy asks of PITR."""
    return replace(shop_policy().pitr, **changes)


_TIERS = {
    "daily": Tier(
        plan="main",
        name="daily",
        rule="Daily",
        schedule="cron(0 1 * * ? *)",
        timezone="UTC",
        start_window_minutes=60,
        completion_window_minutes=120,
        vault="main",
        retention_days=30,
        copies=(Copy(vault="dr", retention_days=30),),
    ),
    "monthly": Tier(
        plan="main",
        name="monthly",
        rule="Monthly",
        schedule="cron(0 0 1 * ? *)",
        timezone="UTC",
        start_window_minutes=180,
        completion_window_minutes=360,
        vault="main",
        retention_days=365,
        cold_storage_after_days=90,
        copies=(Copy(vault="dr", retention_days=365, cold_storage_after_days=90),),
    ),
}
_POLICY_VAULTS = {
    "main": PolicyVault(
        key="main",
        name="shop-vault",
        region="primary",
        lock=Lock(mode=LockMode.GOVERNANCE, min_retention_days=7, max_retention_days=400),
    ),
    "dr": PolicyVault(
        key="dr",
        name="shop-vault-dr",
        region="dr",
        lock=Lock(mode=LockMode.GOVERNANCE, min_retention_days=7, max_retention_days=400),
    ),
}


def shop_policy() -> Policy:
    """The policy that the account keeps."""
    tiers = tuple(_TIERS.values())
    return Policy(
        source=Source(file="shop.yaml", sha256="0" * 64),
        name="shop",
        title="The shop's backups",
        version="1.0.0",
        owner="data",
        timezone="UTC",
        effective_from=None,
        next_review=None,
        accounts=(Account(key="primary", id=ACCOUNT),),
        regions={"primary": HERE, "dr": THERE},
        tables=(TableScope(key="orders", name="orders", tiers=tuple(t.id for t in tiers)),),
        discovery=Discovery(name_prefixes=("order",)),
        objectives=Objectives(
            rpo=RpoObjectives(pitr_minutes=15, backup_hours=33, dr_hours=36),
            rto=RtoObjectives(pitr_minutes=240, backup_minutes=240, dr_minutes=480),
        ),
        pitr=Pitr(enabled=True, window_days=35, max_lag_minutes=15),
        plans=(Plan(key="main", name="shop-plan", tiers=tiers),),
        vaults=tuple(_POLICY_VAULTS.values()),
        advanced_features_required=True,
        roles=Roles(
            backup="shop-backup",
            restore="shop-restore",
            drill="shop-drill",
            auditor="shop-auditor",
            break_glass=("shop-break-glass",),
        ),
        validation=Validation(
            schedule="cron(0 10 * * ? *)",
            timezone="UTC",
            max_backup_age_hours=24,
            function="shop-validate",
            alerts=Alerts(topic="shop-alerts", team="ops", on=tuple(AlertEvent)),
        ),
        drill=Drill(
            schedule="cron(0 3 2 * ? *)",
            timezone="UTC",
            max_age_days=35,
            methods=tuple(Method),
            tables=("orders",),
            name_prefix="drill-",
            checks=("completed", "digest", "settings"),
            cleanup_after_hours=24,
            cost_ceiling_usd=10.0,
            evidence_retention_days=400,
        ),
        procedures=(),
        duties=(),
        waivers=(),
        statements=(),
    )


def role_names(**changes: Any) -> Roles:
    """What the policy calls its roles."""
    return replace(shop_policy().roles, **changes)


def validation(**changes: Any) -> Validation:
    """The policy's scheduled check."""
    made = shop_policy().validation
    assert made is not None
    return replace(made, **changes)


def encrypted_by(kind: KeyKind) -> Changes:
    """A table scope that states its key."""
    return {"encryption": kind}
