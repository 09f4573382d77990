"""The worlds that controls show themselves in: one small shop, compliant until a builder is told otherwise.

Its history is written out here by hand, day by day, and not by the calendar that the controls reckon with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from backcheck.controls.control import World
from backcheck.drill.record import DrillRecord
from backcheck.inventory.backup import (
    BackupJob,
    BackupPlan,
    CopyAction,
    CopyJob,
    PlanRule,
    PlanSelection,
    ProtectedResource,
    RecoveryPoint,
    RegionSettings,
    RestoreTestingPlan,
    RestoreTestingSelection,
    ScheduledRun,
    Vault,
)
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Caller, Key, NamedPolicy, PolicyDocument, Role, Simulation, Statement, Topic
from backcheck.inventory.model import AccountInventory, Inventory, PitrStatus, RegionInventory, Table
from backcheck.inventory.watch import Alarm, Change, EventRule, Function
from backcheck.policy.model import (
    Account,
    AlertEvent,
    Alerts,
    Copy,
    Discovery,
    Drill,
    KeyKind,
    Lock,
    LockMode,
    Method,
    Objectives,
    Pitr,
    Plan,
    Policy,
    Roles,
    RpoObjectives,
    RtoObjectives,
    Source,
    TableScope,
    Tier,
    Validation,
)
from backcheck.policy.model import Vault as PolicyVault
from backcheck.selection import Selection

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BORN = datetime(2026, 1, 10, 9, tzinfo=UTC)
"""When the shop's table, plan and vaults were made."""

ACCOUNT = "111122223333"
HERE = "us-east-1"
THERE = "us-west-2"
TABLE_ARN = f"arn:aws:dynamodb:{HERE}:{ACCOUNT}:table/orders"
PLAN_ARN = f"arn:aws:backup:{HERE}:{ACCOUNT}:backup-plan:plan-1"
VAULT_ARN = f"arn:aws:backup:{HERE}:{ACCOUNT}:backup-vault:shop-vault"
DR_VAULT_ARN = f"arn:aws:backup:{THERE}:{ACCOUNT}:backup-vault:shop-vault-dr"
KEY_ARN = f"arn:aws:kms:{HERE}:{ACCOUNT}:key/here"
DR_KEY_ARN = f"arn:aws:kms:{THERE}:{ACCOUNT}:key/there"
VALIDATOR_ARN = f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:shop-validate"
VALIDATOR_RULE_ARN = f"arn:aws:events:{HERE}:{ACCOUNT}:rule/shop-validate"

Changes = Mapping[str, Any]
"""Fields of a dataclass with their new values: builders take any of them."""


# The policy


def tier(name: str = "daily", /, **changes: Any) -> Tier:
    """`daily` or `monthly` of the shop's plan."""
    return replace(_TIERS[name], **changes)


def policy(*, tiers: tuple[Tier, ...] | None = None, scope: Changes | None = None, **changes: Any) -> Policy:
    """The shop's policy."""
    made = replace(_policy(), **changes)
    if scope:
        made = replace(made, tables=(replace(made.tables[0], **scope),))
    if tiers is not None:
        scopes = tuple(replace(one, tiers=tuple(t.id for t in tiers)) for one in made.tables)
        made = replace(made, tables=scopes, plans=(Plan(key="main", name="shop-plan", tiers=tiers),))
    return made


def policy_vault(key: str = "main", **changes: Any) -> PolicyVault:
    """`main` or `dr`."""
    return replace(_POLICY_VAULTS[key], **changes)


def pitr_promise(**changes: Any) -> Pitr:
    """What the policy asks of PITR."""
    return replace(_policy().pitr, **changes)


_TIERS = {
    "daily": Tier(
        plan="main",
        name="daily",
        rule="Daily",
        schedule="cron(0 1 * * ? *)",
        timezone="UTC",
        start_window_minutes=60,
        completion_window_minutes=120,
        vault="main",
        retention_days=30,
        copies=(Copy(vault="dr", retention_days=30),),
    ),
    "monthly": Tier(
        plan="main",
        name="monthly",
        rule="Monthly",
        schedule="cron(0 0 1 * ? *)",
        timezone="UTC",
        start_window_minutes=180,
        completion_window_minutes=360,
        vault="main",
        retention_days=365,
        cold_storage_after_days=90,
        copies=(Copy(vault="dr", retention_days=365, cold_storage_after_days=90),),
    ),
}

_POLICY_VAULTS = {
    "main": PolicyVault(
        key="main",
        name="shop-vault",
        region="primary",
        lock=Lock(mode=LockMode.GOVERNANCE, min_retention_days=7, max_retention_days=400),
    ),
    "dr": PolicyVault(
        key="dr",
        name="shop-vault-dr",
        region="dr",
        lock=Lock(mode=LockMode.GOVERNANCE, min_retention_days=7, max_retention_days=400),
    ),
}


def _policy() -> Policy:
    tiers = tuple(_TIERS.values())
    return Policy(
        source=Source(file="shop.yaml", sha256="0" * 64),
        name="shop",
        title="The shop's backups",
        version="1.0.0",
        owner="data",
        timezone="UTC",
        effective_from=None,
        next_review=None,
        accounts=(Account(key="primary", id=ACCOUNT),),
        regions={"primary": HERE, "dr": THERE},
        tables=(TableScope(key="orders", name="orders", tiers=tuple(t.id for t in tiers)),),
        discovery=Discovery(name_prefixes=("order",)),
        objectives=Objectives(
            rpo=RpoObjectives(pitr_minutes=15, backup_hours=33, dr_hours=36),
            rto=RtoObjectives(pitr_minutes=240, backup_minutes=240, dr_minutes=480),
        ),
        pitr=Pitr(enabled=True, window_days=35, max_lag_minutes=15),
        plans=(Plan(key="main", name="shop-plan", tiers=tiers),),
        vaults=tuple(_POLICY_VAULTS.values()),
        advanced_features_required=True,
        roles=Roles(
            backup="shop-backup",
            restore="shop-restore",
            drill="shop-drill",
            auditor="shop-auditor",
            break_glass=("shop-break-glass",),
        ),
        validation=Validation(
            schedule="cron(0 10 * * ? *)",
            timezone="UTC",
            max_backup_age_hours=24,
            function="shop-validate",
            alerts=Alerts(topic="shop-alerts", team="ops", on=tuple(AlertEvent)),
        ),
        drill=Drill(
            schedule="cron(0 3 2 * ? *)",
            timezone="UTC",
            max_age_days=35,
            methods=tuple(Method),
            tables=("orders",),
            name_prefix="drill-",
            checks=("completed", "digest", "settings"),
            cleanup_after_hours=24,
            cost_ceiling_usd=10.0,
            evidence_retention_days=400,
        ),
        procedures=(),
        duties=(),
        waivers=(),
        statements=(),
    )


# The account


def world(
    *,
    policy: Policy | None = None,
    now: datetime = NOW,
    primary: Changes | None = None,
    dr: Changes | None = None,
    account: Changes | None = None,
    drills: tuple[DrillRecord, ...] | Gap | None = None,
) -> World:
    """The shop, with what is changed in its primary region, its DR region or its account."""
    regions = (region(**(primary or {})), dr_region(**(dr or {})))
    accounts = (replace(_account(), regions=regions, **(account or {})),)
    inventory = Inventory(taken_at=now, accounts=accounts, calls=(), gaps=())
    return World(
        policy=policy or _policy(), now=now, inventory=inventory, drills=_drills() if drills is None else drills
    )


def gap(operation: str = "GetBackupPlan", code: str = "AccessDeniedException", **changes: Any) -> Gap:
    """A denied call."""
    made = Gap(service="backup", operation=operation, region=HERE, account=ACCOUNT, code=code, detail="not authorized")
    return replace(made, **changes)


def pitr(**changes: Any) -> PitrStatus:
    """On for long, five minutes behind."""
    made = PitrStatus(
        enabled=True, window_days=35, earliest=NOW - timedelta(days=35), latest=NOW - timedelta(minutes=5)
    )
    return replace(made, **changes)


def table(**changes: Any) -> Table:
    """The table of orders."""
    made = Table(
        arn=TABLE_ARN,
        name="orders",
        region=HERE,
        account=ACCOUNT,
        table_id="5e5d9a52-0000-4000-8000-000000000001",
        status="ACTIVE",
        created=BORN,
        deletion_protection=True,
        encryption_key_arn=None,
        encryption_type=None,
        item_count=1000,
        size_bytes=1_000_000,
        replica_regions=(),
        restored_from=None,
        pitr=pitr(),
        tags={"team": "shop"},
    )
    return replace(made, **changes)


def copy_action(**changes: Any) -> CopyAction:
    """The daily rule's copy."""
    made = CopyAction(
        destination_vault_arn=DR_VAULT_ARN, has_lifecycle=True, delete_after_days=30, move_to_cold_after_days=None
    )
    return replace(made, **changes)


def rule(which: str = "Daily", /, **changes: Any) -> PlanRule:
    """`Daily` or `Monthly` as deployed."""
    daily = PlanRule(
        id="rule-daily",
        name="Daily",
        target_vault_name="shop-vault",
        schedule="cron(0 1 ? * * *)",
        timezone="UTC",
        start_window_minutes=60,
        completion_window_minutes=120,
        delete_after_days=30,
        move_to_cold_after_days=None,
        copies=(copy_action(),),
        continuous=False,
    )
    if which == "Daily":
        return replace(daily, **changes)
    monthly = replace(
        daily,
        id="rule-monthly",
        name="Monthly",
        schedule="cron(0 0 1 * ? *)",
        start_window_minutes=180,
        completion_window_minutes=360,
        delete_after_days=365,
        move_to_cold_after_days=90,
        copies=(copy_action(delete_after_days=365, move_to_cold_after_days=90),),
    )
    return replace(monthly, **changes)


def rules(**changes: Any) -> tuple[PlanRule, ...]:
    """Both rules, with the daily one changed."""
    return (rule(**changes), rule("Monthly"))


def selection(**changes: Any) -> PlanSelection:
    """It names the table."""
    made = Selection(
        name="shop-selection", iam_role_arn=f"arn:aws:iam::{ACCOUNT}:role/shop-backup", resources=(TABLE_ARN,)
    )
    return PlanSelection(id="selection-1", created=BORN, selection=replace(made, **changes))


def plan(**changes: Any) -> BackupPlan:
    """The shop's plan as deployed."""
    made = BackupPlan(
        arn=PLAN_ARN,
        id="plan-1",
        name="shop-plan",
        region=HERE,
        account=ACCOUNT,
        version_id="v1",
        created=BORN,
        rules=(rule(), rule("Monthly")),
        selections=(selection(),),
        preview=tuple(preview()),
    )
    return replace(made, **changes)


def preview() -> Iterator[ScheduledRun]:
    """The next ten runs after NOW."""
    for day in range(23, 31):
        yield ScheduledRun(rule_id="rule-daily", time=datetime(2026, 11, day, 1, tzinfo=UTC))
    yield ScheduledRun(rule_id="rule-monthly", time=datetime(2026, 12, 1, 0, tzinfo=UTC))
    yield ScheduledRun(rule_id="rule-daily", time=datetime(2026, 12, 1, 1, tzinfo=UTC))


def point(
    created: datetime = NOW - timedelta(hours=10, minutes=50), name: str = "daily", **changes: Any
) -> RecoveryPoint:
    """A recovery point in the primary vault, by the `daily` or the `monthly` rule."""
    days, cold = (30, None) if name == "daily" else (365, 90)
    made = RecoveryPoint(
        arn=f"arn:aws:backup:{HERE}:{ACCOUNT}:recovery-point:{name}-{created:%Y%m%d}",
        vault_name="shop-vault",
        region=HERE,
        account=ACCOUNT,
        resource_arn=TABLE_ARN,
        resource_type="DynamoDB",
        status="COMPLETED",
        created=created,
        completed=created + timedelta(minutes=20),
        delete_after_days=days,
        move_to_cold_after_days=cold,
        delete_at=created + timedelta(days=days),
        cold_at=created + timedelta(days=cold) if cold else None,
        storage_class="COLD" if cold and created + timedelta(days=cold) <= NOW else "WARM",
        encrypted=True,
        key_arn=KEY_ARN,
        size_bytes=1_000_000,
        plan_id="plan-1",
        plan_version="v1",
        rule_id=f"rule-{name}",
        source_vault_arn=None,
    )
    return replace(made, **changes)


def copied(source: RecoveryPoint, **changes: Any) -> RecoveryPoint:
    """The copy of a point in the DR vault: another ARN, another key."""
    made = replace(
        source,
        arn=source.arn.replace(HERE, THERE).replace("recovery-point:", "recovery-point:copy-"),
        vault_name="shop-vault-dr",
        region=THERE,
        key_arn=DR_KEY_ARN,
        source_vault_arn=VAULT_ARN,
    )
    return replace(made, **changes)


def history() -> Iterator[RecoveryPoint]:
    """What a year of the plan leaves at NOW: 30 days of daily points without the 1st, and the monthly ones."""
    for month in range(2, 12):
        yield point(datetime(2026, month, 1, 0, 12, tzinfo=UTC), "monthly")
    day = datetime(2026, 10, 24, 1, 10, tzinfo=UTC)
    while day < NOW:
        if day.day != 1:
            yield point(day)
        day += timedelta(days=1)


def points(which: Callable[[RecoveryPoint], bool] | None = None, **changes: Any) -> tuple[RecoveryPoint, ...]:
    """The history; with the points that `which` picks changed, or left out where nothing is to be changed."""
    return tuple(_altered(history(), which, changes))


def copies(which: Callable[[RecoveryPoint], bool] | None = None, **changes: Any) -> tuple[RecoveryPoint, ...]:
    """The same in the DR vault."""
    return tuple(_altered(map(copied, history()), which, changes))


def of_last_night(one: RecoveryPoint) -> bool:
    """The newest point of the history."""
    return one.created > NOW - timedelta(days=1)


def vault(**changes: Any) -> Vault:
    """The primary vault."""
    made = Vault(
        arn=VAULT_ARN,
        name="shop-vault",
        region=HERE,
        account=ACCOUNT,
        type="BACKUP_VAULT",
        state="AVAILABLE",
        key_arn=KEY_ARN,
        locked=True,
        min_retention_days=7,
        max_retention_days=400,
        lock_date=None,
        created=BORN,
        policy=document(deny_deletion()),
        notifications=None,
        recovery_points=points() if "recovery_points" not in changes else (),
        tags={"aws:cloudformation:stack-name": "shop"},
    )
    return replace(made, **changes)


def dr_vault(**changes: Any) -> Vault:
    """The DR vault."""
    made = replace(
        vault(recovery_points=()),
        arn=DR_VAULT_ARN,
        name="shop-vault-dr",
        region=THERE,
        key_arn=DR_KEY_ARN,
        recovery_points=copies() if "recovery_points" not in changes else (),
    )
    return replace(made, **changes)


def backup_job(created: datetime = NOW - timedelta(hours=11), **changes: Any) -> BackupJob:
    """Last night's job."""
    made = BackupJob(
        id=f"job-{created:%Y%m%d}",
        state="COMPLETED",
        resource_arn=TABLE_ARN,
        vault_name="shop-vault",
        created=created,
        completed=created + timedelta(minutes=30),
        start_by=created + timedelta(minutes=60),
        expected_completion=None,
        plan_id="plan-1",
        rule_id="rule-daily",
        recovery_point_arn=point(created + timedelta(minutes=10)).arn,
        message_category="SUCCESS",
        status_message=None,
    )
    return replace(made, **changes)


def backup_jobs(**changes: Any) -> tuple[BackupJob, ...]:
    """Thirty days of jobs, with last night's changed."""
    return (backup_job(**changes), *(backup_job(NOW - timedelta(days=day, hours=11)) for day in range(1, 30)))


def copy_job(created: datetime = NOW - timedelta(hours=10), **changes: Any) -> CopyJob:
    """Last night's copy."""
    source = point(created - timedelta(minutes=50))
    made = CopyJob(
        id=f"copy-{created:%Y%m%d}",
        state="COMPLETED",
        resource_arn=TABLE_ARN,
        source_vault_arn=VAULT_ARN,
        source_recovery_point_arn=source.arn,
        destination_vault_arn=DR_VAULT_ARN,
        destination_recovery_point_arn=copied(source).arn,
        created=created,
        completed=created + timedelta(minutes=30),
        plan_id="plan-1",
        rule_id="rule-daily",
        message_category="SUCCESS",
        status_message=None,
    )
    return replace(made, **changes)


def copy_jobs(**changes: Any) -> tuple[CopyJob, ...]:
    """Thirty days of copies, with last night's changed."""
    return (copy_job(**changes), *(copy_job(NOW - timedelta(days=day, hours=10)) for day in range(1, 30)))


def key(arn: str = KEY_ARN, /, **changes: Any) -> Key:
    """A customer's key, rotated, with the policy that KMS gives one: the account's own IAM decides."""
    owner = (("AWS", f"arn:aws:iam::{ACCOUNT}:root"),)
    made = Key(
        arn=arn,
        region=arn.split(":")[3],
        account=ACCOUNT,
        manager="CUSTOMER",
        state="Enabled",
        deletion_date=None,
        multi_region=False,
        rotation=True,
        policy=document(allow("kms:*", principals=owner)),
    )
    return replace(made, **changes)


def topic(where: str = HERE, /, **changes: Any) -> Topic:
    """The topic that wakes somebody."""
    made = Topic(
        arn=f"arn:aws:sns:{where}:{ACCOUNT}:shop-alerts",
        region=where,
        fifo=False,
        key_id=None,
        policy=document(
            allow("sns:Publish", principals=(("Service", "events.amazonaws.com"),)),
            allow("sns:Publish", principals=(("Service", "cloudwatch.amazonaws.com"),)),
        ),
        confirmed_subscriptions=1,
    )
    return replace(made, **changes)


def failure_rule(where: str = HERE, /, **changes: Any) -> EventRule:
    """The rule that takes failed backups and copies to the topic."""
    made = EventRule(
        arn=f"arn:aws:events:{where}:{ACCOUNT}:rule/shop-failures",
        name="shop-failures",
        region=where,
        enabled=True,
        schedule=None,
        sources=("aws.backup",),
        detail_types=("Backup Job State Change", "Copy Job State Change"),
        states=("FAILED", "EXPIRED", "ABORTED", "PARTIAL"),
        other_filters=False,
        target_arns=(topic(where).arn,),
    )
    return replace(made, **changes)


def restore_failure_rule(where: str = HERE, /, **changes: Any) -> EventRule:
    """The rule that takes failed restores there, which carry a status and no state."""
    made = failure_rule(
        where,
        arn=f"arn:aws:events:{where}:{ACCOUNT}:rule/shop-failed-restores",
        name="shop-failed-restores",
        detail_types=("Restore Job State Change",),
        states=(),
        statuses=("FAILED", "ABORTED"),
    )
    return replace(made, **changes)


def validation_rule(**changes: Any) -> EventRule:
    """The schedule that starts the validator."""
    made = EventRule(
        arn=VALIDATOR_RULE_ARN,
        name="shop-validate",
        region=HERE,
        enabled=True,
        schedule="cron(0 10 * * ? *)",
        sources=(),
        detail_types=(),
        states=(),
        other_filters=False,
        target_arns=(VALIDATOR_ARN,),
    )
    return replace(made, **changes)


def drill_rule(**changes: Any) -> EventRule:
    """The schedule that starts the drill."""
    made = validation_rule(
        arn=f"arn:aws:events:{HERE}:{ACCOUNT}:rule/shop-drill",
        name="shop-drill",
        schedule="cron(0 3 2 * ? *)",
        target_arns=(f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:shop-drill",),
    )
    return replace(made, **changes)


def function(**changes: Any) -> Function:
    """The validator."""
    invoke = allow(
        "lambda:InvokeFunction",
        resources=(VALIDATOR_ARN,),
        principals=(("Service", "events.amazonaws.com"),),
        conditions=(("ArnLike", "AWS:SourceArn", (VALIDATOR_RULE_ARN,)),),
    )
    made = Function(
        arn=VALIDATOR_ARN,
        name="shop-validate",
        region=HERE,
        runtime="python3.13",
        timeout_seconds=120,
        state="Active",
        policy=document(invoke),
        invocations_26h=1,
        errors_26h=0,
    )
    return replace(made, **changes)


def alarm(metric: str = "Errors", /, **changes: Any) -> Alarm:
    """The alarm on the validator's `Errors`, or on its missing `Invocations`."""
    made = Alarm(
        arn=f"arn:aws:cloudwatch:{HERE}:{ACCOUNT}:alarm:shop-validate-{metric.lower()}",
        name=f"shop-validate-{metric.lower()}",
        region=HERE,
        namespace="AWS/Lambda",
        metric=metric,
        dimensions=(("FunctionName", "shop-validate"),),
        comparison="GreaterThanOrEqualToThreshold" if metric == "Errors" else "LessThanThreshold",
        threshold=1.0,
        statistic="Sum",
        period_seconds=86400 if metric == "Invocations" else 300,
        evaluation_periods=1,
        treat_missing_data="breaching" if metric == "Invocations" else "notBreaching",
        actions_enabled=True,
        action_arns=(topic().arn,),
        state="OK",
    )
    return replace(made, **changes)


def region(**changes: Any) -> RegionInventory:
    """The primary region."""
    made = RegionInventory(
        account=ACCOUNT,
        region=HERE,
        table_names=("orders",),
        tables=(table(),),
        plans=(plan(),),
        vaults=(vault(),) if "vaults" not in changes else (),
        settings=RegionSettings(opt_in={"DynamoDB": True}, management={"DynamoDB": True}),
        protected=(ProtectedResource(resource_arn=TABLE_ARN, resource_type="DynamoDB", last_backup=point().created),),
        backup_jobs=backup_jobs(),
        copy_jobs=copy_jobs(),
        restore_jobs=(),
        restore_testing=(),
        keys=(key(),),
        topics=(topic(),),
        rules=(failure_rule(), restore_failure_rule(), validation_rule(), drill_rule()),
        functions=(function(),),
        alarms=(alarm(), alarm("Invocations")),
        changes=(),
    )
    return replace(made, **changes)


def dr_region(**changes: Any) -> RegionInventory:
    """The DR region."""
    made = replace(
        region(vaults=()),
        region=THERE,
        table_names=(),
        tables=(),
        plans=(),
        vaults=(dr_vault(),) if "vaults" not in changes else (),
        protected=(),
        backup_jobs=(),
        copy_jobs=(),
        keys=(key(DR_KEY_ARN),),
        topics=(topic(THERE),),
        rules=(failure_rule(THERE), restore_failure_rule(THERE)),
        functions=(),
        alarms=(),
    )
    return replace(made, **changes)


def restore_testing(**changes: Any) -> RestoreTestingPlan:
    """AWS's own restore testing of the table."""
    chosen = RestoreTestingSelection(
        name="orders",
        resource_type="DynamoDB",
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/shop-restore",
        resource_arns=(TABLE_ARN,),
        validation_window_hours=4,
    )
    made = RestoreTestingPlan(
        name="shop_restores",
        arn=f"arn:aws:backup:{HERE}:{ACCOUNT}:restore-testing-plan:shop_restores",
        schedule="cron(0 3 2 * ? *)",
        selections=(chosen,),
    )
    return replace(made, **changes)


# Roles and their policies


def document(*statements: Statement) -> PolicyDocument:
    """A policy of these statements."""
    return PolicyDocument(statements=statements)


def allow(*actions: str, **changes: Any) -> Statement:
    """Allow these actions on everything."""
    made = Statement(
        sid="",
        effect="Allow",
        actions=actions,
        not_actions=(),
        resources=("*",),
        not_resources=(),
        principals=(),
        not_principals=(),
        conditions=(),
    )
    return replace(made, **changes)


def deny_deletion(**changes: Any) -> Statement:
    """What keeps recovery points: nobody but the break-glass role may delete them, or this statement."""
    made = allow(
        "backup:DeleteRecoveryPoint",
        "backup:UpdateRecoveryPointLifecycle",
        "backup:PutBackupVaultAccessPolicy",
        "backup:DeleteBackupVaultAccessPolicy",
        effect="Deny",
        principals=(("AWS", "*"),),
        conditions=(("ArnNotEquals", "aws:PrincipalArn", (f"arn:aws:iam::{ACCOUNT}:role/shop-break-glass",)),),
    )
    return replace(made, **changes)


def trust(service: str = "backup.amazonaws.com") -> PolicyDocument:
    """Who may assume a role."""
    return document(allow("sts:AssumeRole", resources=(), principals=(("Service", service),)))


def inline(*statements: Statement) -> NamedPolicy:
    """A policy written inside a role."""
    return NamedPolicy(name="inline", arn=None, document=document(*statements))


def managed(name: str) -> NamedPolicy:
    """A policy of AWS's own, whose text was not asked for."""
    text = gap("GetPolicyVersion", "NotAsked", service="iam", resource=name)
    return NamedPolicy(name=name, arn=f"arn:aws:iam::aws:policy/service-role/{name}", document=text)


def role(name: str = "backup", /, **changes: Any) -> Role:
    """`backup`, `restore`, `drill` or `auditor`."""
    made = Role(
        name=f"shop-{name}",
        arn=f"arn:aws:iam::{ACCOUNT}:role/shop-{name}",
        account=ACCOUNT,
        created=BORN,
        trust=trust() if name in ("backup", "restore") else trust("lambda.amazonaws.com"),
        policies=_ROLE_POLICIES[name](),
    )
    return replace(made, **changes)


def roles(changed: str = "", **changes: Any) -> tuple[Role, ...]:
    """Every role of the shop, with one changed."""
    return tuple(role(name, **(changes if name == changed else {})) for name in _ROLE_POLICIES)


_ROLE_POLICIES: Mapping[str, Callable[[], tuple[NamedPolicy, ...]]] = {
    "backup": lambda: (managed("AWSBackupServiceRolePolicyForBackup"),),
    "restore": lambda: (managed("AWSBackupServiceRolePolicyForRestores"),),
    "drill": lambda: (
        inline(
            allow("backup:ListBackupJobs", "backup:ListRestoreJobs", "dynamodb:ListTables"),
            allow("backup:StartRestoreJob", resources=(f"arn:aws:backup:*:{ACCOUNT}:recovery-point:*",)),
            allow(
                "iam:PassRole",
                resources=(f"arn:aws:iam::{ACCOUNT}:role/shop-restore",),
                conditions=(("StringEquals", "iam:PassedToService", ("backup.amazonaws.com",)),),
            ),
            allow("dynamodb:Scan", "dynamodb:DeleteTable", resources=(f"arn:aws:dynamodb:*:{ACCOUNT}:table/drill-*",)),
        ),
    ),
    "auditor": lambda: (
        inline(
            allow("backup:ListBackupPlans", "backup:ListBackupJobs", "dynamodb:ListTables"),
            allow("dynamodb:DescribeTable", resources=(f"arn:aws:dynamodb:*:{ACCOUNT}:table/*",)),
        ),
    ),
}

DESTROYERS = (
    "backup:DeleteRecoveryPoint",
    "backup:DeleteBackupVault",
    "backup:DeleteBackupVaultLockConfiguration",
    "dynamodb:UpdateContinuousBackups",
)


def simulations(allowed: str = "", principal: str = "drill") -> tuple[Simulation, ...]:
    """What the simulator says of every role; `allowed` is an action that `principal` may perform."""
    return tuple(
        Simulation(
            principal_arn=f"arn:aws:iam::{ACCOUNT}:role/shop-{name}",
            action=action,
            resource="*",
            decision="allowed" if (name, action) == (principal, allowed) else "implicitDeny",
        )
        for name in _ROLE_POLICIES
        for action in DESTROYERS
    )


def _account() -> AccountInventory:
    return AccountInventory(
        kind="live",
        id=ACCOUNT,
        simulated=False,
        caller=Caller(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/shop-auditor/audit", account=ACCOUNT),
        roles=roles(),
        simulations=simulations(),
        regions=(),
    )


# Drills


def drill(method: str = "pitr", /, **changes: Any) -> DrillRecord:
    """This month's drill of one method."""
    made = DrillRecord(
        run_id=f"2026-11-02-{method}",
        account=ACCOUNT,
        table_arn=TABLE_ARN,
        method=method,
        started=datetime(2026, 11, 2, 3, tzinfo=UTC),
        finished=datetime(2026, 11, 2, 5, tzinfo=UTC),
        active_minutes=40.0,
        verified_minutes=60.0,
        passed=True,
        integrity="equal",
        witness="export",
        independent=method != "pitr",
        settings="equal",
        cleaned_up=True,
        simulated=False,
        detail="",
    )
    return replace(made, **changes)


def _drills() -> tuple[DrillRecord, ...]:
    return tuple(drill(method) for method in Method)


def drills(changed: str = "pitr", **changes: Any) -> tuple[DrillRecord, ...]:
    """This month's drills, with one changed."""
    return tuple(drill(method, **(changes if method == changed else {})) for method in Method)


def role_names(**changes: Any) -> Roles:
    """What the policy calls its roles."""
    return replace(_policy().roles, **changes)


def validation(**changes: Any) -> Validation:
    """The policy's scheduled check."""
    made = _policy().validation
    assert made is not None
    return replace(made, **changes)


def change(**changes: Any) -> Change:
    """What CloudTrail tells of a plan that was changed."""
    made = Change(
        time=NOW - timedelta(days=3), event="UpdateBackupPlan", principal="ops", resource="plan-1", read_only=False
    )
    return replace(made, **changes)


def encrypted_by(kind: KeyKind) -> Changes:
    """A table scope that states its key."""
    return {"encryption": kind}


def _altered(
    all_points: Iterator[RecoveryPoint], which: Callable[[RecoveryPoint], bool] | None, changes: Changes
) -> Iterator[RecoveryPoint]:
    for one in all_points:
        if which is None or not which(one):
            yield one
        elif changes:
            yield replace(one, **changes)
