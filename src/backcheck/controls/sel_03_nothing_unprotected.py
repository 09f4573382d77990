"""SEL-03: nothing that looks like ours stands outside the policy, or without a backup."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, unread, verdict
from backcheck.controls.deployment import partition
from backcheck.controls.expected_points import expectation
from backcheck.controls.moments import told
from backcheck.controls.subjects import covers
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import ProtectedResource
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory, Table
from backcheck.policy.model import Policy, TableScope

STRAY = "orders-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTable:
    """A table that discovery means."""

    name: str
    resource: str
    region: RegionInventory
    table: Table | Gap | None
    tier: None = None


def discovered_tables(world: World) -> Iterator[FoundTable | Verdict]:
    """Every table of the audited regions that looks like ours, and is no drill's."""
    discovery = world.policy.discovery
    if not discovery.name_prefixes and not discovery.tags:
        return
    for region in world.index.regions.values():
        if isinstance(region.table_names, Gap):
            yield unread(region.table_names, resource=world.policy.resource(f"/discovery@{region.region}"))
        else:
            yield from _discovered(region, region.table_names, world.policy)


@control(
    id="SEL-03",
    title="Nothing stands unprotected",
    severity=Severity.HIGH,
    reads=BOTH,
    each=discovered_tables,
    in_template={**cfn.SELECTED, **cfn.TABLES},
    why="The table that nobody added to the policy is the one that is missing after the incident.",
    remedy="Add the table to the policy's tables, or to discovery.exclude where it holds nothing to keep.",
    sources=(
        "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ProtectedResource.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "CIS-8.1:11.2"),
    passes={"every table is in the policy": examples.world},
    fails={
        "a table outside the policy": lambda: examples.world(
            primary={
                "table_names": ("orders", STRAY),
                "tables": (examples.table(), examples.table(name=STRAY, arn=examples.TABLE_ARN + "-2")),
            }
        ),
        "a table that was never backed up": lambda: examples.world(primary={"protected": ()}),
        "a table that was made again and not backed up since": lambda: examples.world(
            primary={
                "tables": (examples.table(created=examples.NOW - timedelta(days=2)),),
                "protected": (
                    ProtectedResource(
                        resource_arn=examples.TABLE_ARN,
                        resource_type="DynamoDB",
                        last_backup=examples.NOW - timedelta(days=3),
                    ),
                ),
            }
        ),
    },
    unknown={
        "tables not listed": lambda: examples.world(primary={"table_names": examples.gap("ListTables"), "tables": ()}),
        "protected resources not listed": lambda: examples.world(
            primary={"protected": examples.gap("ListProtectedResources")}
        ),
    },
)
def table_is_protected(found: FoundTable, world: World) -> Verdict:
    """A table that discovery means is in a scope of the policy, and AWS Backup has a time of its last backup."""
    scopes = _scopes(found, world.policy)
    answers = [scope for scope in scopes if _covered(scope, found)]
    if not answers:
        unsure = found.table.tags if isinstance(found.table, Table) else found.table
        if isinstance(unsure, Gap) and any(scope.tags for scope in scopes):
            return unread(unsure, resource=found.resource)
        return verdict(
            False,
            expected="in the policy",
            observed="in no scope of the policy",
            at="ListTables.TableNames",
            message=f"{found.name} in {found.region.region} looks like ours and no scope of the policy covers it",
        )
    if Reads.TEMPLATE in world.reads:
        return _passed(f"{found.name} is in scope {answers[0].key}", "in the policy")
    return _backed_up(found, answers[0], world)


def _backed_up(found: FoundTable, scope: TableScope, world: World) -> Verdict:
    if isinstance(found.region.protected, Gap):
        return unread(found.region.protected, resource=found.resource)
    listed = world.index.protected.get(found.resource)
    if listed and listed.last_backup and not _of_another(listed.last_backup, found.table):
        return _passed(f"{found.name} was last backed up at {told(listed.last_backup)}", told(listed.last_backup))
    if isinstance(found.table, Table) and not _was_due(scope, found.table, world):
        return _passed(f"{found.name} is so young that no backup was due yet", "none due yet")
    return verdict(
        False,
        expected="a last backup",
        observed="none",
        at="ListProtectedResources.LastBackupTime",
        message=f"{found.name} is in the policy, and AWS Backup has never backed it up"
        if not (listed and listed.last_backup)
        else f"{found.name} was made again, and AWS Backup has not backed it up since",
    )


def _of_another(last_backup: datetime, table: Table | Gap | None) -> bool:
    """An ARN is a name: a backup from before the table was made is one of another table."""
    return isinstance(table, Table) and last_backup < table.created


def _was_due(scope: TableScope, table: Table, world: World) -> bool:
    return expectation(world.policy.tiers_of(scope), world).any_since(table.created)


def _passed(message: str, observed: str) -> Verdict:
    at = "ListTables.TableNames, ListProtectedResources.LastBackupTime"
    return verdict(True, expected="in the policy, backed up", observed=observed, at=at, message=message)


def _discovered(region: RegionInventory, names: tuple[str, ...], policy: Policy) -> Iterator[FoundTable | Verdict]:
    tables = {(one.resource.rpartition("/")[2] if isinstance(one, Gap) else one.name): one for one in region.tables}
    for name in names:
        table = tables.get(name)
        resource = table.arn if isinstance(table, Table) else f"{_arn_of(region)}{name}"
        if _is_left_out(name, policy):
            continue
        if name.startswith(policy.discovery.name_prefixes or "\\0"):
            yield FoundTable(name=name, resource=resource, region=region, table=table)
        elif policy.discovery.tags and isinstance(table, Gap):
            yield unread(table, resource=resource)
        elif policy.discovery.tags and isinstance(table, Table):
            if isinstance(table.tags, Gap):
                yield unread(table.tags, resource=resource)
            elif all(table.tags.get(key) == value for key, value in policy.discovery.tags.items()):
                yield FoundTable(name=name, resource=resource, region=region, table=table)


def _is_left_out(name: str, policy: Policy) -> bool:
    """Excluded by the policy, or made by a drill: RST-05 judges those."""
    drilled = policy.drill is not None and name.startswith(policy.drill.name_prefix)
    return drilled or any(fnmatchcase(name, pattern) for pattern in policy.discovery.exclude)


def _scopes(found: FoundTable, policy: Policy) -> list[TableScope]:
    return [
        scope
        for scope in policy.tables
        if (account := policy.account(scope.account)) is not None
        and (account.id, policy.regions[scope.region]) == (found.region.account, found.region.region)
    ]


def _covered(scope: TableScope, found: FoundTable) -> bool:
    if isinstance(found.table, Table):
        return covers(scope, found.table) is True
    by_pattern = scope.pattern is not None and fnmatchcase(found.name, scope.pattern)
    return scope.name == found.name or scope.arn == found.resource or by_pattern


def _arn_of(region: RegionInventory) -> str:
    return f"arn:{partition(region.region)}:dynamodb:{region.region}:{region.account}:table/"
