"""Drift: what the policy, the templates and an account each say, field by field, in one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from backcheck.controls.cfn import AIR_GAPPED, GLOBAL_TABLE, PLAN, TABLE, VAULT
from backcheck.controls.control import World
from backcheck.controls.deployment import DeployedPlan
from backcheck.controls.drf_01_no_drift import Part, fields, parts
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.errors import UsageError
from backcheck.finding import Finding, Severity, Status
from backcheck.gate.judge import Judged
from backcheck.inventory import snapshot
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, PitrStatus
from backcheck.policy.model import Policy

CONTROL = "DRF-01"
ABSENT = "absent"
NOT_KNOWN = "not known"

_TYPES = {
    "plan": frozenset({PLAN}),
    "vault": frozenset({VAULT, AIR_GAPPED}),
    "table": frozenset({TABLE, GLOBAL_TABLE}),
}

Key = tuple[str, str]
"""(what, field): what is `plan NAME`, `vault NAME in REGION` or `table NAME`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field and who says what of it."""

    what: str
    field: str
    policy: str
    template: str
    account: str

    @property
    def status(self) -> Status:
        """FAIL where two say different things; UNKNOWN where one is not known and the rest agree."""
        said = {self.policy, self.template, self.account} - {NOT_KNOWN}
        if len(said) > 1:
            return Status.FAIL
        return Status.UNKNOWN if NOT_KNOWN in (self.policy, self.template, self.account) else Status.PASS


def read(path: Path, policy: Policy) -> World:
    """The account of a snapshot, as it was when that was taken. Raises UsageError for a template's own snapshot."""
    inventory = snapshot.read(path)
    if any(account.kind == "template" for account in inventory.accounts):
        raise UsageError("is a snapshot of templates, and no account's", where=str(path))
    return World(policy=policy, now=inventory.taken_at, inventory=inventory)


def compare(judged: Judged, account: World) -> tuple[Row, ...]:
    """Every field that any of the three speaks of; what nobody could read is not known, and never equal."""
    template = judged.world
    wanted, one, other = _wanted(template, account), _said(template), _said(account)
    missing = (_missing(template), _missing(account))
    keys = dict.fromkeys((*wanted, *one, *other))
    return tuple(
        Row(
            what=what,
            field=field,
            policy=wanted.get((what, field), ABSENT),
            template=NOT_KNOWN
            if judged.doubtful & _TYPES[what.partition(" ")[0]]
            else one.get((what, field), missing[0].get(what, ABSENT)),
            account=other.get((what, field), missing[1].get(what, ABSENT)),
        )
        for what, field in keys
    )


def _said(world: World) -> Mapping[Key, str]:
    found: dict[Key, str] = {}
    for what, part in _parts(world):
        found |= {(what, one.field): one.account for one in fields(part, world)}
    for subject in _tables(world):
        found |= {(f"table {subject.table.name}", field): value for field, _, value in _table(subject, world)}
    return found


def _wanted(*worlds: World) -> Mapping[Key, str]:
    found: dict[Key, str] = {}
    for world in worlds:
        for what, part in _parts(world):
            found |= {(what, one.field): one.policy for one in fields(part, world)}
        for subject in _tables(world):
            found |= {(f"table {subject.table.name}", field): value for field, value, _ in _table(subject, world)}
    return found


def _parts(world: World) -> Iterator[tuple[str, Part]]:
    for part in parts(world):
        if isinstance(part, Part):
            yield _name(part), part


def _name(part: Part) -> str:
    if isinstance(part.what, DeployedPlan):
        return f"plan {part.what.plan.name} in {part.what.plan.region}"
    return f"vault {part.what.vault.name} in {part.what.vault.region}"


def _tables(world: World) -> Iterator[ScopedTable]:
    yield from (one for one in tables_in_scope(world) if isinstance(one, ScopedTable))


def _table(subject: ScopedTable, world: World) -> Iterator[tuple[str, str, str]]:
    """(field, what the policy says, what is there)."""
    promised, table = world.policy.pitr_of(subject.scope), subject.table
    pitr = table.pitr if isinstance(table.pitr, PitrStatus) else None
    yield "point-in-time recovery", "on", NOT_KNOWN if pitr is None else "on" if pitr.enabled else "off"
    window = NOT_KNOWN if pitr is None else f"{pitr.window_days or 35} days" if pitr.enabled else "none"
    yield "recovery window", f"{promised.window_days} days", window
    wanted = subject.scope.deletion_protection is not False
    yield "deletion protection", _switch(wanted), _switch(table.deletion_protection)


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _missing(world: World) -> Mapping[str, str]:
    """What of the policy's plans and vaults is not known, rather than absent: its region was not read."""
    found: dict[str, str] = {}
    inventory: Inventory | None = world.inventory
    regions = {} if inventory is None else {one.region: one for one in inventory.regions()}
    for vault in world.policy.vaults:
        region = regions.get(world.policy.region_of(vault))
        if region is None or isinstance(region.vaults, Gap):
            found[f"vault {vault.name} in {world.policy.region_of(vault)}"] = NOT_KNOWN
    for name in world.policy.regions.values():
        region = regions.get(name)
        if region is None or isinstance(region.plans, Gap):
            found |= {f"plan {plan.name} in {name}": NOT_KNOWN for plan in world.policy.plans}
    for scope in world.policy.tables:
        region = regions.get(world.policy.regions[scope.region])
        if scope.name and (region is None or isinstance(region.table_names, Gap)):
            found[f"table {scope.name}"] = NOT_KNOWN
    return found


def with_findings(judged: Judged, table: Iterable[Row]) -> Judged:
    """The run with one DRF-01 finding for each thing that the three speak of, beside the template's own."""
    rows: dict[str, list[Row]] = {}
    for row in table:
        rows.setdefault(row.what, []).append(row)
    made = [_finding(what, of, judged.world.policy) for what, of in rows.items()]
    made = made or [_nothing(judged.world.policy)]
    findings = tuple(sorted((*judged.run.findings, *made), key=lambda finding: finding.key))
    return replace(judged, run=replace(judged.run, findings=findings))


def _finding(what: str, rows: list[Row], policy: Policy) -> Finding:
    statuses = {row.status for row in rows}
    status = next((one for one in (Status.FAIL, Status.UNKNOWN) if one in statuses), Status.PASS)
    odd = [row for row in rows if row.status is not Status.PASS]
    told = "; ".join(
        f"{row.field}: {row.policy} in the policy, {row.template} in the template, {row.account} in the account"
        for row in odd
    )
    return _made(
        status,
        resource=f"drift:{policy.name}/{what}",
        expected="; ".join(f"{row.field} {row.policy}" for row in odd),
        observed="; ".join(f"{row.field} {row.template} | {row.account}" for row in odd),
        message=f"{what}: {told or 'policy, template and account say the same'}",
    )


def _nothing(policy: Policy) -> Finding:
    said = "neither the templates nor the account have anything that the policy names"
    return _made(Status.UNKNOWN, resource=policy.resource(), expected="", observed="nothing", message=said)


def _made(status: Status, *, resource: str, expected: str, observed: str, message: str) -> Finding:
    return Finding(
        control=CONTROL,
        status=status,
        severity=Severity.HIGH,
        resource=resource,
        tier=None,
        expected=expected,
        observed=observed,
        at="policy, template, account",
        message=message,
        notes=(),
        remediation="Deploy the template again, or bring policy and template in line with what was decided.",
        maps_to=("NIST-800-53r5:CP-9",),
    )


def as_text(table: Iterable[Row]) -> str:
    """The table for a terminal; a mark stands before rows that are not equal."""
    mark = {Status.PASS: " ", Status.FAIL: "!", Status.UNKNOWN: "?"}
    lines = [("", "what", "field", "policy", "template", "account")]
    lines += [(mark[row.status], row.what, row.field, row.policy, row.template, row.account) for row in table]
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
                     for line in lines)  # fmt: skip
