"""DynamoDB: which tables there are, and three calls for each that the policy could mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.collect import scope
from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.collect.reply import Malformed, Reply
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import PitrStatus, Table
from backcheck.policy.model import Policy

Tags = Mapping[str, str]
Plans = asyncio.Future[tuple[BackupPlan, ...] | Gap]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagBook:
    """Tags by table ARN."""

    found: Mapping[str, Tags | Gap]
    otherwise: Tags | Gap
    """For a table that is not among them: no tags, or the reason why nobody knows."""

    def of(self, arn: str) -> Tags | Gap:
        """The tags of one table."""
        return self.found.get(arn, self.otherwise)


async def read_tables(
    calls: Calls, policy: Policy, region: str, planned: Plans
) -> tuple[tuple[str, ...] | Gap, tuple[Table | Gap, ...]]:
    """Every table's name, and a description of those that the policy could mean."""
    names = await calls.pages("dynamodb", "ListTables", region, lambda page: page.texts("TableNames"))
    if isinstance(names, Gap):
        return names, ()
    tagging = asyncio.ensure_future(_tag_book(calls, policy, region, planned, names))
    book = await tagging if scope.is_by_tags(policy) else None
    wanted = tuple(n for n in names if scope.is_ours(policy, n, book.of(_arn(calls, region, n)) if book else {}))
    work = (calls.run(lambda name=name: _describe(calls, region, name)) for name in wanted)  # type: ignore[misc]
    described = await asyncio.gather(*work)
    book = await tagging
    return names, tuple(t if isinstance(t, Gap) else replace(t, tags=book.of(t.arn)) for t in described)


async def _tag_book(calls: Calls, policy: Policy, region: str, planned: Plans, names: tuple[str, ...]) -> TagBook:
    """In bulk; one by one only where the bulk call is denied, and only where anything reads tags."""
    if not scope.needs_tags(policy, await planned):
        return TagBook(found={}, otherwise=calls.not_asked("dynamodb", "ListTagsOfResource", region))
    bulk = await calls.pages(
        "resourcegroupstaggingapi", "GetResources", region, _tagged, ResourceTypeFilters=["dynamodb:table"]
    )
    if not isinstance(bulk, Gap):  # a table that was never tagged is not listed (API_GetResources)
        return TagBook(found=dict(bulk), otherwise={})
    arns = [_arn(calls, region, name) for name in names if scope.is_ours(policy, name, bulk)]
    found = await asyncio.gather(*(_tags(calls, region, arn) for arn in arns))
    if not any(isinstance(tags, Gap) for tags in found):
        calls.make_good(bulk)
    return TagBook(found=dict(zip(arns, found, strict=True)), otherwise=bulk)


async def _tags(calls: Calls, region: str, arn: str) -> Tags | Gap:
    pairs = await calls.pages("dynamodb", "ListTagsOfResource", region, _pairs, about=arn, ResourceArn=arn)
    return pairs if isinstance(pairs, Gap) else dict(pairs)


def _arn(calls: Calls, region: str, name: str) -> str:
    return f"arn:{calls.partition(region)}:dynamodb:{region}:{calls.account}:table/{name}"


def _describe(calls: Calls, region: str, name: str) -> Table | Gap:
    pitr = calls.ask("dynamodb", "DescribeContinuousBackups", region, _pitr, about=name, TableName=name)
    policy = calls.ask_maybe(
        "dynamodb",
        "GetResourcePolicy",
        region,
        lambda reply: parse_document(reply.text("Policy")),
        absent=("PolicyNotFoundException",),
        about=name,
        ResourceArn=_arn(calls, region, name),
    )
    return calls.ask(
        "dynamodb",
        "DescribeTable",
        region,
        lambda reply: replace(_table(reply.part("Table"), region, calls.account, pitr), policy=policy),
        about=name,
        TableName=name,
    )


def _table(reply: Reply, region: str, account: str, pitr: PitrStatus | Gap) -> Table:
    encryption, restored = reply.maybe_part("SSEDescription"), reply.maybe_part("RestoreSummary")
    return Table(
        arn=reply.text("TableArn"),
        name=reply.text("TableName"),
        region=region,
        account=account,
        table_id=reply.maybe_text("TableId"),
        status=reply.text("TableStatus"),
        created=reply.time("CreationDateTime"),
        deletion_protection=reply.maybe_flag("DeletionProtectionEnabled") or False,
        encryption_key_arn=encryption.maybe_text("KMSMasterKeyArn") if encryption else None,
        encryption_type=encryption.maybe_text("SSEType") if encryption else None,
        item_count=reply.maybe_number("ItemCount"),
        size_bytes=reply.maybe_number("TableSizeBytes"),
        replica_regions=tuple(part.text("RegionName") for part in reply.optional_parts("Replicas")),
        restored_from=restored.maybe_text("SourceTableArn") if restored else None,
        pitr=pitr,
        tags={},
    )


def _pitr(reply: Reply) -> PitrStatus:
    found = reply.part("ContinuousBackupsDescription").part("PointInTimeRecoveryDescription")
    return PitrStatus(
        enabled=_enabled(found.text("PointInTimeRecoveryStatus")),
        window_days=found.maybe_number("RecoveryPeriodInDays"),
        earliest=found.maybe_time("EarliestRestorableDateTime"),
        latest=found.maybe_time("LatestRestorableDateTime"),
    )


def _enabled(status: str) -> bool:
    if status not in ("ENABLED", "DISABLED"):
        raise Malformed(f"PointInTimeRecoveryStatus is {status!r}, which the API does not have")
    return status == "ENABLED"


def _tagged(page: Reply) -> tuple[tuple[str, Tags], ...]:
    return tuple((part.text("ResourceARN"), dict(_pairs(part))) for part in page.parts("ResourceTagMappingList"))


def _pairs(page: Reply) -> tuple[tuple[str, str], ...]:
    return tuple((tag.text("Key"), tag.maybe_text("Value") or "") for tag in page.parts("Tags"))
