"""Which regions of an account a policy is about."""

from __future__ import annotations

from backcheck.policy.model import Account, Policy, TableScope, Vault


def regions_of(policy: Policy, account: Account, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The regions of the account that the policy's tables and vaults are in, and those asked for; sorted."""
    named: list[TableScope | Vault] = [*policy.tables, *policy.vaults]
    found = {policy.regions[one.region] for one in named if one.account == account.key}
    return tuple(sorted(found | set(more)))
