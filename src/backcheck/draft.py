"""Today's set-up written down as a policy: what is there, not what should be. Pure.

What no account says (objectives, owner) is proposed and marked. What is wrong with it stands above it, in the words of
the controls; the file loads all the same, so that it can be corrected and linted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from backcheck.draft_roles import drafted_roles
from backcheck.errors import UsageError
from backcheck.finding import Finding, Status
from backcheck.inventory.backup import BackupPlan, CopyAction, PlanRule, Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key
from backcheck.inventory.model import Inventory, PitrStatus, RegionInventory, Table
from backcheck.policy.document import Json
from backcheck.policy.render_yaml import HEADER, write_yaml

DEFAULT_SCHEDULE = "cron(0 5 ? * * *)"
START_MINUTES, COMPLETION_MINUTES = 480, 10_080
"""What AWS takes where a rule says nothing: 8 hours and 7 days (botocore, BackupRule)."""
FOR_EVER_DAYS = 36_500
"""A policy has no `for ever`: a rule without an end is written with AWS's longest retention, and marked."""
NO_PLAN: Mapping[str, Json] = {"daily": {"schedule": DEFAULT_SCHEDULE, "retention_days": 35}}
"""A policy has at least one tier; where there is no plan, this one is proposed and PLN-01 says that it is missing."""
PROPOSED = "proposed: nothing in the set-up says it"

JsonMap = dict[str, Json]


def draft(inventory: Inventory, *, name: str, owner: str) -> JsonMap:
    """The policy as the map that its file holds.

    Raises UsageError where there is no backup plan and no table, of which nothing could be written down.
    """
    found = list(inventory.regions())
    plans = [(region, plan) for region in found for plan in _known(region.plans) if not isinstance(plan.rules, Gap)]
    tables = [table for region in found for table in region.tables if isinstance(table, Table)]
    if not tables:
        raise UsageError("there is no table to write a policy about", hint="name the template that has the tables")
    regions = _regions([table.region for table in tables], found, plans)
    vaults = _vaults(found, plans, regions)
    tiers = {plan.name: _tiers(plan, vaults) for _, plan in plans}
    document: JsonMap = {
        "schema": "backcheck/policy/v1",
        "name": name,
        "owner": owner,
        "account": inventory.accounts[0].id,
        "regions": dict(regions),
        "tables": _tables(tables, regions),
        "objectives": {"rpo_hours": 24, "rto_hours": 4},
        "pitr": _pitr(tables),
    }
    if roles := drafted_roles(inventory).named:
        document["roles"] = dict(roles)
    if any(tiers.values()):
        document["plans"] = {plan: {"name": plan, "tiers": rules} for plan, rules in tiers.items() if rules}
        document["vaults"] = {key: _vault(vault, regions, _keys(found)) for key, vault in vaults.items()}
    else:
        document["tiers"] = dict(NO_PLAN)
    return document


def text(document: JsonMap, wrong: Iterable[Finding], source: str, *, to_fill_in: Iterable[str] = ()) -> str:
    """The file: what is to be filled in and what is wrong as comments, then the policy."""
    lines = [
        f"# Written down from {source}: what is there, and not what should be.",
        f"# {PROPOSED}: owner, objectives, and tiers where there is no plan. Correct them first.",
        *(f"# fill in {one}" for one in map(_one_line, to_fill_in)),
        *_comments(wrong),
    ]
    return HEADER + "\n".join(lines) + "\n" + write_yaml(document)


def _comments(wrong: Iterable[Finding]) -> Iterator[str]:
    bad = [one for one in wrong if one.status in (Status.FAIL, Status.UNKNOWN)]
    yield f"# What is wrong with it ({len(bad)}):" if bad else "# No control objects to it."
    for one in bad:
        tier = f" ({one.tier})" if one.tier else ""
        yield f"#   {one.control} {one.status.value}{tier}: {_one_line(one.message)}"


def _one_line(message: str) -> str:
    """No line break that would end the comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in message).split())


def _known(value: tuple[BackupPlan, ...] | Gap) -> tuple[BackupPlan, ...]:
    return () if isinstance(value, Gap) else value


def _regions(
    used: list[str], found: Iterable[RegionInventory], plans: Iterable[tuple[RegionInventory, BackupPlan]]
) -> Mapping[str, str]:
    """Most tables are in the primary one; then where copies go, `dr` the first of them."""
    primary = max(used, key=used.count)
    others = [action.destination_vault_arn.split(":")[3] for _, plan in plans for rule in _rules(plan)
              for action in rule.copies]  # fmt: skip
    others += [one.region for one in found]
    names = [name for name in dict.fromkeys(others) if name != primary]
    return {"primary": primary, **{("dr" if index == 0 else name): name for index, name in enumerate(names)}}


def _rules(plan: BackupPlan) -> tuple[PlanRule, ...]:
    return () if isinstance(plan.rules, Gap) else plan.rules


def _key_of(region: str, regions: Mapping[str, str]) -> str:
    return next((key for key, name in regions.items() if name == region), region)


VaultKeys = Mapping[str, "Vault | tuple[str, str]"]
"""The policy's key to the vault, or to (name, region) of one that is only named."""


def _vaults(
    found: Iterable[RegionInventory],
    plans: Iterable[tuple[RegionInventory, BackupPlan]],
    regions: Mapping[str, str],
) -> VaultKeys:
    """Every vault that a rule writes to or copies to."""
    there = {(one.name, one.region): one for region in found for one in _held(region)}
    wanted: list[tuple[str, str]] = []
    for region, plan in plans:
        for rule in _rules(plan):
            wanted.append((rule.target_vault_name, region.region))
            wanted += [_destination(action) for action in rule.copies]
    names = [name for name, _ in dict.fromkeys(wanted)]
    keyed: dict[str, Vault | tuple[str, str]] = {}
    for name, region_name in dict.fromkeys(wanted):
        key = name if names.count(name) == 1 else f"{name}-{_key_of(region_name, regions)}"
        keyed[key] = there.get((name, region_name), (name, region_name))
    return keyed


def _held(region: RegionInventory) -> tuple[Vault, ...]:
    return () if isinstance(region.vaults, Gap) else region.vaults


def _destination(action: CopyAction) -> tuple[str, str]:
    parts = action.destination_vault_arn.split(":")
    return parts[6], parts[3]


def _place(vault: Vault | tuple[str, str]) -> tuple[str, str]:
    return vault if isinstance(vault, tuple) else (vault.name, vault.region)


def _vault_key(name: str, region: str, vaults: VaultKeys) -> str:
    return next(key for key, vault in vaults.items() if _place(vault) == (name, region))


def _tiers(plan: BackupPlan, vaults: VaultKeys) -> JsonMap:
    return {_tier_name(rule.name): _tier(rule, plan.region, vaults) for rule in _rules(plan)}


def _tier_name(rule: str) -> str:
    """DailyBackups is `daily`; a rule that is named otherwise keeps its name, in letters that a key may have."""
    bare = rule.removesuffix("Backups").removesuffix("Backup") or rule
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "-" for c in bare).strip("-_")
    return kept.lower() or "rule"


def _tier(rule: PlanRule, region: str, vaults: VaultKeys) -> JsonMap:
    tier: JsonMap = {
        "rule": rule.name,
        "schedule": rule.schedule or DEFAULT_SCHEDULE,
        "timezone": rule.timezone,
        "start_window_minutes": rule.start_window_minutes or START_MINUTES,
        "completion_window_minutes": rule.completion_window_minutes or COMPLETION_MINUTES,
        "vault": _vault_key(rule.target_vault_name, region, vaults),
        "retention_days": _days(rule.delete_after_days),
    }
    if rule.move_to_cold_after_days:
        tier["cold_storage_after_days"] = rule.move_to_cold_after_days
    if rule.copies:
        tier["copies"] = [_copy(action, rule, vaults) for action in rule.copies]
    if rule.continuous:
        tier["continuous"] = True
    return tier


def _days(days: int | None) -> int:
    return FOR_EVER_DAYS if days is None or days < 0 else days


def _copy(action: CopyAction, rule: PlanRule, vaults: VaultKeys) -> JsonMap:
    """Without a lifecycle of its own a copy has its source's (botocore, CopyAction.Lifecycle)."""
    own = action.delete_after_days is not None or action.move_to_cold_after_days is not None
    days, cold = (
        (action.delete_after_days, action.move_to_cold_after_days)
        if own
        else (rule.delete_after_days, rule.move_to_cold_after_days)
    )
    name, region = _destination(action)
    copy: JsonMap = {"vault": _vault_key(name, region, vaults), "retention_days": _days(days)}
    return {**copy, "cold_storage_after_days": cold} if cold else copy


def _vault(vault: Vault | tuple[str, str], regions: Mapping[str, str], keys: Mapping[str | None, str]) -> JsonMap:
    name, region = _place(vault)
    drafted: JsonMap = {"name": name, "region": _key_of(region, regions)}
    if isinstance(vault, tuple):
        return {**drafted, "lock": "none", "deny_deletion": False}
    if vault.key_arn in keys:
        drafted["key"] = keys[vault.key_arn]
    drafted["lock"] = _lock(vault)
    statements = vault.policy.statements if vault.policy and not isinstance(vault.policy, Gap) else ()
    drafted["deny_deletion"] = any(one.effect == "Deny" for one in statements)
    return drafted


def _keys(found: Iterable[RegionInventory]) -> Mapping[str | None, str]:
    """Whose key each ARN is, as far as it could be read."""
    kinds = {"CUSTOMER": "customer", "AWS": "aws-managed"}
    return {key.arn: kinds[key.manager] for region in found for key in region.keys
            if isinstance(key, Key) and key.manager in kinds}  # fmt: skip


def _lock(vault: Vault) -> Json:
    if not vault.locked or vault.min_retention_days is None or vault.max_retention_days is None:
        return "none"
    return {
        "mode": "compliance" if vault.lock_date else "governance",
        "min_retention_days": vault.min_retention_days,
        "max_retention_days": vault.max_retention_days,
    }


def _tables(tables: list[Table], regions: Mapping[str, str]) -> JsonMap:
    found: JsonMap = {}
    for table in tables:
        key = "".join(c if c.isalnum() or c in "_-" else "-" for c in table.name).lower()
        scope: JsonMap = {"name": table.name, "deletion_protection": table.deletion_protection}
        if table.region != regions["primary"]:
            scope["region"] = _key_of(table.region, regions)
        found[key if key not in found else f"{key}-{table.region}"] = scope
    return found


def _pitr(tables: list[Table]) -> JsonMap:
    """The weakest that is there; a window is stated only where recovery is on everywhere."""
    states = [table.pitr for table in tables if isinstance(table.pitr, PitrStatus)]
    if not states or not all(state.enabled for state in states):
        return {"enabled": False}
    return {"window_days": min(state.window_days or 35 for state in states)}
