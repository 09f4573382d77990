"""What each control reads of a template: by resource type, the properties that decide.

The first property of the finding's own type is where a finding points. A PASS rests on every property of its own
resource but for those in HARMLESS, and on what is listed here of others.
"""

from __future__ import annotations

from collections.abc import Mapping

TABLE, GLOBAL_TABLE = "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"
PLAN, SELECTION = "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"
VAULT, AIR_GAPPED = "AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault"
TESTING, TESTED = "AWS::Backup::RestoreTestingPlan", "AWS::Backup::RestoreTestingSelection"
ROLE, MANAGED, INLINE, ROLE_POLICY = (
    "AWS::IAM::Role",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
)
KEY, ALIAS = "AWS::KMS::Key", "AWS::KMS::Alias"
TOPIC, TOPIC_POLICY, TOPIC_INLINE = "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy"
SUBSCRIPTION = "AWS::SNS::Subscription"
RULE, FUNCTION, PERMISSION = "AWS::Events::Rule", "AWS::Lambda::Function", "AWS::Lambda::Permission"
ALARM = "AWS::CloudWatch::Alarm"

BACKUP_RULES = "/BackupPlan/BackupPlanRule"
BACKUP_RULE = f"{BACKUP_RULES}/{{rule}}"
"""`{rule}` is the index of the finding's tier among the plan's rules."""

_TABLES = {TABLE: ("",), GLOBAL_TABLE: ("",)}
_SELECTED = {SELECTION: ("/BackupSelection",), PLAN: ("",)}
_TOPICS = {TOPIC: ("",), TOPIC_POLICY: ("/PolicyDocument",), TOPIC_INLINE: ("/PolicyDocument",), SUBSCRIPTION: ("",)}
_ROLES = {MANAGED: ("/PolicyDocument",), INLINE: ("/PolicyDocument",), ROLE_POLICY: ("/PolicyDocument",)}
_KEYS = {
    VAULT: ("/EncryptionKeyArn",),
    AIR_GAPPED: ("/EncryptionKeyArn",),
    KEY: ("/KeyPolicy", ""),
    ALIAS: ("",),
    TABLE: ("/SSESpecification",),
    GLOBAL_TABLE: ("/Replicas", "/SSESpecification"),
}
_VAULTS = {VAULT: ("/BackupVaultName",), AIR_GAPPED: ("/BackupVaultName",)}

Reads = Mapping[str, tuple[str, ...]]

READS: Mapping[str, Reads] = {
    "PIT-01": {
        TABLE: ("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",),
        GLOBAL_TABLE: ("/Replicas",),
    },
    "PIT-02": {
        TABLE: ("/PointInTimeRecoverySpecification/RecoveryPeriodInDays",),
        GLOBAL_TABLE: ("/Replicas",),
    },
    "PIT-05": {
        TABLE: ("/DeletionProtectionEnabled", "/SSESpecification"),
        GLOBAL_TABLE: ("/Replicas", "/SSESpecification"),
        KEY: ("",),
    },
    "PLN-01": {PLAN: ("/BackupPlan/BackupPlanName",)},
    "PLN-02": {PLAN: (BACKUP_RULES,)},
    "PLN-03": {
        PLAN: (
            f"{BACKUP_RULE}/ScheduleExpression",
            f"{BACKUP_RULE}/ScheduleExpressionTimezone",
            f"{BACKUP_RULE}/StartWindowMinutes",
            f"{BACKUP_RULE}/CompletionWindowMinutes",
        )
    },
    "PLN-04": {PLAN: (f"{BACKUP_RULE}/Lifecycle/DeleteAfterDays",)},
    "PLN-05": {PLAN: (f"{BACKUP_RULE}/Lifecycle/MoveToColdStorageAfterDays",)},
    "PLN-06": {PLAN: (BACKUP_RULES,), SELECTION: ("/BackupSelection",), **_TABLES},
    "SEL-01": {SELECTION: ("/BackupSelection/Resources", "/BackupSelection"), PLAN: ("/BackupPlan",), **_TABLES},
    "SEL-03": {**_SELECTED, **_TABLES},
    "SEL-04": {
        SELECTION: ("/BackupSelection/NotResources", "/BackupSelection"),
        PLAN: ("",),
        ROLE: ("/RoleName",),
        **_TABLES,
    },
    "VLT-01": dict(_VAULTS),
    "VLT-02": {VAULT: ("/EncryptionKeyArn",), AIR_GAPPED: ("/EncryptionKeyArn",), KEY: ("/EnableKeyRotation", "")},
    "VLT-03": {VAULT: ("/LockConfiguration",), AIR_GAPPED: ("/MinRetentionDays", "/MaxRetentionDays")},
    "VLT-04": {VAULT: ("/AccessPolicy",), AIR_GAPPED: ("/AccessPolicy",)},
    "VLT-05": {VAULT: ("/LockConfiguration/ChangeableForDays", "/LockConfiguration"), AIR_GAPPED: ("",)},
    "VLT-06": {VAULT: ("",), AIR_GAPPED: ("",), KEY: ("/KeyPolicy", "")},
    "DR-01": {PLAN: (f"{BACKUP_RULE}/CopyActions",)},
    "DR-02": {PLAN: (f"{BACKUP_RULE}/CopyActions", f"{BACKUP_RULE}/Lifecycle")},
    "DR-05": {**_VAULTS, ROLE: ("/RoleName",), KEY: ("",)},
    "RPO-01": {PLAN: (BACKUP_RULES,), SELECTION: ("/BackupSelection",), **_TABLES},
    "FEA-01": {
        PLAN: (BACKUP_RULE,),
        VAULT: ("/LockConfiguration",),
        AIR_GAPPED: ("",),
        KEY: ("",),
        TABLE: ("/ResourcePolicy",),
        GLOBAL_TABLE: ("/Replicas",),
    },
    "FEA-02": {PLAN: (BACKUP_RULE,), SELECTION: ("/BackupSelection",)},
    "IAM-01": {
        ROLE: ("/AssumeRolePolicyDocument", "/ManagedPolicyArns", "/Policies"),
        SELECTION: ("",),
        **_ROLES,
        **_KEYS,
    },
    "IAM-02": {ROLE: ("/AssumeRolePolicyDocument", "/ManagedPolicyArns", "/Policies"), **_ROLES, **_KEYS},
    "IAM-03": {ROLE: ("/Policies", "/ManagedPolicyArns"), **_ROLES, **_TABLES},
    "ALR-01": {RULE: ("",), **_TOPICS, VAULT: ("/Notifications",), AIR_GAPPED: ("",), KEY: ("/KeyPolicy",)},
    "ALR-02": {RULE: ("/State", "/ScheduleExpression", ""), FUNCTION: ("",), PERMISSION: ("",)},
    "ALR-03": {ALARM: ("",), **_TOPICS, FUNCTION: ("/FunctionName",), RULE: ("/Targets",), KEY: ("/KeyPolicy",)},
    "RST-01": {
        RULE: ("/ScheduleExpression", "/State"),
        TESTING: ("",),
        TESTED: ("",),
        FUNCTION: ("/ReservedConcurrentExecutions",),
    },
    "DRF-01": {PLAN: ("/BackupPlan",), VAULT: ("/LockConfiguration",), AIR_GAPPED: ("",)},
}

LACKING = frozenset({"DR-05", "FEA-01", "IAM-01", "IAM-02", "RPO-01", "RST-01", "SEL-01", "SEL-03"})
"""Controls that fail a resource for something else that is not there."""

HARMLESS: Reads = {
    TABLE: (
        "/AttributeDefinitions", "/BillingMode", "/ContributorInsightsSpecification", "/GlobalSecondaryIndexes",
        "/ImportSourceSpecification", "/KeySchema", "/KinesisStreamSpecification", "/LocalSecondaryIndexes",
        "/OnDemandThroughput", "/ProvisionedThroughput", "/StreamSpecification", "/TableClass",
        "/TimeToLiveSpecification", "/WarmThroughput",
    ),
    GLOBAL_TABLE: (
        "/AttributeDefinitions", "/BillingMode", "/GlobalTableWitnesses", "/KeySchema", "/MultiRegionConsistency",
        "/ReadOnDemandThroughputSettings", "/ReadProvisionedThroughputSettings", "/StreamSpecification",
        "/WarmThroughput", "/WriteOnDemandThroughputSettings", "/WriteProvisionedThroughputSettings",
    ),
    VAULT: ("/BackupVaultTags",),
    PLAN: ("/BackupPlanTags",),
    ROLE: ("/Description", "/MaxSessionDuration", "/Tags"),
    KEY: ("/Description", "/RotationPeriodInDays", "/Tags"),
    MANAGED: ("/Groups", "/Users"),
    INLINE: ("/Groups", "/Users"),
    TOPIC: ("/DeliveryStatusLogging", "/DisplayName", "/Tags"),
    SUBSCRIPTION: ("/ReplayPolicy",),
    FUNCTION: (
        "/Code", "/CodeSigningConfigArn", "/DeadLetterConfig", "/Description", "/Environment", "/EphemeralStorage",
        "/FileSystemConfigs", "/Handler", "/KmsKeyArn", "/Layers", "/LoggingConfig", "/MemorySize",
        "/PublishToLatestPublished", "/RecursiveLoop", "/Role", "/RuntimeManagementConfig", "/SnapStart", "/Tags",
        "/TenancyConfig", "/TracingConfig", "/VpcConfig",
    ),
    RULE: ("/Description", "/Tags"),
    ALARM: ("/AlarmDescription", "/InsufficientDataActions", "/OKActions", "/Tags"),
}  # fmt: skip

SLICE = frozenset(kind for reads in READS.values() for kind in reads)
"""The types that any control reads: what backup needs of a template."""
