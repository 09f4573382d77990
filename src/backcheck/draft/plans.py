"""The deployed plans as tiers: rules, windows, lifecycles and copies as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from backcheck.controls.deployment import copy_lifecycle, lands_in
from backcheck.draft.remarks import Remarks, key_of
from backcheck.draft.vaults import VaultKeys
from backcheck.inventory.backup import BackupPlan, CopyAction, PlanRule
from backcheck.inventory.gap import Gap, known
from backcheck.inventory.model import Inventory, RegionInventory, Table
from backcheck.policy.document import Json, pointer_to
from backcheck.selection import Resource, resolve

JsonMap = dict[str, Json]

DEFAULT_SCHEDULE = "cron(0 5 ? * * *)"
START_MINUTES, COMPLETION_MINUTES = 480, 10_080
"""What AWS takes where a rule says nothing: 8 hours and 7 days (botocore, BackupRule)."""
FOR_EVER_DAYS = 36_500
"""A policy has no `for ever`: a rule without an end is written with AWS's longest retention, and marked."""


def plans_in_use(inventory: Inventory, tables: Sequence[Table], remarks: Remarks) -> tuple[BackupPlan, ...]:
    """The plans that take one of the tables, or might; where none does, every plan, so that SEL-01 can say so."""
    found = [(region, plan) for region in inventory.regions() for plan in _plans(region)]
    readable = [(region, plan) for region, plan in found if not isinstance(plan.rules, Gap)]
    for _, plan in found:
        if isinstance(plan.rules, Gap):
            remarks.left_out.append(f"plan {plan.name}: its rules could not be read")
    used = [plan for region, plan in readable if any(takes(plan, table, region) is not False for table in tables)]
    if not used:
        return tuple(plan for _, plan in readable)
    for _, plan in readable:
        if plan not in used:
            remarks.left_out.append(
                f"plan {plan.name} in {plan.region}: no selection of it takes a table that was read"
            )
    return tuple(used)


def takes(plan: BackupPlan, table: Table, region: RegionInventory) -> bool | None:
    """Whether a selection of the plan takes the table; None where that is not known."""
    if (plan.account, plan.region) != (table.account, table.region):
        return False
    if isinstance(plan.selections, Gap):
        return None
    opt_in = None if isinstance(region.settings, Gap) else region.settings.opt_in
    resource = Resource(arn=table.arn, type="DynamoDB", tags=known(table.tags))
    answers = {resolve(one.selection, resource, opt_in).selected for one in plan.selections}
    return True if True in answers else None if None in answers else False


def plan_keys(plans: Sequence[BackupPlan]) -> Mapping[str, str]:
    """ARN to key: the plan's name, numbered where two have the same."""
    keys: dict[str, str] = {}
    for plan in plans:
        keys[plan.arn] = key_of(plan.name, keys.values())
    return keys


def tier_keys(plan: BackupPlan) -> Mapping[str, str]:
    """Rule id to the tier's key: DailyBackups is `daily`."""
    keys: dict[str, str] = {}
    for rule in rules_of(plan):
        bare = rule.name.removesuffix("Backups").removesuffix("Backup") or rule.name
        keys[rule.id] = key_of(bare.lower(), keys.values())
    return keys


def rules_of(plan: BackupPlan) -> tuple[PlanRule, ...]:
    """The rules, as far as they were read."""
    return () if isinstance(plan.rules, Gap) else plan.rules


def plans_document(plans: Sequence[BackupPlan], vaults: VaultKeys, remarks: Remarks) -> JsonMap:
    """The policy's `plans`."""
    found: JsonMap = {}
    for plan in plans:
        key, tiers = plan_keys(plans)[plan.arn], tier_keys(plan)
        at = pointer_to("/plans", key)
        held: JsonMap = {
            tiers[rule.id]: _tier(rule, plan, vaults, f"{at}/tiers/{tiers[rule.id]}", remarks)
            for rule in rules_of(plan)
        }
        if held:
            found[key] = {"name": plan.name, "tiers": held}
    return found


def _tier(rule: PlanRule, plan: BackupPlan, vaults: VaultKeys, at: str, remarks: Remarks) -> JsonMap:
    tier: JsonMap = {
        "rule": rule.name,
        "schedule": rule.schedule or DEFAULT_SCHEDULE,
        "timezone": rule.timezone,
        "start_window_minutes": rule.start_window_minutes or START_MINUTES,
        "completion_window_minutes": rule.completion_window_minutes or COMPLETION_MINUTES,
        "vault": vaults.key_of(plan.account, plan.region, lands_in(rule)),
        "retention_days": _days(rule.delete_after_days, at, remarks),
    }
    for key, value in (
        ("schedule", rule.schedule),
        ("start_window_minutes", rule.start_window_minutes),
        ("completion_window_minutes", rule.completion_window_minutes),
    ):
        if not value:
            remarks.decide(f"{at}/{key}", "the rule says nothing, so AWS's default applies")
    if rule.move_to_cold_after_days:
        tier["cold_storage_after_days"] = rule.move_to_cold_after_days
    if rule.copies:
        copies = (_copy(a, rule, vaults, f"{at}/copies/{i}", remarks) for i, a in enumerate(rule.copies))
        tier["copies"] = list(copies)
    if rule.continuous:
        tier["continuous"] = True
        remarks.decide(f"{at}/continuous", "it means nothing for DynamoDB, and forbids cold storage")
    return tier


def _days(days: int | None, at: str, remarks: Remarks) -> int:
    if days is None or days < 0:
        remarks.decide(f"{at}/retention_days", "the account keeps it for ever; a policy says for how long")
        return FOR_EVER_DAYS
    return days


def _copy(action: CopyAction, rule: PlanRule, vaults: VaultKeys, at: str, remarks: Remarks) -> JsonMap:
    delete, cold = copy_lifecycle(action, rule)
    copy: JsonMap = {
        "vault": vaults.key_of_arn(action.destination_vault_arn),
        "retention_days": _days(delete, at, remarks),
    }
    return {**copy, "cold_storage_after_days": cold} if cold else copy


def _plans(region: RegionInventory) -> Iterator[BackupPlan]:
    yield from () if isinstance(region.plans, Gap) else region.plans
