"""Every AWS operation that the collector calls: the one list behind permissions, quotas and the sandbox's completeness.

Actions and the resources they can be limited to: https://docs.aws.amazon.com/service-authorization/latest/reference/
(the pages of each service). AWS Backup's rates: https://docs.aws.amazon.com/general/latest/gr/bk.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Need(StrEnum):
    """Why an operation is called: an audit asks for nothing that its policy does not use."""

    ALWAYS = "always"
    TAGS = "tags"
    """The policy or a selection of the account names tags."""
    ALERTS = "alerts"
    """The policy has a `validation` section, so failures must be heard."""
    DRILL = "drill"
    """The policy has a `drill` section."""
    ROLES = "roles"
    """The policy names roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation, as boto3 names it."""

    service: str
    name: str
    action: str
    """The IAM action; empty where AWS asks for no permission."""
    need: Need
    resource: str
    """What the action can be limited to: an ARN with {partition}, {region}, {account}, or `*`."""
    per_second: float | None
    """AWS's documented request rate, by Region; None: no rate that an audit could come near."""

    @property
    def id(self) -> str:
        """`service:operation`."""
        return f"{self.service}:{self.name}"


BACKUP_CALLS_PER_SECOND = 50.0
"""The sum of all requests to AWS Backup, by account and Region (gr/bk.html)."""

_PREFIXES = {"resourcegroupstaggingapi": "tag"}
"""Where the IAM prefix is not boto3's name of the service."""

_RESOURCES = {
    "dynamodb": "arn:{partition}:dynamodb:{region}:{account}:table/*",
    "plan": "arn:{partition}:backup:{region}:{account}:backup-plan:*",
    "vault": "arn:{partition}:backup:{region}:{account}:backup-vault:*",
    "testing": "arn:{partition}:backup:{region}:{account}:restore-testing-plan:*",
    "key": "arn:{partition}:kms:{region}:{account}:key/*",
    "topic": "arn:{partition}:sns:{region}:{account}:*",
    "rule": "arn:{partition}:events:{region}:{account}:rule/*",
    "function": "arn:{partition}:lambda:{region}:{account}:function:*",
    "role": "arn:{partition}:iam::{account}:*",
}


def _op(
    service: str, name: str, need: Need = Need.ALWAYS, *, on: str = "", rate: float | None = None, free: bool = False
) -> Operation:
    return Operation(
        service=service,
        name=name,
        action="" if free else f"{_PREFIXES.get(service, service)}:{name}",
        need=need,
        resource=_RESOURCES.get(on, "*"),
        per_second=rate,
    )


OPERATIONS: tuple[Operation, ...] = (
    # "No permissions are required to perform this operation" (STS API_GetCallerIdentity)
    _op("sts", "GetCallerIdentity", free=True),
    _op("dynamodb", "ListTables"),
    _op("dynamodb", "DescribeTable", on="dynamodb"),
    # "at a maximum rate of 10 times per second" (API_DescribeContinuousBackups, API_ListTagsOfResource)
    _op("dynamodb", "DescribeContinuousBackups", on="dynamodb", rate=10),
    _op("dynamodb", "GetResourcePolicy", on="dynamodb"),
    _op("dynamodb", "ListTagsOfResource", Need.TAGS, on="dynamodb", rate=10),
    _op("resourcegroupstaggingapi", "GetResources", Need.TAGS),
    _op("backup", "ListBackupPlans", rate=20),
    _op("backup", "GetBackupPlan", on="plan", rate=15),
    _op("backup", "ListBackupSelections", on="plan", rate=20),
    _op("backup", "GetBackupSelection", on="plan", rate=15),
    _op("backup", "ListBackupVaults", rate=20),
    _op("backup", "GetBackupVaultAccessPolicy", on="vault", rate=15),
    _op("backup", "GetBackupVaultNotifications", on="vault", rate=15),
    _op("backup", "ListRecoveryPointsByBackupVault", on="vault", rate=20),
    _op("backup", "DescribeRecoveryPoint", rate=15),
    _op("backup", "ListTags", rate=20),
    _op("backup", "DescribeRegionSettings", rate=15),
    _op("backup", "ListProtectedResources", rate=20),
    _op("backup", "ListBackupJobs", rate=20),
    _op("backup", "ListCopyJobs", rate=20),
    _op("backup", "ListRestoreJobs", Need.DRILL, rate=20),
    _op("backup", "ListRestoreTestingPlans", Need.DRILL, rate=20),
    _op("backup", "GetRestoreTestingPlan", Need.DRILL, on="testing", rate=15),
    _op("backup", "ListRestoreTestingSelections", Need.DRILL, on="testing", rate=20),
    _op("backup", "GetRestoreTestingSelection", Need.DRILL, on="testing", rate=15),
    _op("kms", "DescribeKey", on="key"),
    _op("kms", "GetKeyRotationStatus", on="key"),
    _op("kms", "GetKeyPolicy", on="key"),
    _op("kms", "ListAliases"),
    _op("iam", "GetAccountAuthorizationDetails"),
    _op("iam", "SimulatePrincipalPolicy", Need.ROLES, on="role"),
    _op("events", "ListRules", Need.ALERTS),
    _op("events", "ListTargetsByRule", Need.ALERTS, on="rule"),
    _op("sns", "GetSubscriptionAttributes", Need.ALERTS),
    _op("sns", "GetTopicAttributes", Need.ALERTS, on="topic"),
    _op("sns", "ListSubscriptionsByTopic", Need.ALERTS, on="topic"),
    _op("lambda", "GetFunctionConcurrency", Need.ALERTS, on="function"),
    _op("lambda", "GetFunctionConfiguration", Need.ALERTS, on="function"),
    _op("lambda", "GetPolicy", Need.ALERTS, on="function"),
    _op("cloudwatch", "DescribeAlarms", Need.ALERTS),
    _op("cloudwatch", "GetMetricData", Need.ALERTS),
    # "limited to two per second, per account, per Region" (CloudTrail API_LookupEvents)
    _op("cloudtrail", "LookupEvents", rate=2),
)
"""Everything that an audit may call; it reads, and never writes."""

BY_ID = {operation.id: operation for operation in OPERATIONS}
"""`service:operation` to its operation."""
