"""RST-05: drills leave nothing behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unread, verdict
from backcheck.controls.moments import few, told
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory, Table
from backcheck.policy.model import Drill


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillGround:
    """A region in which drills make tables."""

    drill: Drill
    region: RegionInventory
    resource: str
    tier: None = None


def drill_grounds(world: World) -> Iterator[DrillGround | Verdict]:
    """Every audited region; UNKNOWN where its tables could not be listed."""
    drill = world.policy.drill
    for region in world.index.regions.values() if drill else ():
        resource = world.policy.resource(f"/drill@{region.account}/{region.region}")
        if isinstance(region.table_names, Gap):
            yield unread(region.table_names, resource=resource)
        elif drill:
            yield DrillGround(drill=drill, region=region, resource=resource)


def _left(created_hours_ago: int) -> World:
    left = examples.table(
        name="drill-orders",
        arn=examples.TABLE_ARN.replace("orders", "drill-orders"),
        created=examples.NOW - timedelta(hours=created_hours_ago),
        restored_from=examples.TABLE_ARN,
    )
    return examples.world(
        primary={"table_names": ("orders", "drill-orders"), "tables": (examples.table(), left)},
    )


@control(
    id="RST-05",
    title="Drills leave nothing behind",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=drill_grounds,
    why="What a drill leaves is a full copy of production, without its protection and outside its retention.",
    remedy="backcheck reap --policy POLICY --live --allow-destructive --out DIR: it removes only what a ledger names",
    sources=("https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html",),
    passes={"nothing": examples.world, "a drill is under way": lambda: _left(2)},
    fails={"left for two days": lambda: _left(48)},
    unknown={
        "tables not listed": lambda: examples.world(dr={"table_names": examples.gap("ListTables")}),
        "its age not read": lambda: examples.world(
            primary={
                "table_names": ("orders", "drill-orders"),
                "tables": (
                    examples.table(),
                    examples.gap("DescribeTable", service="dynamodb", resource="drill-orders"),
                ),
            }
        ),
    },
)
def drills_are_cleaned_up(ground: DrillGround, world: World) -> Verdict:
    """No table with the drills' prefix is older than the policy's limit."""
    prefix, limit = ground.drill.name_prefix, timedelta(hours=ground.drill.cleanup_after_hours)
    names = [name for name in _names(ground.region) if name.startswith(prefix)]
    known = {table.name: table for table in ground.region.tables if isinstance(table, Table)}
    old = [known[name] for name in names if name in known and world.now - known[name].created > limit]
    unsure = [name for name in names if name not in known]
    if unsure and not old:
        found = (one for one in ground.region.tables if isinstance(one, Gap))
        gap = next(
            (one for one in found if one.resource.rpartition("/")[2] in unsure), _not_described(unsure[0], ground)
        )
        return unread(gap, resource=ground.resource)
    told_of = few([f"{table.name} of {told(table.created)}" for table in old])
    return verdict(
        not old,
        expected=f"no table {prefix}* older than {ground.drill.cleanup_after_hours} h",
        observed=told_of or f"{len(names)} tables of drills, none old",
        at="ListTables.TableNames, DescribeTable.CreationDateTime",
        message=f"{ground.region.region}: {f'drills left {told_of}' if old else 'drills left nothing'}",
        notes=tuple(_of_the_last(world)),
        instances=(table.arn for table in old),
    )


def _names(region: RegionInventory) -> tuple[str, ...]:
    return () if isinstance(region.table_names, Gap) else region.table_names


def _of_the_last(world: World) -> Iterator[str]:
    for record in () if isinstance(world.drills, Gap) else world.drills[-3:]:
        if not record.cleaned_up:
            yield f"drill {record.run_id} says that it could not clean up: {record.detail}"


def _not_described(name: str, ground: DrillGround) -> Gap:
    return Gap(
        service="dynamodb",
        operation="DescribeTable",
        region=ground.region.region,
        account=ground.region.account,
        code="NotAsked",
        detail="the snapshot has no description of this table",
        resource=name,
    )
