"""Which tiers protect which tables together, and over which period they are reckoned with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from backcheck.policy.model import Policy, Tier

FIRST_YEAR = 2026
"""A policy that names no day from which it holds is reckoned from here: its document must not change by itself."""


def two_years(year: int) -> tuple[datetime, datetime]:
    """That calendar year and the next: more than 400 days, the same all year long, so that no date fails a build."""
    return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)


def first_year(policy: Policy) -> int:
    """The year in which the policy comes into force."""
    return policy.effective_from.year if policy.effective_from else FIRST_YEAR


def tier_sets(policy: Policy) -> Mapping[tuple[Tier, ...], tuple[str, ...]]:
    """Every set of tiers that protects some table, with the keys of the tables; many tables share one calendar."""
    sets: dict[tuple[Tier, ...], list[str]] = {}
    for scope in policy.tables:
        sets.setdefault(policy.tiers_of(scope), []).append(scope.key)
    return {tiers: tuple(tables) for tiers, tables in sets.items()}


def elsewhere(tiers: tuple[Tier, ...], policy: Policy) -> tuple[str, ...]:
    """The keys of the vaults in other Regions than their tiers' that the tiers copy to."""
    found: dict[str, None] = {}
    for tier in tiers:
        home = policy.vault(tier.vault)
        for copy in tier.copies:
            vault = policy.vault(copy.vault)
            if vault and home and policy.region_of(vault) != policy.region_of(home):
                found[vault.key] = None
    return tuple(found)
