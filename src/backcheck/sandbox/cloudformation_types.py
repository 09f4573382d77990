"""The resource types that a stack creates here, and why others are not."""

from __future__ import annotations

from collections.abc import Mapping

from backcheck.sandbox import (
    cloudformation_alerting,
    cloudformation_backup,
    cloudformation_dynamodb,
    cloudformation_iam,
    cloudformation_named,
)
from backcheck.sandbox.cloudformation_kinds import Kind

KINDS: Mapping[str, Kind] = {
    **cloudformation_backup.KINDS,
    **cloudformation_dynamodb.KINDS,
    **cloudformation_iam.KINDS,
    **cloudformation_alerting.KINDS,
    **cloudformation_named.KINDS,
}
"""The resource types that are created, by their names."""


NESTED = "AWS::CloudFormation::Stack"
_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")


def why_not(kind: str) -> str:
    """Why a type that AWS would create is not created here."""
    if kind.startswith(_CUSTOM):
        return "custom resources are recorded, not run"
    if kind == "AWS::Serverless::Application":
        return "only an account can fetch an application of the Serverless Application Repository"
    return f"{kind} is not modelled in the sandbox"
