"""What AWS Backup has: plans, selections, vaults, recovery points, jobs, settings. Names follow the API.

Times are aware UTC datetimes; a lifecycle's None means 'not set', which AWS reads as for ever (API: Lifecycle).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import PolicyDocument
from backcheck.selection import Selection

USABLE = frozenset({"COMPLETED", "AVAILABLE"})
"""Recovery point states that can be restored from (botocore, RecoveryPointStatus)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyAction:
    """A rule's copy to another vault."""

    destination_vault_arn: str
    has_lifecycle: bool
    """False: the source's lifecycle applies (developer guide, plan options and configuration)."""
    delete_after_days: int | None
    move_to_cold_after_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRule:
    """A rule of a deployed plan."""

    id: str
    name: str
    target_vault_name: str
    schedule: str | None
    """None: AWS's default applies."""
    timezone: str
    start_window_minutes: int | None
    completion_window_minutes: int | None
    delete_after_days: int | None
    move_to_cold_after_days: int | None
    copies: tuple[CopyAction, ...]
    continuous: bool
    air_gapped_vault_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledRun:
    """One line of GetBackupPlan's own preview of what comes next."""

    rule_id: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSelection:
    """A selection of a plan, in the shape that the resolver takes."""

    id: str
    created: datetime | None
    selection: Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPlan:
    """A deployed plan."""

    arn: str
    id: str
    name: str
    region: str
    account: str
    version_id: str
    created: datetime | None
    rules: tuple[PlanRule, ...] | Gap
    selections: tuple[PlanSelection, ...] | Gap
    preview: tuple[ScheduledRun, ...] | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPoint:
    """A recovery point in a vault."""

    arn: str
    vault_name: str
    region: str
    account: str
    resource_arn: str
    resource_type: str
    status: str
    created: datetime
    completed: datetime | None
    delete_after_days: int | None
    move_to_cold_after_days: int | None
    delete_at: datetime | None
    cold_at: datetime | None
    storage_class: str | None
    """WARM, COLD or DELETED; None where it was not asked for: listings do not say (API_RecoveryPointByBackupVault),
    so DescribeRecoveryPoint is asked about one point a vault, the one that latest should have gone cold."""
    encrypted: bool
    key_arn: str | None
    size_bytes: int | None
    plan_id: str | None
    plan_version: str | None
    rule_id: str | None
    source_vault_arn: str | None
    """Set on copies."""
    rule_name: str | None = None
    """CreatedBy.BackupRuleName: names the rule even after a newer version of the plan dropped it."""

    @property
    def usable(self) -> bool:
        """It can be restored from, as far as its status says."""
        return self.status in USABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """A vault's notifications."""

    topic_arn: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A vault as AWS describes it. `policy` and `notifications` are None where there is none."""

    arn: str
    name: str
    region: str
    account: str
    type: str | None
    state: str | None
    key_arn: str | None
    locked: bool
    min_retention_days: int | None
    max_retention_days: int | None
    lock_date: datetime | None
    """None on a locked vault: governance mode."""
    created: datetime | None
    policy: PolicyDocument | Gap | None
    notifications: Notifications | Gap | None
    recovery_points: tuple[RecoveryPoint, ...] | Gap
    tags: Mapping[str, str] | Gap
    deletion_policy: str | None = None
    """DeletionPolicy, of a template only; None: not written."""
    replace_policy: str | None = None
    """UpdateReplacePolicy, of a template only; None: not written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupJob:
    """A backup job; AWS lists those of the last 30 days."""

    id: str
    state: str
    resource_arn: str
    vault_name: str
    created: datetime
    completed: datetime | None
    start_by: datetime | None
    expected_completion: datetime | None
    plan_id: str | None
    rule_id: str | None
    recovery_point_arn: str | None
    message_category: str | None
    status_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyJob:
    """A copy job; AWS lists those of the last 30 days."""

    id: str
    state: str
    resource_arn: str
    source_vault_arn: str
    source_recovery_point_arn: str
    destination_vault_arn: str
    destination_recovery_point_arn: str | None
    created: datetime
    completed: datetime | None
    plan_id: str | None
    rule_id: str | None
    message_category: str | None
    status_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreJob:
    """A restore job; AWS lists those of the last 30 days."""

    id: str
    state: str
    recovery_point_arn: str
    source_resource_arn: str | None
    created_resource_arn: str | None
    created: datetime
    completed: datetime | None
    testing_plan_arn: str | None
    validation_status: str | None
    status_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSettings:
    """DescribeRegionSettings: by resource type."""

    opt_in: Mapping[str, bool]
    management: Mapping[str, bool]
    """Advanced features need True for the type in both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedResource:
    """A resource that has a recovery point in any state; it is no proof of coverage."""

    resource_arn: str
    resource_type: str
    last_backup: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTestingPlan:
    """AWS's own restore testing."""

    name: str
    arn: str
    schedule: str
    timezone: str
    takes: RestoreTestingPoints | Gap
    selections: tuple[RestoreTestingSelection, ...] | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTestingPoints:
    """Which recovery points a restore testing plan restores from (API_RestoreTestingRecoveryPointSelection)."""

    point_types: tuple[str, ...]
    include_vaults: tuple[str, ...]
    """ARNs, or patterns with `*`."""
    exclude_vaults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTestingSelection:
    """What a restore testing plan restores."""

    name: str
    resource_type: str
    role_arn: str
    resource_arns: tuple[str, ...]
    validation_window_hours: int
    conditional: bool = False
    """It has conditions on tags too."""
