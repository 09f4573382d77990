"""The accounts and Regions of a draft, and the keys that the rest of it names them by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backcheck.draft.remarks import Remarks, key_of
from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, Table
from backcheck.policy.document import Json
from backcheck.policy.model import DR, PRIMARY


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Ids and names to keys."""

    accounts: Mapping[str, str]
    regions: Mapping[str, str]

    def of(self, account: str, region: str) -> dict[str, Json]:
        """What a table or a vault says of where it is; nothing in the primary place."""
        found: dict[str, Json] = {}
        if self.accounts[account] != PRIMARY:
            found["account"] = self.accounts[account]
        if self.regions[region] != PRIMARY:
            found["region"] = self.regions[region]
        return found

    def document(self) -> dict[str, Json]:
        """The policy's `account` or `accounts`, and `regions`."""
        one = len(self.accounts) == 1
        accounts: Json = next(iter(self.accounts)) if one else {key: name for name, key in self.accounts.items()}
        return {"account" if one else "accounts": accounts, "regions": {k: name for name, k in self.regions.items()}}


def places_of(inventory: Inventory, tables: Iterable[Table], plans: Iterable[BackupPlan], remarks: Remarks) -> Places:
    """Most tables are in the primary Region; then where copies go, `dr` the first of them; then what was looked at."""
    copied_to = [action.destination_vault_arn.split(":") for plan in plans if not isinstance(plan.rules, Gap)
                 for rule in plan.rules for action in rule.copies]  # fmt: skip
    used = [table.region for table in tables]
    primary = max(used, key=used.count)
    others = [*(arn[3] for arn in copied_to), *used, *(one.region for one in inventory.regions())]
    regions = {primary: PRIMARY}
    for name in dict.fromkeys(others):
        if name not in regions:
            regions[name] = DR if DR not in regions.values() else key_of(name, regions.values())
    read = [account.id for account in inventory.accounts]
    accounts = {read[0]: PRIMARY}
    for number in dict.fromkeys([*read, *(arn[4] for arn in copied_to)]):
        if number not in accounts:
            accounts[number] = f"account-{number}"
            if number not in read:
                remarks.decide(f"/accounts/account-{number}", "copies go there; name the role_arn that may read it")
    return Places(accounts=accounts, regions=regions)
