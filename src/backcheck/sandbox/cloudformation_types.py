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
OPAQUE: Mapping[str, str] = {
    "AWS::CloudFormation::StackSet": "its stacks, in other accounts and regions or in this one, are not looked into",
    "AWS::Serverless::Application": "only an account can fetch an application of the Serverless Application Repository",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct": "only an account has the product's template",
}
"""Types that stand for whole stacks which no template beside this one describes, and why nothing is known of those.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stackset.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-servicecatalog-cloudformationprovisionedproduct.html
"""
_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")


def why_not(kind: str) -> str:
    """Why a type that AWS would create is not created here."""
    if kind.startswith(_CUSTOM):
        return "custom resources are recorded, not run"
    return OPAQUE.get(kind, f"{kind} is not modelled in the sandbox")
