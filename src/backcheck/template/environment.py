"""Where a template is to be deployed: what the pseudo parameters say, and what other stacks export.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from backcheck.template.value import Value


class OtherStacks(Protocol):
    """What stacks that exist already have put out."""

    def exported(self, name: str) -> Value | None:
        """The export `name` of this account and region, or None where nobody exports it."""
        ...

    def output(self, *, stack_name: str, output_name: str, region: str) -> Value | None:
        """An output of a stack of this account, or None."""
        ...


class NoOtherStacks:
    """A template on its own: every import is unresolved."""

    def exported(self, name: str) -> Value | None:
        """Nobody exports anything."""
        return None

    def output(self, *, stack_name: str, output_name: str, region: str) -> Value | None:
        """There is no other stack."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The account, region and stack that a template is resolved for."""

    account_id: str = "123456789012"
    region: str = "us-east-1"
    stack_name: str = "backcheck"
    stack_id: str = ""
    """Empty: made up from the rest."""
    notification_arns: tuple[str, ...] = ()
    availability_zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Region to its zones; a region that is not listed makes Fn::GetAZs unresolved."""
    other_stacks: OtherStacks = field(default_factory=NoOtherStacks)

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`, ... by the region's name."""
        return next((partition for prefix, partition in _PARTITIONS if self.region.startswith(prefix)), "aws")

    @property
    def url_suffix(self) -> str:
        """The domain of the region's endpoints."""
        return _SUFFIXES.get(self.partition, "amazonaws.com")

    def pseudo_parameter(self, name: str) -> Value | None:
        """The value of `AWS::Region` and the like; None where there is no such pseudo parameter."""
        stack_id = self.stack_id or (
            f"arn:{self.partition}:cloudformation:{self.region}:{self.account_id}:stack/{self.stack_name}/"
            "00000000-0000-0000-0000-000000000000"
        )
        values: Mapping[str, Value] = {
            "AWS::AccountId": self.account_id,
            "AWS::NotificationARNs": self.notification_arns,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackId": stack_id,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": self.url_suffix,
        }
        return values.get(name)


# Partitions and suffixes as botocore/data/endpoints.json and partitions.json have them.
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
)
_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
