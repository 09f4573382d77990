"""A document that the schema accepts, to a Policy with every default filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from backcheck.cron import CronError, zone_of
from backcheck.errors import Problem
from backcheck.policy.document import Document, pointer_to
from backcheck.policy.model import (
    ALWAYS_CHECKED,
    CHECKS,
    PRIMARY,
    AlertEvent,
    Alerts,
    Canary,
    Drill,
    Duty,
    Method,
    Objectives,
    Plan,
    Policy,
    Procedure,
    Roles,
    RpoObjectives,
    RtoObjectives,
    Statement,
    TableScope,
    Validation,
    Vault,
    Waiver,
)
from backcheck.policy.moves import Moves
from backcheck.policy.plans import Names, check_place, plans_of
from backcheck.policy.scope import accounts_of, discovery_of, pitr_of, tables_of
from backcheck.policy.section import Section
from backcheck.policy.source import Source

MONTHLY = "cron(0 6 2 * ? *)"
DRILL_PREFIX = "awsbackup-restore-test-bc-"
"""AWS Backup's plans skip what is named so: https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html"""


MAX_BACKUP_AGE_HOURS = 24


@dataclass(slots=True)
class Built:
    """The policy, and what kept it from being one. Where there are problems the policy is not to be used."""

    policy: Policy
    problems: list[Problem] = field(default_factory=list)


def build(document: Document, root: Section, *, file: str, sha256: str) -> Built:
    """The policy of a document. Problems carry the pointer of the file, and no place yet."""
    problems = list(_unknown_zones(document))
    accounts = accounts_of(root)
    regions = {key: root.child("regions").text(key, "") for key in root.child("regions").data}
    names = Names(
        policy=root.text("name", ""),
        timezone=root.text("timezone", "UTC"),
        regions=regions,
        accounts={account.key: account.id for account in accounts},
    )
    plans, vaults = plans_of(root, names, problems)
    tables = tuple(_table(table, at, root, plans, names, problems) for at, table in enumerate(tables_of(root)))
    moved = Moves.of(root, names.policy)
    policy = Policy(
        source=Source(file=file, sha256=sha256, places=moved.places(document)),
        name=names.policy,
        title=root.text("title", f"Backup policy: {names.policy}"),
        version=root.text("version", "1.0.0"),
        owner=root.text("owner", ""),
        timezone=names.timezone,
        effective_from=root.day("effective_from"),
        next_review=root.day("next_review"),
        accounts=accounts,
        regions=regions,
        tables=tables,
        discovery=discovery_of(root),
        objectives=_objectives(root.child("objectives")),
        pitr=pitr_of(root.child("pitr")),
        plans=plans,
        vaults=vaults,
        advanced_features_required=root.text("dynamodb_advanced_features", "required") == "required",
        roles=_roles(root.child("roles")),
        validation=_validation(root) if "validation" in root else None,
        drill=_drill(root, tables, plans, vaults),
        procedures=tuple(
            Procedure(method=method, steps=root.child("procedures").texts(method))
            for method in root.child("procedures").data
        ),
        duties=tuple(_duty(team, section) for team, section in root.children("duties")),
        waivers=_waivers(root),
        statements=_statements(root, moved),
    )
    return Built(policy=policy, problems=problems)


def _unknown_zones(document: Document) -> Iterator[Problem]:
    for pointer, zone in _values_of("timezone", document):
        try:
            zone_of(zone)
        except CronError as error:
            yield Problem(message=f'the time zone "{zone}" {error.why}', path=pointer, hint=error.hint)


def _values_of(key: str, document: Document) -> Iterator[tuple[str, str]]:
    """Every text below that key, wherever it stands outside of tags."""
    stack = [("", document.value)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict):
            for name, below in value.items():
                if name == key and isinstance(below, str):
                    yield pointer_to(pointer, name), below
                elif name != "tags":
                    stack.append((pointer_to(pointer, name), below))


def _table(
    table: TableScope, index: int, root: Section, plans: tuple[Plan, ...], names: Names, problems: list[Problem]
) -> TableScope:
    listed = isinstance(root.data["tables"], list)
    section = Section({}, pointer_to("/tables", index)) if listed else root.child("tables").child(table.key)
    check_place(section, table.account, table.region, names, problems)
    table = _where_its_arn_is(table, section, names, problems)
    ids = tuple(tier.id for plan in plans for tier in plan.tiers)
    if not table.tiers:
        return replace(table, tiers=ids)
    named = dict.fromkeys(_tier_id(name, ids, section, problems) for name in table.tiers)
    return replace(table, tiers=tuple(named))


def _where_its_arn_is(table: TableScope, section: Section, names: Names, problems: list[Problem]) -> TableScope:
    """An ARN says the account and the Region itself: those that the file names must be the same."""
    if table.arn is None:
        return table
    region, account = table.arn.split(":")[3:5]
    found = {"region": _key_of(region, names.regions), "account": _key_of(account, names.accounts)}
    for key, (value, here) in {
        "region": (region, names.regions.get(table.region)),
        "account": (account, names.accounts.get(table.account)),
    }.items():
        named = found[key]
        if named is None:
            message = f"the ARN's {key} is {value}, which `{key}s` does not have"
            at = section.at("arn") if "arn" in section else section.pointer
            problems.append(Problem(message=message, path=at, hint=f"add it to `{key}s`"))
        elif key in section and value != here:
            message = f"the ARN's {key} is {value}, and not {here}"
            problems.append(Problem(message=message, path=section.at(key), hint=f"{key}: {named}"))
    return replace(table, region=found["region"] or table.region, account=found["account"] or table.account)


def _key_of(value: str, known: Mapping[str, str]) -> str | None:
    return next((key for key, one in known.items() if one == value), None)


def _tier_id(name: str, ids: tuple[str, ...], table: Section, problems: list[Problem]) -> str:
    """`plan/tier` for a tier that a table names; what names none stays as it is, for POL-08."""
    matches = [tier for tier in ids if name in (tier, tier.partition("/")[2])]
    if len(matches) > 1:
        message = f"`{name}` is a tier of several plans"
        problems.append(Problem(message=message, path=table.at("tiers"), hint=f"write {' or '.join(matches)}"))
    return matches[0] if matches else name


def _objectives(section: Section) -> Objectives:
    rpo, rto = section.child("rpo"), section.child("rto")
    hours = section.number("rto_hours")
    minutes = None if hours is None else hours * 60
    return Objectives(
        rpo=RpoObjectives(
            pitr_minutes=rpo.number("pitr_minutes"),
            backup_hours=rpo.number("backup_hours") or section.number("rpo_hours"),
            dr_hours=rpo.number("dr_hours"),
        ),
        rto=RtoObjectives(
            pitr_minutes=rto.number("pitr_minutes") or minutes,
            backup_minutes=rto.number("backup_minutes") or minutes,
            dr_minutes=rto.number("dr_minutes") or minutes,
        ),
    )


def _roles(section: Section) -> Roles:
    return Roles(
        backup=section.text("backup"),
        restore=section.text("restore"),
        restore_dr=section.text("restore_dr"),
        drill=section.text("drill"),
        auditor=section.text("auditor"),
        break_glass=section.texts("break_glass"),
    )


def _validation(root: Section) -> Validation:
    section = root.child("validation")
    alerts = section.child("alerts")
    events = alerts.texts("on") or tuple(AlertEvent)
    return Validation(
        schedule=section.text("schedule", ""),
        timezone=section.text("timezone", root.text("timezone", "UTC")),
        max_backup_age_hours=section.number("max_backup_age_hours", MAX_BACKUP_AGE_HOURS),
        function=section.text("function"),
        alerts=Alerts(
            topic=alerts.text("topic", ""),
            team=alerts.text("team", root.text("owner", "")),
            on=tuple(AlertEvent(event) for event in events),
        )
        if "alerts" in section
        else None,
    )


def _drill(
    root: Section, tables: tuple[TableScope, ...], plans: tuple[Plan, ...], vaults: tuple[Vault, ...]
) -> Drill | None:
    if root.data.get("drill") == "none":
        return None
    section = root.child("drill")
    canary = section.child("canary")
    methods = tuple(Method(method) for method in section.texts("methods")) or _promised(tables, root, plans, vaults)
    return Drill(
        schedule=section.text("schedule", MONTHLY),
        timezone=section.text("timezone", root.text("timezone", "UTC")),
        max_age_days=section.number("max_age_days", 35),
        methods=methods,
        tables=section.texts("tables") or tuple(table.key for table in tables),
        name_prefix=section.text("name_prefix", DRILL_PREFIX),
        checks=_checks(section.texts("checks")),
        cleanup_after_hours=section.number("cleanup_after_hours", 24),
        cost_ceiling_usd=float(section.amount("cost_ceiling_usd", 5)),
        evidence_retention_days=section.number("evidence_retention_days", 400),
        canary=Canary(role=canary.text("role", ""), key_prefix=canary.text("key_prefix", "")) if canary.data else None,
    )


def _checks(named: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in CHECKS if one in ALWAYS_CHECKED or one in named) if named else CHECKS


def _promised(
    tables: tuple[TableScope, ...], root: Section, plans: tuple[Plan, ...], vaults: tuple[Vault, ...]
) -> tuple[Method, ...]:
    """Each way of recovery that the policy promises: PITR where it is on, copies where there are any elsewhere."""
    pitr = pitr_of(root.child("pitr"))
    elsewhere = {vault.key for vault in vaults if vault.region != PRIMARY}
    copied = any(copy.vault in elsewhere for plan in plans for tier in plan.tiers for copy in tier.copies)
    promised = [Method.PITR] if any((table.pitr or pitr).enabled for table in tables) else []
    return (*promised, Method.BACKUP, *([Method.DR_COPY] if copied else []))


def _duty(team: str, section: Section) -> Duty:
    return Duty(
        team=team, does=section.text("does", ""), every=section.text("every"), shown_by=section.texts("shown_by")
    )


def _waivers(root: Section) -> tuple[Waiver, ...]:
    waivers = []
    for index, section in enumerate(root.items("waivers")):
        assert isinstance(section, Section)
        granted, expires = section.day("granted"), section.day("expires")
        assert granted is not None
        assert expires is not None
        texts = {key: section.text(key, "") for key in ("control", "resource", "owner", "ticket", "reason")}
        waivers.append(Waiver(index=index, granted=granted, expires=expires, **texts))
    return tuple(waivers)


def _statements(root: Section, moved: Moves) -> tuple[Statement, ...]:
    statements = []
    for section in root.items("statements"):
        assert isinstance(section, Section)
        statements.append(
            Statement(
                id=section.text("id", ""),
                says=section.text("says", ""),
                at=tuple(moved.long(pointer) for pointer in section.texts("at")),
                deviation=section.text("deviation"),
                computed=section.text("computed"),
            )
        )
    return tuple(statements)
