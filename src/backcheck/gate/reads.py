"""What controls read of a template, and what of it says nothing about backups.

Each control's record says what it reads (`in_template`). A PASS rests on every property of its own resource but for
those in HARMLESS, and on what its control reads of others.
"""

from __future__ import annotations

from collections.abc import Mapping

from backcheck.controls import CONTROLS
from backcheck.controls.cfn import (
    ALARM,
    FUNCTION,
    GLOBAL_TABLE,
    INLINE,
    KEY,
    MANAGED,
    PLAN,
    ROLE,
    RULE,
    SUBSCRIPTION,
    TABLE,
    TOPIC,
    VAULT,
    Pointers,
)

READS: Mapping[str, Pointers] = {control.id: control.in_template for control in CONTROLS if control.in_template}
"""By the control's id."""

LACKING = frozenset({"DR-05", "FEA-01", "IAM-01", "IAM-02", "RPO-01", "RST-01", "SEL-01", "SEL-03"})
"""Controls that fail a resource for something else that is not there."""

HARMLESS: Pointers = {
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
