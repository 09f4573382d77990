"""Tables that a restore has made: what they take over, what AWS leaves behind, and CREATING before ACTIVE.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html: auto scaling, IAM
policies, alarms, tags, streams, time to live and point-in-time recovery must be set up again. The page does not speak
of deletion protection: here it is off as well, as in a new table.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from backcheck.sandbox import history, tables
from backcheck.sandbox.item_text import fill
from backcheck.sandbox.refusal import Refusal
from backcheck.sandbox.world import Region, World

SHORTEST, LONGEST = timedelta(minutes=2), timedelta(minutes=6)
"""How long a restore takes here. AWS promises no time."""

POLL = timedelta(minutes=1)
"""How much time passes with each look at something that is not finished: whoever polls, waits. So a client that knows
nothing of the sandbox's clock sees a restore end, after six looks at most."""

MOST_AT_ONCE = 50
"""'Up to 50 concurrent restores (any type of restore) in a given account.'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """Where a restored table comes from, and when it is there."""

    source_table_arn: str
    source_backup_arn: str | None
    as_of: datetime
    active: datetime

    def summary(self, now: datetime) -> dict[str, Any]:
        """DescribeTable's RestoreSummary."""
        source = {"SourceBackupArn": self.source_backup_arn} if self.source_backup_arn else {}
        in_progress = now < self.active
        moments = {"RestoreDateTime": self.as_of, "RestoreInProgress": in_progress}
        return {**source, "SourceTableArn": self.source_table_arn, **moments}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A table's settings, as moto's constructor takes them."""

    schema: list[dict[str, Any]]
    attributes: list[dict[str, str]]
    billing_mode: str | None
    throughput: dict[str, int] | None
    """None on demand."""
    global_indexes: list[dict[str, Any]]
    local_indexes: list[dict[str, Any]]
    encryption: dict[str, Any] | None
    """None: with a key that AWS owns."""

    @classmethod
    def of(cls, table: Any) -> Settings:
        """The settings that a restore takes over from a table as it is now (or was, when it was backed up)."""
        on_demand = table.billing_mode == "PAY_PER_REQUEST"
        encryption = table.sse_specification
        return cls(
            schema=copy.deepcopy(table.schema),
            attributes=copy.deepcopy(table.attr),
            billing_mode=table.billing_mode,
            throughput=None if on_demand else _units(table.throughput),
            global_indexes=[_global_index(index, on_demand=on_demand) for index in table.global_indexes],
            local_indexes=[copy.deepcopy(index.describe()) for index in table.indexes],
            encryption=copy.deepcopy(encryption) if encryption and encryption.get("Enabled") else None,
        )


def duration(world: World, name: str) -> timedelta:
    """How long this restore will take: by the seed."""
    chance = world.chance("restore", name, world.clock.now().isoformat()).random()
    return SHORTEST + (LONGEST - SHORTEST) * chance


def create(region: Region, name: str, settings: Settings, items: Iterable[str], origin: Restored) -> Any:
    """moto's table with these items: CREATING until `origin.active`."""
    used = {part["AttributeName"] for part in settings.schema}
    for index in (*settings.global_indexes, *settings.local_indexes):
        used |= {part["AttributeName"] for part in index["KeySchema"]}
    make: Any = Table  # typed as abstract, which moto itself does not mind
    table = make(
        name,
        account_id=region.account,
        region=region.name,
        schema=settings.schema,
        attr=[attribute for attribute in settings.attributes if attribute["AttributeName"] in used],
        throughput=settings.throughput,
        billing_mode=settings.billing_mode,
        indexes=settings.local_indexes,
        global_indexes=settings.global_indexes,
        sse_specification=settings.encryption,
    )
    fill(table, items)
    dynamodb_backends[region.account][region.name].tables[name] = table
    region.restored[tables.table_id(table)] = origin
    tables.written(region.account, region.name)
    return table


def refuse_target(region: Region, name: str, now: datetime) -> None:
    """A restore needs a name that nothing has, and a free place among those that run."""
    table = _tables(region).get(name)
    if table is not None and in_creation(region, table, now):
        raise Refusal("TableInUseException", f"Table is being created: {name}")
    if table is not None:
        raise Refusal("TableAlreadyExistsException", f"Table already exists: {name}")
    if sum(now < origin.active for origin in region.restored.values()) >= MOST_AT_ONCE:
        raise Refusal("LimitExceededException", f"{MOST_AT_ONCE} restores are running in this account already")


def in_creation(region: Region, table: Any, now: datetime) -> bool:
    """Whether a restore is still making this table."""
    origin = region.restored.get(tables.table_id(table))
    return origin is not None and now < origin.active


READABLE = frozenset({"DescribeTable", "DescribeContinuousBackups", "DescribeTimeToLive", "ListTagsOfResource"})
"""What a table that is CREATING answers."""

CODES: Mapping[str, str] = {
    "UpdateContinuousBackups": "ContinuousBackupsUnavailableException",
    "CreateBackup": "TableInUseException",
    **dict.fromkeys(
        ("DeleteTable", "UpdateTable", "UpdateTimeToLive", "TagResource", "UntagResource"), "ResourceInUseException"
    ),
}
"""How a table that is CREATING refuses; everything else finds no table ('its status might not be ACTIVE')."""


def refuse_unfinished(region: Region, action: str, body: Any, now: datetime) -> None:
    """Refuse what cannot be done to a table that is CREATING."""
    creating = [t for t in _tables(region).values() if region.restored and in_creation(region, t, now)]
    if not creating or action in READABLE or not isinstance(body, Mapping):
        return
    wanted = {name.rsplit("/", 1)[-1] for name, _ in history.touched(body)}
    wanted |= {str(body.get(member, "")).rsplit("/", 1)[-1] for member in ("TableName", "ResourceArn")}
    batches = body.get("RequestItems")
    wanted |= {name.rsplit("/", 1)[-1] for name in (batches if isinstance(batches, Mapping) else ())}
    statement = " ".join(str(body.get(member, "")) for member in ("Statement", "Statements", "TransactStatements"))
    for table in creating:
        if table.name in wanted or f'"{table.name}"' in statement:
            code = CODES.get(action, "ResourceNotFoundException")
            raise Refusal(code, f"Table {table.name} is CREATING: a restore is in progress")


def _tables(region: Region) -> Any:
    return dynamodb_backends[region.account][region.name].tables


def _units(throughput: Mapping[str, int]) -> dict[str, int]:
    return {name: throughput[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}


def _global_index(index: Any, *, on_demand: bool) -> dict[str, Any]:
    described = copy.deepcopy(index.describe())
    kept = {name: described[name] for name in ("IndexName", "KeySchema", "Projection")}
    return kept if on_demand else {**kept, "ProvisionedThroughput": _units(described["ProvisionedThroughput"])}
