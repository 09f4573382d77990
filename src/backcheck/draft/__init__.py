"""Today's set-up written down as a policy: what is there, not what should be. Pure.

What no account says (objectives, owner) is proposed and marked; what is wrong stands above it in the words of the
controls. The file loads all the same, so that it can be corrected and linted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from backcheck.draft.objectives import objectives
from backcheck.draft.places import places_of
from backcheck.draft.plans import DEFAULT_SCHEDULE, plans_document, plans_in_use
from backcheck.draft.remarks import Remarks
from backcheck.draft.roles import roles_document
from backcheck.draft.tables import pitr_document, tables_document, tables_in
from backcheck.draft.vaults import break_glass, vault_keys, vaults_document
from backcheck.errors import Error, UsageError
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory
from backcheck.policy.document import Json
from backcheck.policy.model import Policy

NO_PLAN: Mapping[str, Json] = {"daily": {"schedule": DEFAULT_SCHEDULE, "retention_days": 35}}
"""A policy has at least one tier; where there is no plan, this one is proposed and PLN-01 says that it is missing."""
PLACEHOLDER: Mapping[str, Json] = {"rpo_hours": 24, "rto_hours": 4}
"""Until `objectives` computes them from the policy that the rest makes."""
UNSAID = (
    "roles.drill, roles.auditor: nothing in the account says which they are",
    "validation: nothing says which check of the backups runs daily, and who hears of failures",
    "drill: without a word, restores are to be drilled each month; `drill: none` says that nobody ever restores",
    "discovery: nothing says which names or tags tell your tables from others'",
)

JsonMap = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A policy's map, and what is to be said of it."""

    document: JsonMap
    marks: Mapping[str, str]
    """JSON Pointer to a remark."""
    left_out: tuple[str, ...]


def draft(inventory: Inventory, loaded: Callable[[JsonMap], Policy], *, name: str, owner: str, year: int) -> Draft:
    """The policy of an inventory; objectives are computed for `year` and the next from the policy that `loaded` makes.

    Raises UsageError where there is no table, of which nothing could be written down; Error where they were not listed.
    """
    remarks = Remarks()
    tables = tables_in(inventory, remarks)
    if not tables:
        raise _no_table(inventory)
    plans = plans_in_use(inventory, tables, remarks)
    places = places_of(inventory, tables, plans, remarks)
    vaults = vault_keys(plans, places)
    document: JsonMap = {"schema": "backcheck/policy/v1", "name": name, "owner": owner, **places.document()}
    remarks.decide("/owner", "who answers for it")
    document["tables"] = tables_document(tables, inventory, plans, places, remarks)
    document["objectives"] = dict(PLACEHOLDER)
    document["pitr"] = pitr_document(tables)
    written = plans_document(plans, vaults, remarks)
    if written:
        document["plans"] = written
        document["vaults"] = vaults_document(vaults, inventory, places, remarks)
    else:
        document["tiers"] = dict(NO_PLAN)
        unread = " that could be read" if _plans_unread(inventory) else ""
        remarks.decide("/tiers", f"proposed, since there is no backup plan{unread}")
    document |= _features(inventory, remarks)
    document |= roles_document(plans, break_glass(vaults, inventory), inventory, remarks)
    document["objectives"], marks = objectives(loaded(document), inventory, year)
    return Draft(document=document, marks={**remarks.at, **marks}, left_out=(*remarks.left_out, *UNSAID))


def without_denial(drafted: Draft, reasons: Mapping[str, str]) -> Draft:
    """The draft, no longer saying of these vaults (key to reason) that their access policy denies deletion."""
    vaults = drafted.document.get("vaults")
    if not isinstance(vaults, dict) or not reasons:
        return drafted
    changed: JsonMap = {
        key: {**vault, "deny_deletion": False} if key in reasons and isinstance(vault, dict) else vault
        for key, vault in vaults.items()
    }
    said = {f"/vaults/{key}/deny_deletion": f"decide: the access policy {why}" for key, why in reasons.items()}
    return replace(drafted, document={**drafted.document, "vaults": changed}, marks={**drafted.marks, **said})


def _no_table(inventory: Inventory) -> Error:
    unlisted = [region.table_names for region in inventory.regions() if isinstance(region.table_names, Gap)]
    undescribed = [one for region in inventory.regions() for one in region.tables if isinstance(one, Gap)]
    for gap in (*unlisted, *undescribed):
        return Error(f"no table could be read: {gap}", hint="backcheck permissions prints what a caller needs")
    return UsageError("there is no table to write a policy about", hint="name the Region or template that has them")


def _plans_unread(inventory: Inventory) -> bool:
    listed = [region.plans for region in inventory.regions()]
    return any(isinstance(plans, Gap) or any(isinstance(one.rules, Gap) for one in plans) for plans in listed)


def _features(inventory: Inventory, remarks: Remarks) -> JsonMap:
    """AWS asks for both preferences (advanced-ddb-backup)."""
    settings = [region.settings for region in inventory.regions() if not isinstance(region.settings, Gap)]
    off = [one for one in settings if not (one.opt_in.get("DynamoDB") and one.management.get("DynamoDB"))]
    if not off:
        return {}
    remarks.decide("/dynamodb_advanced_features", "off in a Region: no cold storage, no copies, no vault key")
    return {"dynamodb_advanced_features": "not-required"}
