"""A table's settings, two of them compared, and the commands that apply what a restore leaves out. Pure but `read`.

What AWS leaves out: auto scaling, IAM policies, alarms, tags, streams, TTL, and PITR
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html); deletion
protection is in neither of its lists, and does not come back as far as anybody has written down.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backcheck.drill import surroundings
from backcheck.drill.plan import EXPIRES_TAG, POLICY_TAG, RUN_TAG
from backcheck.drill.surroundings import Surroundings

OURS = frozenset({RUN_TAG, POLICY_TAG, EXPIRES_TAG})

ON_DEMAND = "on demand"
NOT_COMPARED = "resource and IAM policies, Kinesis destinations, Contributor Insights, replicas"
"""Not read here: the runbook ends with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What of a table is set up, besides its items."""

    key: tuple[str, ...]
    """`name:type:HASH`."""
    indexes: Mapping[str, str]
    """Name to kind, key and projection."""
    billing: str
    table_class: str
    encryption: str
    """`AWS owned`, or the key's manager and type."""
    key_arn: str | None
    ttl: str | None
    """The attribute; None: off."""
    stream: str | None
    """The view type; None: off."""
    tags: Mapping[str, str]
    """Without AWS's and the drill's own."""
    pitr_days: int | None
    """None: off."""
    protected: bool
    around: Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsComparison:
    """What came back and what did not."""

    different: tuple[str, ...]
    """What a restore promises and did not bring."""
    listed: tuple[str, ...]
    """What AWS leaves out, and must be set again."""
    gaps: tuple[str, ...]
    """What could not be read: then nobody knows whether it must be set again."""
    shape_is_equal: bool
    """Whether key schema and indexes are."""
    runbook: tuple[str, ...]
    """Commands, for a table called RESTORED."""
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """equal, listed, different, or empty where something was not read: DrillRecord.settings."""
        if self.different:
            return "different"
        if self.gaps:
            return ""
        return "listed" if self.listed else "equal"


def read(client_of: Callable[[str], Any], table: str) -> Settings:
    """What AWS says of a table; `client_of` makes a client of a service. Raises botocore's errors of DynamoDB."""
    client = client_of("dynamodb")
    described = client.describe_table(TableName=table)["Table"]
    ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    provisioned = _billing(described) != ON_DEMAND
    around = surroundings.read(client_of, table, provisioned=provisioned)
    return parse(described, ttl, backups, read_tags(client, described["TableArn"]), around)


def read_tags(client: Any, arn: str) -> dict[str, str]:
    """Every tag of a table."""
    found: dict[str, str] = {}
    more: dict[str, str] = {}
    while True:
        page = client.list_tags_of_resource(ResourceArn=arn, **more)
        found |= {tag["Key"]: tag["Value"] for tag in page.get("Tags", ())}
        if not page.get("NextToken"):
            return found
        more = {"NextToken": page["NextToken"]}


def parse(
    described: Mapping[str, Any],
    ttl: Mapping[str, Any],
    backups: Mapping[str, Any],
    tags: Mapping[str, str],
    around: Surroundings,
) -> Settings:
    """The replies of four calls, and what stands around the table, as settings."""
    types = {one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]}
    sse = described.get("SSEDescription") or {}
    pitr = backups.get("PointInTimeRecoveryDescription", {})
    stream = described.get("StreamSpecification") or {}
    return Settings(
        key=_key(described["KeySchema"], types),
        indexes={
            one["IndexName"]: f"{kind} {' '.join(_key(one['KeySchema'], types))} {_projection(one)}"
            for kind, name in (("global", "GlobalSecondaryIndexes"), ("local", "LocalSecondaryIndexes"))
            for one in described.get(name) or ()
        },
        billing=_billing(described),
        table_class=(described.get("TableClassSummary") or {}).get("TableClass", "STANDARD"),
        encryption=sse.get("SSEType", "AWS owned") if sse.get("Status") in ("ENABLED", "UPDATING") else "AWS owned",
        key_arn=sse.get("KMSMasterKeyArn"),
        ttl=ttl.get("AttributeName") if ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") else None,
        stream=stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
        tags={name: value for name, value in tags.items() if name not in OURS and not name.startswith("aws:")},
        pitr_days=pitr.get("RecoveryPeriodInDays", 35) if pitr.get("PointInTimeRecoveryStatus") == "ENABLED" else None,
        protected=bool(described.get("DeletionProtectionEnabled")),
        around=around,
    )


def compare(source: Settings, restored: Settings, *, same_region: bool) -> SettingsComparison:
    """What came back. In another region a customer's key cannot be the same one; that it is one, must be."""
    pairs = (
        ("key schema", source.key, restored.key),
        ("billing", source.billing, restored.billing),
        ("table class", source.table_class, restored.table_class),
        ("encryption", source.encryption, restored.encryption),
    )
    different = [f"{name} is {found}, was {wanted}" for name, wanted, found in pairs if wanted != found]
    indexes = list(_indexes(source.indexes, restored.indexes))
    different += indexes
    if same_region and source.key_arn != restored.key_arn:
        different.append("another key encrypts it")
    left_out = [(name, command) for name, command in _left_out(source, restored)]
    notes = () if same_region or source.key_arn is None else (f"encrypted by {restored.key_arn}",)
    return SettingsComparison(
        different=tuple(different),
        listed=tuple(dict.fromkeys(name for name, _ in left_out)),
        gaps=tuple(dict.fromkeys((*source.around.gaps, *restored.around.gaps))),
        shape_is_equal=source.key == restored.key and not indexes,
        runbook=(*(command for _, command in left_out), f"# not compared, set again by hand: {NOT_COMPARED}"),
        notes=notes,
    )


def _indexes(source: Mapping[str, str], restored: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(source.keys() | restored.keys()):
        if name not in restored:
            yield f"index {name} is missing"
        elif name not in source:
            yield f"index {name} is new"
        elif source[name] != restored[name]:
            yield f"index {name} is {restored[name]}, was {source[name]}"


def _left_out(source: Settings, restored: Settings) -> Iterator[tuple[str, str]]:
    """What differs of that which AWS does not bring back, with the command that sets it."""
    if source.pitr_days and source.pitr_days != restored.pitr_days:
        wanted = f"PointInTimeRecoveryEnabled=true,RecoveryPeriodInDays={source.pitr_days}"
        yield "PITR", _command("update-continuous-backups", "--point-in-time-recovery-specification", wanted)
    if source.ttl and source.ttl != restored.ttl:
        wanted = f"Enabled=true,AttributeName={source.ttl}"
        yield "TTL", _command("update-time-to-live", "--time-to-live-specification", wanted)
    if source.stream and source.stream != restored.stream:
        wanted = f"StreamEnabled=true,StreamViewType={source.stream}"
        yield "stream", _command("update-table", "--stream-specification", wanted)
    if source.protected and not restored.protected:
        yield "deletion protection", _command("update-table", "--deletion-protection-enabled")
    missing = {name: value for name, value in source.tags.items() if restored.tags.get(name) != value}
    if missing:
        tags = json.dumps([{"Key": name, "Value": value} for name, value in sorted(missing.items())])
        yield "tags", f"aws dynamodb tag-resource --resource-arn RESTORED_ARN --tags {shlex.quote(tags)}"
    yield from surroundings.missing(source.around, restored.around)


def _command(name: str, *arguments: str) -> str:
    return shlex.join(["aws", "dynamodb", name, "--table-name", "RESTORED", *arguments])


def _key(schema: Any, types: Mapping[str, str]) -> tuple[str, ...]:
    order: Callable[[Any], bool] = lambda one: one["KeyType"] != "HASH"  # noqa: E731  a name for the type checker
    return tuple(
        f"{one['AttributeName']}:{types.get(one['AttributeName'], '?')}:{one['KeyType']}"
        for one in sorted(schema, key=order)
    )


def _projection(index: Mapping[str, Any]) -> str:
    found = index.get("Projection") or {}
    return " ".join([found.get("ProjectionType", "ALL"), *sorted(found.get("NonKeyAttributes") or ())])


def _billing(described: Mapping[str, Any]) -> str:
    """On demand, or the capacity: DescribeTable names no mode for a table that was always provisioned."""
    if (described.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST":
        return ON_DEMAND
    capacity = described.get("ProvisionedThroughput") or {}
    return f"{capacity.get('ReadCapacityUnits', 0)} read and {capacity.get('WriteCapacityUnits', 0)} write units"
