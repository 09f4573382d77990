"""What of an account the policy is about: the tables that it could mean, the vaults, the roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from backcheck.inventory.backup import BackupPlan, Vault
from backcheck.inventory.collect.keys import CUSTOMER
from backcheck.inventory.collect.roles import KEY_ACTIONS, POINT_ACTIONS, TABLE_ACTIONS, VAULT_ACTIONS
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key
from backcheck.inventory.model import RegionInventory
from backcheck.policy.model import Account, Policy

Tags = Mapping[str, str]


def vault_names(policy: Policy, account: Account, region: str) -> frozenset[str]:
    """The vaults that the policy requires in one region of one account, by name."""
    return frozenset(
        vault.name for vault in policy.vaults if vault.account == account.key and policy.region_of(vault) == region
    )


def is_by_tags(policy: Policy) -> bool:
    """Whether tags decide which tables the policy means."""
    return bool(policy.discovery.tags) or any(scope.tags for scope in policy.tables)


def needs_tags(policy: Policy, plans: tuple[BackupPlan, ...] | Gap) -> bool:
    """Whether anything asks for tags: the policy, or a selection (also one that could not be read)."""
    if is_by_tags(policy) or isinstance(plans, Gap):
        return True
    return any(_reads_tags(plan) for plan in plans)


def _reads_tags(plan: BackupPlan) -> bool:
    if isinstance(plan.selections, Gap):
        return True
    return any(one.selection.list_of_tags or one.selection.conditions for one in plan.selections)


def is_ours(policy: Policy, name: str, tags: Tags | Gap) -> bool:
    """Whether a table could be meant by scope, discovery or drill; one whose tags are not known could be."""
    return any(_meanings(policy, name, tags))


def names_roles(policy: Policy) -> bool:
    """Whether the policy says anything about roles."""
    return bool(policy.roles.names)


def role_names(policy: Policy, regions: Iterable[RegionInventory]) -> frozenset[str]:
    """Names that the policy gives, and ARNs that the account's selections use."""
    return frozenset(name for name in (*policy.roles.names, *_selection_roles(regions)) if name)


def _selection_roles(regions: Iterable[RegionInventory]) -> Iterator[str]:
    for region in regions:
        for plan in () if isinstance(region.plans, Gap) else region.plans:
            for one in () if isinstance(plan.selections, Gap) else plan.selections:
                yield one.selection.iam_role_arn


def destructible(
    policy: Policy, account: Account, regions: Iterable[RegionInventory]
) -> dict[tuple[str, ...], tuple[str, ...]]:
    """What could be destroyed, by the actions that would: the policy's vaults, their keys, a point of each, and a table
    of a region."""
    vaults: list[str] = []
    points: list[str] = []
    tables: list[str] = []
    keys: set[str] = set()
    for region in regions:
        ours = vault_names(policy, account, region.region)
        for vault in () if isinstance(region.vaults, Gap) else region.vaults:
            if vault.name in ours:
                vaults.append(vault.arn)
                keys |= {key.arn for key in region.keys if isinstance(key, Key) and _is_of(key, vault)}
                found = () if isinstance(vault.recovery_points, Gap) else vault.recovery_points
                points += [point.arn for point in found[-1:]]
        described = [table.arn for table in region.tables if not isinstance(table, Gap)]
        tables += sorted(described)[:1]
    return {
        VAULT_ACTIONS: tuple(vaults),
        POINT_ACTIONS: tuple(points),
        TABLE_ACTIONS: tuple(tables),
        KEY_ACTIONS: tuple(sorted(keys)),
    }


def _is_of(key: Key, vault: Vault) -> bool:
    """AWS's own keys can be neither disabled nor deleted (kms, deleting-keys)."""
    return key.manager == CUSTOMER and key.arn == vault.key_arn


def _meanings(policy: Policy, name: str, tags: Tags | Gap) -> Iterator[bool]:
    for scope in policy.tables:
        yield scope.name == name
        yield scope.pattern is not None and fnmatchcase(name, scope.pattern)
        yield scope.arn is not None and scope.arn.rpartition("/")[2] == name
        yield _tagged(scope.tags, tags)
    yield any(name.startswith(prefix) for prefix in policy.discovery.name_prefixes)
    yield _tagged(policy.discovery.tags, tags)
    yield policy.drill is not None and name.startswith(policy.drill.name_prefix)


def _tagged(wanted: Tags, tags: Tags | Gap) -> bool:
    if not wanted:
        return False
    return isinstance(tags, Gap) or all(tags.get(key) == value for key, value in wanted.items())
