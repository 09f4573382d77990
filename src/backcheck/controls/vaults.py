"""The policy's vaults, as they are in the account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls.control import World, not_applicable, unread
from backcheck.controls.expected_points import not_looked_at, vault_id
from backcheck.finding import Verdict
from backcheck.inventory.backup import Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Statement
from backcheck.policy.model import Policy
from backcheck.policy.model import Vault as PolicyVault


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedVault:
    """A vault of the policy, and the one of that name in its account and region."""

    wanted: PolicyVault
    vault: Vault | None
    where: str
    """The AWS region."""
    resource: str
    tier: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentVault:
    """A vault of the policy that is there."""

    wanted: PolicyVault
    vault: Vault
    tier: None = None

    @property
    def resource(self) -> str:
        """The vault's ARN."""
        return self.vault.arn


def expected_vaults(world: World) -> Iterator[ExpectedVault | Verdict]:
    """Every vault of the policy; UNKNOWN where its region's vaults could not be listed."""
    for wanted in world.policy.vaults:
        resource = world.policy.resource(f"/vaults/{wanted.key}")
        found = find_vault(wanted, world)
        if isinstance(found, Gap):
            yield unread(found, resource=resource)
        else:
            where = world.policy.region_of(wanted)
            yield ExpectedVault(wanted=wanted, vault=found, where=where, resource=found.arn if found else resource)


def present_vaults(world: World) -> Iterator[PresentVault | Verdict]:
    """The policy's vaults that are there. Where one is not, VLT-01 fails that."""
    for expected in expected_vaults(world):
        if isinstance(expected, Verdict):
            yield expected
        elif expected.vault is None:
            yield not_applicable(f"there is no vault {expected.wanted.name}: see VLT-01", resource=expected.resource)
        else:
            yield PresentVault(wanted=expected.wanted, vault=expected.vault)


def find_vault(wanted: PolicyVault, world: World) -> Vault | Gap | None:
    """The vault that a policy means; None where there is none, a Gap where that is not known."""
    place = vault_id(wanted, world.policy)
    if place is None:
        return None
    region = world.index.regions.get(place[:2])
    if region is None:
        return not_looked_at(place)
    if isinstance(region.vaults, Gap):
        return region.vaults
    return world.index.vaults.get(place)


def find_vault_by_arn(arn: str, world: World) -> Vault | Gap | None:
    """The vault of an ARN; None where there is none, a Gap where that is not known."""
    parts = arn.split(":")
    if len(parts) < 7:
        return None
    place = (parts[4], parts[3], parts[6])
    region = world.index.regions.get(place[:2])
    if region is None:
        return not_looked_at(place)
    if isinstance(region.vaults, Gap):
        return region.vaults
    return world.index.vaults.get(place)


def retentions_in(key: str, policy: Policy) -> tuple[int, ...]:
    """Every retention in days that the policy's tiers and copies ask of a vault, shortest first."""
    asked = [tier.retention_days for tier in policy.tiers if tier.vault == key]
    asked += [copy.retention_days for tier in policy.tiers for copy in tier.copies if copy.vault == key]
    return tuple(sorted(days for days in asked if days is not None))


def strangers(statement: Statement, subject: PresentVault) -> Iterator[str]:
    """Whom a statement of the vault's or its key's policy names that is neither of the account nor allowed by name."""
    if statement.not_principals:
        yield "everybody but a few (NotPrincipal)"
    for kind, who in statement.principals:
        if kind in ("AWS", "*") and not _is_ours(who, statement, subject):
            yield "everybody" if who == "*" else who


def _is_ours(who: str, statement: Statement, subject: PresentVault) -> bool:
    ours = {subject.vault.account, *subject.wanted.allowed_principals}
    if who == "*":
        limits = [
            set(values)
            for operator, key, values in statement.conditions
            if key.lower() in _LIMITS and operator.lower() in _EQUAL
        ]
        return any(values and values <= ours for values in limits)
    return who in ours or (who.split(":")[4] if who.startswith("arn:") else who) in ours


_EQUAL = frozenset({"stringequals", "stringlike"})
"""`...IfExists` and `ForAllValues:` also hold where the key is absent, and `StringNotEquals` for everybody else."""
_LIMITS = frozenset({"aws:principalorgid", "aws:principalaccount", "aws:sourceaccount", "kms:calleraccount"})
