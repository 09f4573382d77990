"""Tags of vaults, plans, recovery points and restore testing plans."""

from __future__ import annotations

from collections.abc import Mapping

from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.paging import DEFAULT_PAGE
from backcheck.sandbox.refusal import invalid, limit_exceeded, not_found
from backcheck.sandbox.world import Region

MAX_TAGS = 50
"""https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html: 50 tags a resource."""


def set_tags(region: Region, arn: str, tags: Mapping[str, str] | None) -> None:
    """Add tags to a resource that is being created. Keys that begin with aws: are reserved."""
    for key in tags or {}:
        if key.lower().startswith("aws:"):
            invalid(f"Tag keys cannot start with aws:, {key}")
    merged = {**region.tags.get(arn, {}), **(tags or {})}
    if len(merged) > MAX_TAGS:
        limit_exceeded(f"A resource has at most {MAX_TAGS} tags")
    if merged:
        region.tags[arn] = merged


def _existing(call: Call) -> str:
    arn: str = call.params["ResourceArn"]
    if not arn.startswith(f"arn:{arn.split(':')[1]}:backup:"):
        # 'other than arn:aws:backup, it may return one of the exceptions' (API_ListTags)
        invalid(f"Resource ARN is not managed by AWS Backup: {arn}")
    region = call.region
    known = {vault.arn for vault in region.vaults.values()} | {plan.arn for plan in region.plans.values()}
    known |= region.points.keys() | {plan.arn for plan in region.restore_testing.values()}
    known |= {hold.arn for hold in region.holds.values()}
    if arn not in known:
        not_found(f"Resource {arn} not found")
    return arn


@operation("backup", "ListTags")
def list_tags(call: Call) -> Reply:
    """Tags of one resource, in pages."""
    tags = sorted(call.region.tags.get(_existing(call), {}).items())
    start = int(call.params.get("NextToken") or 0)
    end = start + (call.params.get("MaxResults") or DEFAULT_PAGE)
    reply: dict[str, object] = {"Tags": dict(tags[start:end])}
    if end < len(tags):
        reply["NextToken"] = str(end)
    return reply


@operation("backup", "TagResource")
def tag_resource(call: Call) -> Reply:
    """Add or change tags."""
    set_tags(call.region, _existing(call), call.params["Tags"])
    return {}


@operation("backup", "UntagResource")
def untag_resource(call: Call) -> Reply:
    """Remove tags; keys that are not there are no error."""
    tags = call.region.tags.get(_existing(call), {})
    for key in call.params["TagKeyList"]:
        tags.pop(key, None)
    return {}
