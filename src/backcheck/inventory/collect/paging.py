"""How each list is paged: by hand, since botocore has no paginator for some and follows a repeated token in others."""

from __future__ import annotations

from dataclasses import dataclass

PAGES_AT_MOST = 50_000
"""Past this the service is not answering sensibly; the list is a Gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How an operation pages."""

    ask: str = "NextToken"
    """The request's token."""
    told: str = "NextToken"
    """The reply's token; absent or empty on the last page."""
    size: str | None = "MaxResults"
    """The request's page size, at its documented maximum."""
    most: int = 1000


_BACKUP = Paging()

PAGING: dict[str, Paging] = {
    "dynamodb:ListTables": Paging(ask="ExclusiveStartTableName", told="LastEvaluatedTableName", size="Limit", most=100),
    "dynamodb:ListTagsOfResource": Paging(size=None),
    "resourcegroupstaggingapi:GetResources": Paging(
        ask="PaginationToken", told="PaginationToken", size="ResourcesPerPage", most=100
    ),
    "backup:ListBackupPlans": _BACKUP,
    "backup:ListBackupSelections": _BACKUP,
    "backup:ListBackupVaults": _BACKUP,
    "backup:ListRecoveryPointsByBackupVault": _BACKUP,
    "backup:ListTags": _BACKUP,
    "backup:ListProtectedResources": _BACKUP,
    "backup:ListBackupJobs": _BACKUP,
    "backup:ListCopyJobs": _BACKUP,
    "backup:ListRestoreJobs": _BACKUP,
    "backup:ListRestoreTestingPlans": _BACKUP,
    "backup:ListRestoreTestingSelections": _BACKUP,
    # "between 1 and 100, inclusive", says API_ListAliases, and the model 1,000: so its default
    "kms:ListAliases": Paging(ask="Marker", told="NextMarker", size=None),
    "iam:GetAccountAuthorizationDetails": Paging(ask="Marker", told="Marker", size="MaxItems"),
    "iam:SimulatePrincipalPolicy": Paging(ask="Marker", told="Marker", size="MaxItems"),
    "events:ListRules": Paging(size="Limit", most=100),
    "events:ListTargetsByRule": Paging(size="Limit", most=100),
    "sns:ListSubscriptionsByTopic": Paging(size=None),
    "cloudwatch:DescribeAlarms": Paging(size="MaxRecords", most=100),
    "cloudwatch:GetMetricData": Paging(size=None),
    "cloudtrail:LookupEvents": Paging(most=50),
}
"""`service:operation` to how it pages; the sizes are the maxima of botocore's models (a test compares them)."""
