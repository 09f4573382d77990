"""What is looked up over and over in an inventory, put in order once: a control stays linear at 10,000 tables.

Everything here is derived from the inventory and worked out when first asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar

from backcheck.inventory.backup import BackupJob, CopyJob, ProtectedResource, RecoveryPoint, Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, Role
from backcheck.inventory.model import Inventory, RegionInventory

Grouped = TypeVar("Grouped", RecoveryPoint, BackupJob, CopyJob)

T = TypeVar("T")

VaultId = tuple[str, str, str]
"""(account id, region, vault name)."""


class Index:
    """The inventory by the keys that controls ask for."""

    def __init__(self, inventory: Inventory | None) -> None:
        """Nothing is read until it is asked for."""
        self._inventory = inventory
        self._kept: dict[Hashable, Any] = {}
        self._points: dict[VaultId, Mapping[str, tuple[RecoveryPoint, ...]] | Gap] = {}
        self._backup_jobs: dict[tuple[str, str], Mapping[str, tuple[BackupJob, ...]] | Gap] = {}
        self._copy_jobs: dict[tuple[str, str], Mapping[str, tuple[CopyJob, ...]] | Gap] = {}

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` made when this key was first asked for. A key is used with one type only."""
        if key not in self._kept:
            self._kept[key] = make()
        kept: T = self._kept[key]
        return kept

    @cached_property
    def regions(self) -> Mapping[tuple[str, str], RegionInventory]:
        """Regions by (account id, region)."""
        if self._inventory is None:
            return {}
        return {(region.account, region.region): region for region in self._inventory.regions()}

    @cached_property
    def vaults(self) -> Mapping[VaultId, Vault]:
        """Every vault that could be listed."""
        return {
            (vault.account, vault.region, vault.name): vault
            for region in self.regions.values()
            for vault in (() if isinstance(region.vaults, Gap) else region.vaults)
        }

    @cached_property
    def keys(self) -> Mapping[str, Key | Gap]:
        """Keys by ARN; a key that could not be read by what was asked for."""
        return {
            key.resource if isinstance(key, Gap) else key.arn: key
            for region in self.regions.values()
            for key in region.keys
        }

    @cached_property
    def roles(self) -> Mapping[tuple[str, str], Role | Gap]:
        """Roles by (account id, name); a role that could not be read by the name that was asked for."""
        return {
            (account.id, (role.resource if isinstance(role, Gap) else role.name).rpartition("/")[2]): role
            for account in (self._inventory.accounts if self._inventory else ())
            for role in account.roles
        }

    @cached_property
    def protected(self) -> Mapping[str, ProtectedResource]:
        """Protected resources by ARN, of every region that could be listed."""
        return {
            one.resource_arn: one
            for region in self.regions.values()
            for one in (() if isinstance(region.protected, Gap) else region.protected)
        }

    def points(self, vault: VaultId, resource_arn: str) -> tuple[RecoveryPoint, ...] | Gap | None:
        """A resource's points in a vault, oldest first; None where there is no such vault."""
        if vault not in self._points:
            if vault not in self.vaults:
                return None
            held = self.vaults[vault].recovery_points
            self._points[vault] = held if isinstance(held, Gap) else _grouped(held)
        grouped = self._points[vault]
        return grouped if isinstance(grouped, Gap) else grouped.get(resource_arn, ())

    def backup_jobs(self, region: RegionInventory, resource_arn: str) -> tuple[BackupJob, ...] | Gap:
        """A resource's backup jobs in a region, oldest first."""
        where = (region.account, region.region)
        if where not in self._backup_jobs:
            jobs = region.backup_jobs
            self._backup_jobs[where] = jobs if isinstance(jobs, Gap) else _grouped(jobs)
        grouped = self._backup_jobs[where]
        return grouped if isinstance(grouped, Gap) else grouped.get(resource_arn, ())

    def copy_jobs(self, region: RegionInventory, resource_arn: str) -> tuple[CopyJob, ...] | Gap:
        """A resource's copy jobs out of a region, oldest first."""
        where = (region.account, region.region)
        if where not in self._copy_jobs:
            jobs = region.copy_jobs
            self._copy_jobs[where] = jobs if isinstance(jobs, Gap) else _grouped(jobs)
        grouped = self._copy_jobs[where]
        return grouped if isinstance(grouped, Gap) else grouped.get(resource_arn, ())


def _grouped(many: Iterable[Grouped]) -> Mapping[str, tuple[Grouped, ...]]:
    """By resource, each resource's own by the time of creation."""
    found: dict[str, list[Grouped]] = defaultdict(list)
    for one in many:
        found[one.resource_arn].append(one)
    return {arn: tuple(sorted(ones, key=attrgetter("created"))) for arn, ones in found.items()}
