"""CloudFormation's names of what controls read of a template, for the `in_template` of their records."""

from __future__ import annotations

from collections.abc import Mapping

Pointers = Mapping[str, tuple[str, ...]]
"""Resource type to JSON Pointers below its Properties; the empty one is all of them."""

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
MUTE, ORGANIZATION = "AWS::CloudWatch::AlarmMuteRule", "AWS::Organizations::Policy"
"""Not modelled: what they silence or forbid is not known."""

BACKUP_RULES = "/BackupPlan/BackupPlanRule"
BACKUP_RULE = f"{BACKUP_RULES}/{{rule}}"
"""`{rule}` is the index of the finding's tier among the plan's rules."""

TABLES = {TABLE: ("",), GLOBAL_TABLE: ("",)}
SELECTED = {SELECTION: ("/BackupSelection",), PLAN: ("",)}
TOPICS = {
    TOPIC: ("",),
    TOPIC_POLICY: ("/PolicyDocument",),
    TOPIC_INLINE: ("/PolicyDocument",),
    SUBSCRIPTION: ("",),
    KEY: ("/KeyPolicy", "/Enabled", "/KeySpec", "/Origin"),
    FUNCTION: ("/FunctionName", "/ReservedConcurrentExecutions"),
    PERMISSION: ("",),
}
"""What a message passes on its way to people: subscribers may be functions."""
ROLES = {MANAGED: ("/PolicyDocument",), INLINE: ("/PolicyDocument",), ROLE_POLICY: ("/PolicyDocument",)}
KEYS = {
    VAULT: ("/EncryptionKeyArn",),
    AIR_GAPPED: ("/EncryptionKeyArn",),
    KEY: ("/KeyPolicy", ""),
    ALIAS: ("",),
    TABLE: ("/SSESpecification",),
    GLOBAL_TABLE: ("/Replicas", "/SSESpecification"),
}
VAULTS = {VAULT: ("/BackupVaultName",), AIR_GAPPED: ("/BackupVaultName",)}
