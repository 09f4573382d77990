"""Actions that take no resource: for these alone `*` is the least that a policy can say.

From the 'Resource types' column of the service authorization reference, where it is empty:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html and its other pages.
Only what an auditor, a validator or a drill needs is listed; what is missing here is asked to name its resources.
"""

from __future__ import annotations

from backcheck.inventory.operations import OPERATIONS

AUDITS = frozenset(operation.action.lower() for operation in OPERATIONS if operation.resource == "*")
"""What an audit asks for on `*`, some of it because a narrower resource would leave out what it must see."""

WITHOUT_RESOURCE = AUDITS | frozenset(
    action.lower()
    for action in (
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "backup:DescribeBackupJob",
        "backup:DescribeCopyJob",
        "backup:DescribeGlobalSettings",
        "backup:DescribeProtectedResource",
        "backup:DescribeRegionSettings",
        "backup:DescribeRestoreJob",
        "backup:GetRestoreJobMetadata",
        "backup:GetSupportedResourceTypes",
        "backup:ListBackupJobSummaries",
        "backup:ListBackupJobs",
        "backup:ListBackupPlans",
        "backup:ListBackupVaults",
        "backup:ListCopyJobSummaries",
        "backup:ListCopyJobs",
        "backup:ListFrameworks",
        "backup:ListLegalHolds",
        "backup:ListProtectedResources",
        "backup:ListRecoveryPointsByResource",
        "backup:ListReportPlans",
        "backup:ListRestoreJobSummaries",
        "backup:ListRestoreJobs",
        "backup:ListRestoreJobsByProtectedResource",
        "backup:ListRestoreTestingPlans",
        "backup:PutRestoreValidationResult",
        "cloudtrail:DescribeTrails",
        "cloudtrail:LookupEvents",
        "cloudwatch:DescribeAlarmsForMetric",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricData",
        "dynamodb:DescribeEndpoints",
        "dynamodb:DescribeLimits",
        "dynamodb:ListBackups",
        "dynamodb:ListExports",
        "dynamodb:ListGlobalTables",
        "dynamodb:ListStreams",
        "dynamodb:ListTables",
        "events:ListEventBuses",
        "events:ListRuleNamesByTarget",
        "events:ListRules",
        "iam:GetAccountAuthorizationDetails",
        "iam:ListAccountAliases",
        "iam:ListPolicies",
        "iam:ListRoles",
        "iam:SimulateCustomPolicy",
        "kms:ListAliases",
        "kms:ListKeys",
        "lambda:ListFunctions",
        "sns:GetSubscriptionAttributes",
        "sns:ListSubscriptions",
        "sns:ListTopics",
        "sts:GetCallerIdentity",
        "tag:GetResources",
        "tag:GetTagKeys",
        "tag:GetTagValues",
    )
)

ITEM_WRITES = (
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteTable",
    "dynamodb:UpdateTable",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
)
"""What changes or removes a table's data."""
