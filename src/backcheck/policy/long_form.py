"""A policy written out in full, as the data that a file would hold: nothing short, nothing left to a default.

`load` of it gives the same policy again. Statements point into this form, and the schema accepts it.
"""

from __future__ import annotations

from datetime import date

from backcheck.policy.document import Json
from backcheck.policy.model import (
    Account,
    Alerts,
    Copy,
    Drill,
    Duty,
    Lock,
    Objectives,
    Pitr,
    Plan,
    Policy,
    Roles,
    Statement,
    TableScope,
    Tier,
    Validation,
    Vault,
    Waiver,
)

SCHEMA = "backcheck/policy/v1"

JsonMap = dict[str, Json]


def long_form(policy: Policy) -> JsonMap:
    """The policy as the map that its file would hold, keys in the order of the documentation."""
    return _said(
        schema=SCHEMA,
        name=policy.name,
        title=policy.title,
        version=policy.version,
        effective_from=_day(policy.effective_from),
        next_review=_day(policy.next_review),
        owner=policy.owner,
        timezone=policy.timezone,
        accounts={account.key: _account(account) for account in policy.accounts},
        regions=dict(policy.regions),
        tables={table.key: _table(table) for table in policy.tables},
        discovery=_said(
            name_prefixes=list(policy.discovery.name_prefixes),
            tags=dict(policy.discovery.tags),
            exclude=list(policy.discovery.exclude),
        ),
        objectives=_objectives(policy.objectives),
        pitr=_pitr(policy.pitr),
        plans={plan.key: _plan(plan) for plan in policy.plans},
        vaults={vault.key: _vault(vault) for vault in policy.vaults},
        dynamodb_advanced_features="required" if policy.advanced_features_required else "not-required",
        roles=_roles(policy.roles),
        validation=_validation(policy.validation) if policy.validation else None,
        drill=_drill(policy.drill) if policy.drill else "none",
        procedures={procedure.method: list(procedure.steps) for procedure in policy.procedures},
        duties={duty.team: _duty(duty) for duty in policy.duties},
        waivers=[_waiver(waiver) for waiver in policy.waivers],
        statements=[_statement(statement) for statement in policy.statements],
    )


def _said(**values: Json) -> JsonMap:
    """What is not None."""
    return {key: value for key, value in values.items() if value is not None}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _account(account: Account) -> JsonMap:
    return _said(id=account.id, role_arn=account.role_arn, external_id=account.external_id)


def _table(table: TableScope) -> JsonMap:
    return _said(
        name=table.name,
        pattern=table.pattern,
        arn=table.arn,
        tags=dict(table.tags) or None,
        account=table.account,
        region=table.region,
        tiers=list(table.tiers) or None,
        pitr=_pitr(table.pitr) if table.pitr else None,
        deletion_protection=table.deletion_protection,
        encryption=_word(table.encryption),
    )


def _word(value: str | None) -> str | None:
    """A member of an enumeration as plain text."""
    return None if value is None else str(value)


def _objectives(objectives: Objectives) -> JsonMap:
    rpo, rto = objectives.rpo, objectives.rto
    return {
        "rpo": _said(pitr_minutes=rpo.pitr_minutes, backup_hours=rpo.backup_hours, dr_hours=rpo.dr_hours),
        "rto": _said(pitr_minutes=rto.pitr_minutes, backup_minutes=rto.backup_minutes, dr_minutes=rto.dr_minutes),
    }


def _pitr(pitr: Pitr) -> JsonMap:
    return _said(enabled=pitr.enabled, window_days=pitr.window_days, max_lag_minutes=pitr.max_lag_minutes)


def _plan(plan: Plan) -> JsonMap:
    return {"name": plan.name, "tiers": {tier.name: _tier(tier) for tier in plan.tiers}}


def _tier(tier: Tier) -> JsonMap:
    return _said(
        rule=tier.rule,
        schedule=tier.schedule,
        timezone=tier.timezone,
        start_window_minutes=tier.start_window_minutes,
        completion_window_minutes=tier.completion_window_minutes,
        vault=tier.vault,
        retention_days=tier.retention_days,
        cold_storage_after_days=tier.cold_storage_after_days,
        copies=[_copy(copy) for copy in tier.copies],
        purpose=tier.purpose or None,
        continuous=tier.continuous,
    )


def _copy(copy: Copy) -> JsonMap:
    return _said(
        vault=copy.vault,
        retention_days=copy.retention_days,
        cold_storage_after_days=copy.cold_storage_after_days,
    )


def _vault(vault: Vault) -> JsonMap:
    return _said(
        name=vault.name,
        region=vault.region,
        account=vault.account,
        key=str(vault.encryption),
        lock=_lock(vault.lock) if vault.lock else "none",
        air_gapped=vault.air_gapped,
        deny_deletion=vault.deny_deletion,
        allowed_principals=list(vault.allowed_principals),
    )


def _lock(lock: Lock) -> JsonMap:
    return _said(
        mode=str(lock.mode),
        min_retention_days=lock.min_retention_days,
        max_retention_days=lock.max_retention_days,
        changeable_for_days=lock.changeable_for_days,
    )


def _roles(roles: Roles) -> JsonMap:
    return _said(
        backup=roles.backup,
        restore=roles.restore,
        restore_dr=roles.restore_dr,
        drill=roles.drill,
        auditor=roles.auditor,
        break_glass=list(roles.break_glass),
    )


def _validation(validation: Validation) -> JsonMap:
    return _said(
        schedule=validation.schedule,
        timezone=validation.timezone,
        max_backup_age_hours=validation.max_backup_age_hours,
        function=validation.function,
        alerts=_alerts(validation.alerts) if validation.alerts else None,
    )


def _alerts(alerts: Alerts) -> JsonMap:
    return {"topic": alerts.topic, "team": alerts.team, "on": [str(event) for event in alerts.on]}


def _drill(drill: Drill) -> JsonMap:
    return _said(
        schedule=drill.schedule,
        timezone=drill.timezone,
        max_age_days=drill.max_age_days,
        methods=[str(method) for method in drill.methods],
        tables=list(drill.tables),
        name_prefix=drill.name_prefix,
        checks=list(drill.checks),
        cleanup_after_hours=drill.cleanup_after_hours,
        cost_ceiling_usd=_number(drill.cost_ceiling_usd),
        evidence_retention_days=drill.evidence_retention_days,
        canary={"role": drill.canary.role, "key_prefix": drill.canary.key_prefix} if drill.canary else None,
    )


def _number(amount: float) -> Json:
    return int(amount) if amount == int(amount) else amount


def _duty(duty: Duty) -> JsonMap:
    return _said(does=duty.does, every=duty.every, shown_by=list(duty.shown_by))


def _waiver(waiver: Waiver) -> JsonMap:
    return {
        "control": waiver.control,
        "resource": waiver.resource,
        "owner": waiver.owner,
        "ticket": waiver.ticket,
        "reason": waiver.reason,
        "granted": waiver.granted.isoformat(),
        "expires": waiver.expires.isoformat(),
    }


def _statement(statement: Statement) -> JsonMap:
    return _said(
        id=statement.id,
        says=statement.says,
        at=list(statement.at),
        deviation=statement.deviation,
        computed=statement.computed,
    )
