"""IAM roles, as far as jobs depend on them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from moto.iam.models import iam_backends

from backcheck.sandbox.iam_policy import Decision, Request, decide
from backcheck.sandbox.world import partition_of

SERVICE = "backup.amazonaws.com"
NOTHING = '{"Version": "2012-10-17", "Statement": []}'


def find(arn: str, region: str) -> Any:
    """moto's role of this ARN, or None."""
    parts = arn.split(":")
    if len(parts) != 6 or not parts[5].startswith("role/"):
        return None
    roles = iam_backends[parts[4]][partition_of(region)].roles.values()
    return next((role for role in roles if role.arn == arn), None)


def policies_of(principal: Any) -> list[str]:
    """The identity policies of a role or user: inline, and the default versions of those attached."""
    attached = [default_document(policy) for policy in principal.managed_policies.values()]
    return [*principal.policies.values(), *attached]


def default_document(policy: Any) -> str:
    """The text of a managed policy's default version; of one that the sandbox has by name only, a text of nothing."""
    documents = {version.version_id: version.document for version in policy.versions}
    document: str = documents.get(policy.default_version_id, NOTHING)
    return document


def unusable(arn: str, region: str, *, action: str, resource: str) -> str | None:
    """Why AWS Backup cannot do `action` with this role; None if it can.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html: it assumes the role, so the role must
    trust it and must allow the action.
    """
    role = find(arn, region)
    if role is None:
        return f"IAM role {arn} does not exist"
    if not _trusts_backup(role.assume_role_policy_document, arn):
        return f"IAM role {arn} cannot be assumed by AWS Backup"
    if not _allows(tuple(policies_of(role)), action, resource):
        return f"IAM role {arn} does not have sufficient permissions: {action} on {resource}"
    return None


# A history asks the same of the same documents night after night.
@lru_cache(maxsize=4096)
def _allows(documents: tuple[str, ...], action: str, resource: str) -> bool:
    return decide(documents, Request(action=action, resource=resource, context={})) is Decision.ALLOWED


@lru_cache(maxsize=256)
def _trusts_backup(document: str, role_arn: str) -> bool:
    request = Request(action="sts:AssumeRole", resource="*", context=_from_backup(role_arn), principal=SERVICE)
    return decide([document], request) is Decision.ALLOWED


def _from_backup(role_arn: str) -> dict[str, tuple[str, ...]]:
    """Nothing documents that AWS Backup sends aws:SourceAccount; a trust that asks for it is taken to be met."""
    return {"aws:sourceaccount": (role_arn.split(":")[4],)}
