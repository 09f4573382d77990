"""What of an account the policy is about: its regions, and the tables that its scope or its discovery could mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.gap import Gap
from backcheck.policy.model import Account, Policy, TableScope, Vault

Tags = Mapping[str, str]


def regions_of(policy: Policy, account: Account, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The regions of the account that the policy's tables and vaults are in, and those asked for; sorted."""
    named: list[TableScope | Vault] = [*policy.tables, *policy.vaults]
    found = {policy.regions[one.region] for one in named if one.account == account.key}
    return tuple(sorted(found | set(more)))


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
