"""The policy as types: everything that a policy file can say, with every default filled in.

`load` is the only maker outside tests. Units are in the names; a tuple is never None; None: the policy does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from backcheck.policy.source import Source

PRIMARY = "primary"
"""The key of the account and of the region that tables live in where they do not say otherwise."""

DR = "dr"
"""The key of the region that copies go to by default."""


class LockMode(StrEnum):
    """AWS Backup Vault Lock: governance can be lifted by a permitted role, compliance cannot after its date."""

    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


class KeyKind(StrEnum):
    """Whose key encrypts: the customer's, the AWS managed one of the service, or an AWS owned one."""

    CUSTOMER = "customer"
    AWS_MANAGED = "aws-managed"
    AWS_OWNED = "aws-owned"


class Method(StrEnum):
    """How a drill brings a table back."""

    PITR = "pitr"
    BACKUP = "backup"
    DR_COPY = "dr-copy"


class AlertEvent(StrEnum):
    """What people must hear about."""

    BACKUP_FAILED = "backup-failed"
    COPY_FAILED = "copy-failed"
    RESTORE_FAILED = "restore-failed"
    VALIDATION_FAILED = "validation-failed"
    VALIDATION_MISSING = "validation-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An AWS account by the name that the policy gives it."""

    key: str
    id: str
    """12 digits."""
    role_arn: str | None = None
    """What an audit assumes to read it."""
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableScope:
    """Tables that the policy covers: by exactly one of name, pattern, ARN or tags."""

    key: str
    name: str | None = None
    pattern: str | None = None
    """A glob over table names, such as `shop-*`."""
    arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """All of them must match; values are case sensitive, as they are in AWS."""
    account: str = PRIMARY
    region: str = PRIMARY
    tiers: tuple[str, ...] = ()
    """Tier ids (`plan/tier`), resolved; every tier where the file names none."""
    pitr: Pitr | None = None
    """Overrides the policy's own; None means the policy's."""
    deletion_protection: bool | None = None
    encryption: KeyKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What looks like ours and must not stand outside the policy."""

    name_prefixes: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    """Globs over table names that are known not to be ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RpoObjectives:
    """How much may be lost at most, by way of recovery. None: no objective is stated."""

    pitr_minutes: int | None = None
    backup_hours: int | None = None
    dr_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RtoObjectives:
    """How long coming back may take at most, by way of recovery. None: no objective is stated."""

    pitr_minutes: int | None = None
    backup_minutes: int | None = None
    dr_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """RPO and RTO."""

    rpo: RpoObjectives
    rto: RtoObjectives


@dataclass(frozen=True, slots=True, kw_only=True)
class Pitr:
    """Point-in-time recovery: how deep the window is, how far behind now it may be."""

    enabled: bool = True
    window_days: int = 35
    max_lag_minutes: int = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy action of a tier."""

    vault: str
    """Key of a vault in the policy; its region and account are where the copy goes."""
    retention_days: int | None
    """None: kept for ever. The loader fills in the tier's own where the file is silent, as AWS does."""
    cold_storage_after_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One rule that the policy requires. Deployed rules are compared, and put on a calendar, in this same shape."""

    plan: str
    name: str
    rule: str
    """The rule's name in AWS."""
    schedule: str
    """An AWS cron expression, six fields."""
    timezone: str
    start_window_minutes: int
    completion_window_minutes: int
    vault: str
    """Key of a vault in the policy."""
    retention_days: int | None
    """None: kept for ever (only in deployed rules; the schema wants a number)."""
    cold_storage_after_days: int | None = None
    copies: tuple[Copy, ...] = ()
    purpose: str = ""
    continuous: bool = False
    """EnableContinuousBackup: meaningless for DynamoDB, and it forbids cold storage."""

    @property
    def id(self) -> str:
        """`plan/tier`."""
        return f"{self.plan}/{self.name}"

    @property
    def pointer(self) -> str:
        """The tier's JSON Pointer in the policy file."""
        return f"/plans/{self.plan}/tiers/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A backup plan and its tiers, in file order."""

    key: str
    name: str
    """The plan's name in AWS."""
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Bounds that a vault enforces on retention."""

    mode: LockMode
    min_retention_days: int
    max_retention_days: int
    changeable_for_days: int | None = None
    """Compliance mode only: days until the lock can no longer be lifted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A vault that the policy requires."""

    key: str
    name: str
    """The vault's name in AWS; two vaults in two regions may share one."""
    region: str
    """Key into Policy.regions."""
    account: str = PRIMARY
    """Key into Policy.accounts."""
    encryption: KeyKind = KeyKind.CUSTOMER
    lock: Lock | None = None
    air_gapped: bool = False
    deny_deletion: bool = True
    allowed_principals: tuple[str, ...] = ()
    """Accounts, organisations or ARNs outside the account that the access policy may admit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Names of IAM roles. None: the policy does not say."""

    backup: str | None = None
    restore: str | None = None
    restore_dr: str | None = None
    """For copies away from the Region or account that they were made in; without it, `restore`."""
    drill: str | None = None
    auditor: str | None = None
    break_glass: tuple[str, ...] = ()

    @property
    def restore_away(self) -> str | None:
        """The role that restores the copies."""
        return self.restore_dr or self.restore

    @property
    def names(self) -> tuple[str, ...]:
        """Every role that the policy names."""
        named = (self.backup, self.restore, self.restore_dr, self.drill, self.auditor, *self.break_glass)
        return tuple(name for name in named if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """How failures reach people."""

    topic: str
    """Name of an SNS topic, the same in every region with a vault."""
    team: str
    on: tuple[AlertEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The scheduled check that backups are there."""

    schedule: str
    timezone: str
    max_backup_age_hours: int
    """Counted from the deadline of the latest firing that takes effect."""
    function: str | None = None
    """Name of the Lambda function that performs it; None: found by its schedule's target."""
    alerts: Alerts | None = None


CHECKS = ("completed", "rto", "schema", "item-count", "digest", "settings", "cleanup")
"""Everything that a drill can show."""
ALWAYS_CHECKED = frozenset({"completed", "digest", "cleanup"})
"""Without these a drill proves nothing, or leaves a copy of production behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """An item written by a role of its own, before and after T, that shows where a restore ends. Opt-in."""

    role: str
    key_prefix: str
    """Leading key that the role may write, limited by dynamodb:LeadingKeys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Restores that must really be performed."""

    schedule: str
    timezone: str
    max_age_days: int
    methods: tuple[Method, ...]
    tables: tuple[str, ...]
    """Keys into Policy.tables."""
    name_prefix: str
    checks: tuple[str, ...]
    """What a restore must show to have passed: those of CHECKS that are always asked for, and those named."""
    cleanup_after_hours: int
    cost_ceiling_usd: float
    evidence_retention_days: int
    canary: Canary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a team answers for, and what shows it."""

    team: str
    does: str
    every: str | None = None
    """ISO 8601 duration, such as P3M."""
    shown_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An approved exception."""

    index: int
    """Its position in the file: its pointer is /waivers/<index>."""
    control: str
    resource: str
    owner: str
    ticket: str
    reason: str
    granted: date
    expires: date
    """The last day on which it holds, UTC."""

    @property
    def pointer(self) -> str:
        """The waiver's JSON Pointer."""
        return f"/waivers/{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One sentence of the document that the policy implements, and where the policy holds it."""

    id: str
    says: str
    at: tuple[str, ...]
    """JSON Pointers."""
    deviation: str | None = None
    computed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A recovery procedure, step by step."""

    method: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy file, whole."""

    source: Source
    name: str
    title: str
    version: str
    owner: str
    timezone: str
    effective_from: date | None
    next_review: date | None
    accounts: tuple[Account, ...]
    """The first is the primary one."""
    regions: Mapping[str, str]
    """Key to AWS region: `primary` always, `dr` and others where the policy has them."""
    tables: tuple[TableScope, ...]
    discovery: Discovery
    objectives: Objectives
    pitr: Pitr
    plans: tuple[Plan, ...]
    vaults: tuple[Vault, ...]
    advanced_features_required: bool
    """DynamoDB's advanced backup features, needed for cold storage, copies, tags and vault keys."""
    roles: Roles
    validation: Validation | None
    drill: Drill | None
    procedures: tuple[Procedure, ...]
    duties: tuple[Duty, ...]
    waivers: tuple[Waiver, ...]
    statements: tuple[Statement, ...]

    @property
    def home(self) -> Account:
        """The primary account."""
        return self.accounts[0]

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Every tier of every plan, in file order."""
        return tuple(tier for plan in self.plans for tier in plan.tiers)

    def tier(self, tier_id: str) -> Tier | None:
        """The tier of that `plan/tier` id; None if there is none."""
        return next((tier for tier in self.tiers if tier.id == tier_id), None)

    def vault(self, key: str) -> Vault | None:
        """The vault of that key; None if there is none."""
        return next((vault for vault in self.vaults if vault.key == key), None)

    def account(self, key: str) -> Account | None:
        """The account of that key; None if there is none."""
        return next((account for account in self.accounts if account.key == key), None)

    def region_of(self, vault: Vault) -> str:
        """The AWS region of a vault."""
        return self.regions[vault.region]

    def tiers_of(self, scope: TableScope) -> tuple[Tier, ...]:
        """The tiers that protect a table scope."""
        wanted = set(scope.tiers)
        return tuple(tier for tier in self.tiers if tier.id in wanted)

    def pitr_of(self, scope: TableScope) -> Pitr:
        """The PITR promise for a table scope."""
        return scope.pitr or self.pitr

    def resource(self, pointer: str = "") -> str:
        """How findings name a part of the policy: `policy:<name>#<pointer>`."""
        return f"policy:{self.name}#{pointer}"
