"""The vaults that the plans write and copy to: key, lock and access as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backcheck.controls.deployment import lands_in
from backcheck.draft.places import Places
from backcheck.draft.remarks import Remarks, key_of
from backcheck.inventory.backup import BackupPlan, Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, PolicyDocument
from backcheck.inventory.model import Inventory
from backcheck.policy.document import Json
from backcheck.policy.model import KeyKind, LockMode

JsonMap = dict[str, Json]
Place = tuple[str, str, str]
"""Account, Region and name of a vault."""

AIR_GAPPED = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
SHORTEST_DAYS, LONGEST_DAYS = 1, 36_500
"""What a lock without a minimum or a maximum lets through (API_PutBackupVaultLockConfiguration)."""
LEAST_CHANGEABLE_DAYS = 3
"""The least that AWS takes for compliance mode (API_PutBackupVaultLockConfiguration)."""
SPARING = frozenset({"ArnNotEquals", "ArnNotLike", "StringNotEquals", "StringNotLike"})
"""Operators by which a Deny of everybody spares somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultKeys:
    """The policy's key of each vault that a rule names."""

    keys: Mapping[Place, str]

    def key_of(self, account: str, region: str, name: str) -> str:
        """By its place."""
        return self.keys[account, region, name]

    def key_of_arn(self, arn: str) -> str:
        """By its ARN."""
        return self.keys[place_of(arn)]


def place_of(arn: str) -> Place:
    """Account, Region and name."""
    parts = arn.split(":")
    return parts[4], parts[3], parts[6]


def vault_keys(plans: Iterable[BackupPlan], places: Places) -> VaultKeys:
    """Its name; with the Region or a number behind it where several vaults have the same."""
    wanted = list(dict.fromkeys(_wanted(plans)))
    names = [name for _, _, name in wanted]
    keys: dict[Place, str] = {}
    for place in wanted:
        _, region, name = place
        key = name if names.count(name) == 1 else f"{name}-{places.regions[region]}"
        keys[place] = key_of(key, keys.values())
    return VaultKeys(keys=keys)


def _wanted(plans: Iterable[BackupPlan]) -> Iterator[Place]:
    for plan in plans:
        for rule in () if isinstance(plan.rules, Gap) else plan.rules:
            yield plan.account, plan.region, lands_in(rule)
            yield from (place_of(action.destination_vault_arn) for action in rule.copies)


def vaults_document(vaults: VaultKeys, inventory: Inventory, places: Places, remarks: Remarks) -> JsonMap:
    """The policy's `vaults`."""
    there = {(one.account, one.region, one.name): one for one in _held(inventory)}
    kinds = _kinds(inventory)
    return {
        key: _vault(place, there.get(place), kinds, places, f"/vaults/{key}", remarks)
        for place, key in vaults.keys.items()
    }


def break_glass(vaults: VaultKeys, inventory: Inventory) -> tuple[str, ...]:
    """The roles that the vaults' own access policies spare when they deny everybody: today's break-glass."""
    found: dict[str, None] = {}
    for vault in _held(inventory):
        if (vault.account, vault.region, vault.name) in vaults.keys and isinstance(vault.policy, PolicyDocument):
            found |= dict.fromkeys(_spared(vault.policy))
    return tuple(found)


def _spared(document: PolicyDocument) -> Iterator[str]:
    for statement in document.statements:
        for operator, key, values in statement.conditions:
            if statement.effect == "Deny" and operator in SPARING and key.lower() == "aws:principalarn":
                yield from (v.rpartition("/")[2] for v in values if ":role/" in v and not set("*?") & set(v))


def _held(inventory: Inventory) -> Iterator[Vault]:
    for region in inventory.regions():
        yield from () if isinstance(region.vaults, Gap) else region.vaults


def _vault(
    place: Place, vault: Vault | None, kinds: Mapping[str, KeyKind], places: Places, at: str, remarks: Remarks
) -> JsonMap:
    account, region, name = place
    drafted: JsonMap = {"name": name, **places.of(account, region)}
    if vault is None:
        remarks.decide(at, "a rule names it, and it is not there or could not be read")
        return {**drafted, "lock": "none", "deny_deletion": False}
    if vault.type == AIR_GAPPED:
        drafted["air_gapped"] = True
    kind = KeyKind.AWS_OWNED if vault.key_arn is None else kinds.get(vault.key_arn)
    drafted["key"] = str(kind or KeyKind.CUSTOMER)
    if kind is None:
        remarks.decide(f"{at}/key", f"{vault.key_arn} could not be read")
    drafted["lock"] = _lock(vault, f"{at}/lock", remarks)
    drafted["deny_deletion"] = True
    if isinstance(vault.policy, Gap):
        remarks.decide(f"{at}/deny_deletion", "the access policy could not be read")
    return drafted


def _kinds(inventory: Inventory) -> Mapping[str, KeyKind]:
    """Whose key each ARN is, as far as it could be read."""
    kinds = {"CUSTOMER": KeyKind.CUSTOMER, "AWS": KeyKind.AWS_MANAGED}
    return {key.arn: kinds[key.manager] for region in inventory.regions() for key in region.keys
            if isinstance(key, Key) and key.manager in kinds}  # fmt: skip


def _lock(vault: Vault, at: str, remarks: Remarks) -> Json:
    if not vault.locked:
        if vault.type != AIR_GAPPED:
            remarks.decide(at, "whoever has the permission may shorten or delete what it holds")
        return "none"
    if vault.min_retention_days is None or vault.max_retention_days is None:
        remarks.decide(at, "the lock has no minimum or no maximum; AWS's own bound stands here for it")
    lock: JsonMap = {
        "mode": str(LockMode.COMPLIANCE if vault.lock_date else LockMode.GOVERNANCE),
        "min_retention_days": vault.min_retention_days or SHORTEST_DAYS,
        "max_retention_days": vault.max_retention_days or LONGEST_DAYS,
    }
    if vault.lock_date:
        lock["changeable_for_days"] = LEAST_CHANGEABLE_DAYS
        remarks.decide(f"{at}/changeable_for_days", f"AWS tells only its end, {vault.lock_date:%Y-%m-%d %H:%M} UTC")
    return lock
