"""IAM roles, as far as jobs depend on them."""

from __future__ import annotations

from typing import Any

from moto.iam.models import iam_backends

from backcheck.sandbox.iam_policy import Decision, Request, decide
from backcheck.sandbox.world import partition_of

SERVICE = "backup.amazonaws.com"


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
    """The text of a managed policy's default version."""
    documents = {version.version_id: version.document for version in policy.versions}
    document: str = documents[policy.default_version_id]
    return document


def unusable(arn: str, region: str, *, action: str, resource: str) -> str | None:
    """Why AWS Backup cannot do `action` with this role; None if it can.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html: it assumes the role, so the role must
    trust it and must allow the action.
    """
    role = find(arn, region)
    if role is None:
        return f"IAM role {arn} does not exist"
    trust = Request(action="sts:AssumeRole", resource="*", context=_from_backup(arn), principal=SERVICE)
    if decide([role.assume_role_policy_document], trust) is not Decision.ALLOWED:
        return f"IAM role {arn} cannot be assumed by AWS Backup"
    wanted = Request(action=action, resource=resource, context={})
    if decide(policies_of(role), wanted) is not Decision.ALLOWED:
        return f"IAM role {arn} does not have sufficient permissions: {action} on {resource}"
    return None


def _from_backup(role_arn: str) -> dict[str, tuple[str, ...]]:
    """Nothing documents that AWS Backup sends aws:SourceAccount; a trust that asks for it is taken to be met."""
    return {"aws:sourceaccount": (role_arn.split(":")[4],)}
