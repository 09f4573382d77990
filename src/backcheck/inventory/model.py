"""The inventory: what an account had when it was looked at. Pure data; `collect` makes it, controls read it.

Wherever a call may fail the field is `value | Gap`: the type checker makes every reader say what not knowing means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from backcheck.inventory.backup import (
    BackupJob,
    BackupPlan,
    CopyJob,
    ProtectedResource,
    RecoveryPoint,
    RegionSettings,
    RestoreJob,
    RestoreTestingPlan,
    Vault,
)
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Caller, Key, PolicyDocument, Role, Simulation, Topic
from backcheck.inventory.watch import Alarm, Change, EventRule, Function


@dataclass(frozen=True, slots=True, kw_only=True)
class PitrStatus:
    """DescribeContinuousBackups. Its ContinuousBackupsStatus is always ENABLED and says nothing."""

    enabled: bool
    window_days: int | None
    """RecoveryPeriodInDays; None where the reply has none."""
    earliest: datetime | None
    latest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A DynamoDB table."""

    arn: str
    name: str
    region: str
    account: str
    table_id: str | None
    """A table made again under the same name has another."""
    status: str
    created: datetime
    deletion_protection: bool
    encryption_key_arn: str | None
    """None: AWS's own key, which DescribeTable does not show."""
    encryption_type: str | None
    item_count: int | None
    """Up to six hours stale."""
    size_bytes: int | None
    replica_regions: tuple[str, ...]
    restored_from: str | None
    """RestoreSummary.SourceTableArn."""
    pitr: PitrStatus | Gap
    tags: Mapping[str, str] | Gap
    """Gap with code NotAsked where neither the policy nor a selection needs tags."""
    policy: PolicyDocument | Gap | None = None
    """Its resource-based policy; None: it has none."""
    deletion_policy: str | None = None
    """DeletionPolicy, of a template only; None: not written."""
    replace_policy: str | None = None
    """UpdateReplacePolicy, of a template only; None: not written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionInventory:
    """One region of one account."""

    account: str
    region: str
    table_names: tuple[str, ...] | Gap
    """Every table of the region."""
    tables: tuple[Table | Gap, ...]
    """Those that the policy's scope or discovery could mean, described."""
    plans: tuple[BackupPlan, ...] | Gap
    vaults: tuple[Vault, ...] | Gap
    settings: RegionSettings | Gap
    protected: tuple[ProtectedResource, ...] | Gap
    backup_jobs: tuple[BackupJob, ...] | Gap
    copy_jobs: tuple[CopyJob, ...] | Gap
    restore_jobs: tuple[RestoreJob, ...] | Gap
    restore_testing: tuple[RestoreTestingPlan, ...] | Gap
    keys: tuple[Key | Gap, ...]
    topics: tuple[Topic | Gap, ...]
    rules: tuple[EventRule, ...] | Gap
    functions: tuple[Function | Gap, ...]
    alarms: tuple[Alarm, ...] | Gap
    changes: tuple[Change, ...] | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInventory:
    """One account."""

    kind: str
    """live, endpoint, sandbox, snapshot or template."""
    id: str
    simulated: bool
    caller: Caller | Gap
    roles: tuple[Role | Gap, ...]
    simulations: tuple[Simulation, ...] | Gap
    regions: tuple[RegionInventory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """The coverage ledger: one operation in one region, how often it was called and how many pages came."""

    service: str
    operation: str
    region: str
    account: str
    calls: int
    pages: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything that was read, and everything that was not."""

    taken_at: datetime
    accounts: tuple[AccountInventory, ...]
    calls: tuple[CallRecord, ...]
    gaps: tuple[Gap, ...]
    """Every Gap above, in order."""

    def regions(self) -> Iterator[RegionInventory]:
        """Every region of every account."""
        for account in self.accounts:
            yield from account.regions

    def region(self, account: str, region: str) -> RegionInventory | None:
        """One region of one account; None if it was not looked at."""
        return next((r for r in self.regions() if r.account == account and r.region == region), None)

    def account(self, account: str) -> AccountInventory | None:
        """One account by id; None if it was not looked at."""
        return next((a for a in self.accounts if a.id == account), None)

    def tables(self) -> Iterator[Table]:
        """Every table that could be described."""
        for region in self.regions():
            for table in region.tables:
                if isinstance(table, Table):
                    yield table

    def recovery_points(self) -> Iterator[RecoveryPoint]:
        """Every recovery point of every vault that could be listed."""
        for region in self.regions():
            for vault in () if isinstance(region.vaults, Gap) else region.vaults:
                yield from () if isinstance(vault.recovery_points, Gap) else vault.recovery_points
