"""The policy as the document that people read. It depends on the policy alone, not on a clock: CI compares bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from backcheck.policy.cron_words import in_words
from backcheck.policy.model import (
    Copy,
    Drill,
    KeyKind,
    Lock,
    Method,
    Pitr,
    Policy,
    Roles,
    TableScope,
    Tier,
    Validation,
    Vault,
)
from backcheck.policy.protection import first_year
from backcheck.policy.reckoning import overlap_lines, worst_case_lines
from backcheck.policy.rpo import spell

WAYS = {
    Method.PITR: "Point-in-time recovery",
    Method.BACKUP: "Backup in the table's Region",
    Method.DR_COPY: "Copy in the DR Region",
}

KEYS = {
    KeyKind.CUSTOMER: "the customer's own",
    KeyKind.AWS_MANAGED: "AWS managed",
    KeyKind.AWS_OWNED: "AWS owned",
}

STEPS = {
    "identify-time": "Identify the point in time to restore to",
    "identify-recovery-point": "Identify the recovery point to restore from",
    "restore": "Restore into a new table",
    "monitor": "Monitor the restore until it is complete",
    "validate-data": "Validate the restored data",
    "repoint-application": "Let the application use the restored table",
}
"""Steps that have a sentence; others stand in the document as the policy has them."""

_MARKDOWN = re.compile(r"([\\`*\[\]|])")


def to_markdown(policy: Policy) -> str:
    """The document, the same bytes for the same policy."""
    tables = _Tables(policy)
    start = first_year(policy)
    written = _template().render(
        policy=policy,
        accounts=", ".join(f"{account.key}: {account.id}" for account in policy.accounts),
        regions=", ".join(f"{key}: {region}" for key, region in policy.regions.items()),
        tables=[tables.row(scope) for scope in policy.tables],
        discovery=_discovery(policy),
        plans=[{"name": plan.name, "tiers": [tables.tier(tier) for tier in plan.tiers]} for plan in policy.plans],
        overlaps=list(overlap_lines(policy)),
        vaults=[_vault(vault, policy) for vault in policy.vaults],
        objectives=_objectives(policy),
        years=f"{start} and {start + 1}",
        arithmetic=list(worst_case_lines(policy)),
        procedures=[
            {"title": WAYS[Method(procedure.method)], "steps": [STEPS.get(step, step) for step in procedure.steps]}
            for procedure in policy.procedures
        ],
        validation=_validation(policy.validation) if policy.validation else None,
        drill=list(_drill(policy.drill)) if policy.drill else [],
        roles=list(_roles(policy.roles)),
        deviations=[statement for statement in policy.statements if statement.deviation],
    )
    return re.sub(r"\n{3,}", "\n\n", written).strip() + "\n"


@cache
def _template() -> Template:
    # Markdown, not HTML: `text` and `cell` escape what either would take for its own.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    environment.filters |= {"text": _text, "code": _code, "every": _every}
    source = files("backcheck.policy").joinpath("backup-policy.md.j2").read_text(encoding="utf-8")
    return environment.from_string(source)


def _text(text: str) -> str:
    """Text of the policy within a sentence: nothing in it is markup."""
    one_line = " ".join(text.split())
    return _MARKDOWN.sub(r"\\\1", one_line).replace("&", "&amp;").replace("<", "&lt;")


def _code(text: str) -> str:
    """Text of the policy as a code span, in which only a pipe must still be escaped, for tables."""
    return "`" + " ".join(text.split()).replace("`", "'").replace("|", r"\|") + "`"


def _every(duration: str | None) -> str:
    """An ISO 8601 duration in words."""
    units = {"Y": "year", "M": "month", "W": "week", "D": "day"}
    found = re.findall(r"([0-9]+)([YMWD])", duration or "")
    parts = [units[unit] if count == "1" else f"{count} {units[unit]}s" for count, unit in found]
    return f"every {' and '.join(parts)}" if parts else "always"


@dataclass(frozen=True, slots=True)
class _Tables:
    """Rows that need the policy around them."""

    policy: Policy

    def row(self, scope: TableScope) -> dict[str, str]:
        tiers = self.policy.tiers_of(scope)
        settings = ["deletion protection"] if scope.deletion_protection else []
        settings += [f"encrypted with {KEYS[scope.encryption]} key"] if scope.encryption else []
        where = "" if (scope.account, scope.region) == ("primary", "primary") else f" in {scope.account}/{scope.region}"
        return {
            "key": scope.key,
            "which": ", ".join([f"{_which(scope)}{where}", *settings]),
            "tiers": ", ".join(tier.name if len(self.policy.plans) == 1 else tier.id for tier in tiers),
            "pitr": _pitr(self.policy.pitr_of(scope)),
        }

    def tier(self, tier: Tier) -> dict[str, str]:
        return {
            "name": tier.name,
            "schedule": in_words(tier.schedule, tier.timezone),
            "start": spell(timedelta(minutes=tier.start_window_minutes)),
            "completion": spell(timedelta(minutes=tier.completion_window_minutes)),
            "vault": self._vault_name(tier.vault),
            "retention": _days(tier.retention_days),
            "cold": _cold(tier.cold_storage_after_days),
            "copies": "; ".join(self._copy(copy, tier) for copy in tier.copies) or "nowhere",
            "purpose": tier.purpose,
        }

    def _copy(self, copy: Copy, tier: Tier) -> str:
        same = (copy.retention_days, copy.cold_storage_after_days) == (
            tier.retention_days,
            tier.cold_storage_after_days,
        )
        cold = f", cold {_cold(copy.cold_storage_after_days)}" if copy.cold_storage_after_days else ""
        return (
            f"{self._vault_name(copy.vault)} (kept likewise)"
            if same
            else (f"{self._vault_name(copy.vault)} ({_days(copy.retention_days)}{cold})")
        )

    def _vault_name(self, key: str) -> str:
        vault = self.policy.vault(key)
        return vault.name if vault else key


def _which(scope: TableScope) -> str:
    if scope.tags:
        return "tagged " + ", ".join(f"{key}={value}" for key, value in scope.tags.items())
    return f"named {scope.name}" if scope.name else f"named like {scope.pattern}" if scope.pattern else str(scope.arn)


def _pitr(pitr: Pitr) -> str:
    return f"any second of the last {pitr.window_days} days" if pitr.enabled else "not required"


def _days(days: int | None) -> str:
    return "for ever" if days is None else f"{days} days"


def _cold(days: int | None) -> str:
    return "never" if days is None else f"after {days} days"


def _discovery(policy: Policy) -> str:
    found = [f"named {_code(f'{prefix}…')}" for prefix in policy.discovery.name_prefixes]
    tags = " and ".join(_code(f"{key}={value}") for key, value in policy.discovery.tags.items())
    found += [f"tagged {tags}"] if tags else []
    said = " or ".join(found)
    known = ", ".join(_code(pattern) for pattern in policy.discovery.exclude)
    return f"{said}, but for {known}" if known and said else said


def _vault(vault: Vault, policy: Policy) -> dict[str, str]:
    account = policy.account(vault.account)
    return {
        "name": f"{vault.name} (logically air-gapped)" if vault.air_gapped else vault.name,
        "region": policy.region_of(vault),
        "account": account.id if account else vault.account,
        "key": KEYS[vault.encryption],
        "lock": _lock(vault.lock),
        "deletion": "denied by the access policy" if vault.deny_deletion else "not denied",
    }


def _lock(lock: Lock | None) -> str:
    if lock is None:
        return "none"
    final = f", final after {lock.changeable_for_days} days" if lock.changeable_for_days else ""
    return f"{lock.mode}, {lock.min_retention_days} to {lock.max_retention_days} days{final}"


def _objectives(policy: Policy) -> list[dict[str, str]]:
    rpo, rto = policy.objectives.rpo, policy.objectives.rto
    hours = {Method.BACKUP: rpo.backup_hours, Method.DR_COPY: rpo.dr_hours}
    lost = {method: _of(h and h * 60) for method, h in hours.items()} | {Method.PITR: _of(rpo.pitr_minutes)}
    back = {Method.PITR: rto.pitr_minutes, Method.BACKUP: rto.backup_minutes, Method.DR_COPY: rto.dr_minutes}
    return [{"way": WAYS[method], "rpo": lost[method], "rto": _of(back[method])} for method in Method]


def _of(minutes: int | None) -> str:
    return "not stated" if minutes is None else spell(timedelta(minutes=minutes))


def _validation(validation: Validation) -> dict[str, str]:
    when = in_words(validation.schedule, validation.timezone)
    by = f" by the function {validation.function}" if validation.function else ""
    alerts = validation.alerts
    events = ", ".join(event.replace("-", " ") for event in alerts.on) if alerts else ""
    return {
        "when": f"Backups are checked {when}{by}.",
        "age": f"At the deadline of the latest backup that is due, the newest one is at most "
        f"{validation.max_backup_age_hours} h old. A backup that may still be running then is not missing.",
        "alerts": f"{alerts.team} hears of it ({events}) through the topic {alerts.topic}." if alerts else "",
    }


def _drill(drill: Drill) -> Iterator[str]:
    yield f"Test restores run {in_words(drill.schedule, drill.timezone)}, for {', '.join(drill.tables)}."
    ways = (WAYS[method] for method in drill.methods)
    yield f"By: {', '.join(way[0].lower() + way[1:] for way in ways)}."
    yield f"Each must show: {', '.join(drill.checks)}."
    yield f"The last one that passed is at most {drill.max_age_days} days old."
    yield (
        f"Restored tables are named {drill.name_prefix}… and live {drill.cleanup_after_hours} h at most; "
        f"a drill that would cost more than {drill.cost_ceiling_usd:g} USD is not begun."
    )
    yield f"Evidence is kept for {drill.evidence_retention_days} days."
    if drill.canary:
        yield f"The role {drill.canary.role} writes a canary, under keys that begin with {drill.canary.key_prefix}."


def _roles(roles: Roles) -> Iterator[dict[str, str]]:
    named = [
        ("Backs up and copies", roles.backup),
        ("Restores", roles.restore),
        ("Restores in the DR Region", roles.restore_dr),
        ("Performs drills", roles.drill),
        ("Audits, reading only", roles.auditor),
        ("May delete recovery points and lift locks", ", ".join(roles.break_glass) or None),
    ]
    return ({"does": does, "name": name} for does, name in named if name)
