"""The tables: which tiers protect each today, its recovery window, its deletion protection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backcheck.draft.places import Places
from backcheck.draft.plans import plan_keys, rules_of, takes, tier_keys
from backcheck.draft.remarks import Remarks, key_of
from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, PitrStatus, RegionInventory, Table
from backcheck.policy.document import Json, pointer_to
from backcheck.selection import RESTORE_TEST

JsonMap = dict[str, Json]

WINDOW_DAYS = 35
"""DynamoDB's own window where none is stated (botocore, RecoveryPeriodInDays)."""


def tables_in(inventory: Inventory, remarks: Remarks) -> tuple[Table, ...]:
    """Every table that was described, but for those of restore tests, which plans leave out as well."""
    found = tuple(inventory.tables())
    for table in found:
        if table.name.startswith(RESTORE_TEST):
            remarks.left_out.append(f"table {table.name}: a restore test made it, and AWS Backup's plans ignore it")
    return tuple(table for table in found if not table.name.startswith(RESTORE_TEST))


def tables_document(
    tables: Sequence[Table], inventory: Inventory, plans: Sequence[BackupPlan], places: Places, remarks: Remarks
) -> JsonMap:
    """The policy's `tables`."""
    found: JsonMap = {}
    regions = {(region.account, region.region): region for region in inventory.regions()}
    shared = pitr_document(tables)
    for table in tables:
        key = key_of(table.name.lower(), found)
        at = pointer_to("/tables", key)
        scope: JsonMap = {"name": table.name, **places.of(table.account, table.region)}
        tiers = _tiers(table, plans, regions[table.account, table.region], at, remarks)
        if tiers is not None:
            scope["tiers"] = tiers
        scope |= _pitr_of(table, shared, at, remarks)
        scope["deletion_protection"] = table.deletion_protection
        if not table.deletion_protection:
            remarks.decide(f"{at}/deletion_protection", "off: anybody who may, deletes the table with its window")
        found[key] = scope
    return found


def _tiers(
    table: Table, plans: Sequence[BackupPlan], region: RegionInventory, at: str, remarks: Remarks
) -> list[Json] | None:
    """The tiers of the plans that take it; None: every tier, so also where no plan takes it, and SEL-01 says so."""
    answers = {plan.arn: takes(plan, table, region) for plan in plans}
    if None in answers.values():
        remarks.decide(at, "whether a selection takes it could not be told")
    elif True not in answers.values():
        remarks.decide(at, "nothing backs it up; delete it here only if it holds nothing to keep")
    taken = [plan for plan in plans if answers[plan.arn] is not False]
    if not taken or len(taken) == len(plans):
        return None
    keys = plan_keys(plans)
    return [f"{keys[plan.arn]}/{tier_keys(plan)[rule.id]}" for plan in taken for rule in rules_of(plan)]


def pitr_document(tables: Sequence[Table]) -> JsonMap:
    """The policy's `pitr`: the shortest window that is there; off only where it is off everywhere."""
    states = [table.pitr for table in tables if isinstance(table.pitr, PitrStatus)]
    windows = [state.window_days or WINDOW_DAYS for state in states if state.enabled]
    return {"enabled": False} if states and not windows else {"window_days": min(windows, default=WINDOW_DAYS)}


def _pitr_of(table: Table, shared: Mapping[str, Json], at: str, remarks: Remarks) -> JsonMap:
    """What this table's recovery differs in from the policy's."""
    pointer = f"{at}/pitr"
    if isinstance(table.pitr, Gap):
        remarks.decide(at, "its point-in-time recovery could not be read")
        return {}
    if not table.pitr.enabled:
        remarks.decide(pointer if shared.get("enabled", True) else "/pitr", "off: only whole backups come back")
        return {"pitr": {"enabled": False}} if shared.get("enabled", True) else {}
    window = table.pitr.window_days or WINDOW_DAYS
    return {} if window == shared["window_days"] else {"pitr": {"window_days": window}}
