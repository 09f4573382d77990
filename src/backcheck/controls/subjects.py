"""What claims are about: the policy, its tiers, and the tables in its scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from backcheck.controls.control import World, not_applicable, unread
from backcheck.finding import Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory, Table
from backcheck.policy.model import Policy, TableScope, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySubject:
    """The policy, or one place in it."""

    policy: Policy
    pointer: str = ""
    tier: str | None = None

    @property
    def resource(self) -> str:
        """`policy:<name>#<pointer>`."""
        return self.policy.resource(self.pointer)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSubject:
    """One tier of the policy."""

    policy: Policy
    rule: Tier

    @property
    def resource(self) -> str:
        """`policy:<name>#/plans/<plan>/tiers/<tier>`."""
        return self.policy.resource(self.rule.pointer)

    @property
    def tier(self) -> str:
        """`plan/tier`."""
        return self.rule.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedTable:
    """A table of the account with what the policy promises for it."""

    scope: TableScope
    table: Table
    region: RegionInventory
    """Where the table is."""
    tiers: tuple[Tier, ...]
    tier: None = None

    @property
    def resource(self) -> str:
        """The table's ARN."""
        return self.table.arn


def the_policy(world: World) -> Iterator[PolicySubject]:
    """The policy as a whole."""
    yield PolicySubject(policy=world.policy)


def tiers(world: World) -> Iterator[TierSubject]:
    """Every tier of the policy."""
    for tier in world.policy.tiers:
        yield TierSubject(policy=world.policy, rule=tier)


def tables_in_scope(world: World) -> Iterator[ScopedTable | Verdict]:
    """Every table that the policy covers, found once for all controls.

    A scope whose tables could not be listed is UNKNOWN. One that matches none is NOT_APPLICABLE here: SEL-01 fails it.
    """
    yield from world.index.remember("tables in scope", lambda: tuple(_tables_in_scope(world)))


def _tables_in_scope(world: World) -> Iterator[ScopedTable | Verdict]:
    for scope in world.policy.tables:
        region = region_of(scope, world)
        yield from scoped(scope, region, world) if region else (_not_looked_at(scope, world),)


def region_of(scope: TableScope, world: World) -> RegionInventory | None:
    """Where a scope's tables live, as far as it was looked at."""
    account = world.policy.account(scope.account)
    if account is None or world.inventory is None:
        return None
    return world.index.regions.get((account.id, world.policy.regions[scope.region]))


def scoped(scope: TableScope, region: RegionInventory, world: World) -> Iterator[ScopedTable | Verdict]:
    """The tables of one region that a scope covers, and what could not be read of them."""
    resource = world.policy.resource(f"/tables/{scope.key}")
    tiers = world.policy.tiers_of(scope)
    found = False
    for table in region.tables:
        outcome = _in_scope(scope, table, region, tiers)
        if outcome is not None:
            found = True
            yield outcome
    names = region.table_names
    if isinstance(names, Gap) and not (found and (scope.name or scope.arn)):
        yield unread(names, resource=resource)
    elif not found:
        yield not_applicable("no table of the account matches", resource=resource)


def _in_scope(
    scope: TableScope, table: Table | Gap, region: RegionInventory, tiers: tuple[Tier, ...]
) -> ScopedTable | Verdict | None:
    if isinstance(table, Gap):
        return unread(table) if _could_be(scope, table.resource) else None
    covered = covers(scope, table)
    if covered is None and isinstance(table.tags, Gap):
        return unread(table.tags, resource=table.arn)
    return ScopedTable(scope=scope, table=table, region=region, tiers=tiers) if covered else None


def covers(scope: TableScope, table: Table) -> bool | None:
    """Whether a scope means a table; None where that hangs on tags that could not be read."""
    if scope.arn is not None:
        return scope.arn == table.arn
    if scope.name is not None:
        return scope.name == table.name
    if scope.pattern is not None:
        return fnmatchcase(table.name, scope.pattern)
    if isinstance(table.tags, Gap):
        return None
    return all(table.tags.get(key) == value for key, value in scope.tags.items())


def _could_be(scope: TableScope, resource: str) -> bool:
    name = resource.rpartition("/")[2]
    if scope.name is not None:
        return scope.name == name
    if scope.pattern is not None:
        return fnmatchcase(name, scope.pattern)
    return scope.arn is None or scope.arn.rpartition("/")[2] == name


def _not_looked_at(scope: TableScope, world: World) -> Verdict:
    gap = Gap(
        service="backcheck",
        operation="snapshot",
        region=world.policy.regions[scope.region],
        account=scope.account,
        code="NotLookedAt",
        detail="the snapshot has nothing of this account and region",
    )
    return unread(gap, resource=world.policy.resource(f"/tables/{scope.key}"))
