"""The drill history, by what the policy wants to be restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from backcheck.controls.control import World, not_applicable, unknown, unread, verdict
from backcheck.controls.subjects import covers
from backcheck.drill.record import DrillRecord
from backcheck.finding import Status, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Table
from backcheck.policy.model import Drill, Method, TableScope

AT = "drill history"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrilledScope:
    """Tables that the policy wants drilled, with the records of each method, oldest first."""

    drill: Drill
    scope: TableScope
    name: str
    resource: str
    records: tuple[DrillRecord, ...]
    left_out: int
    """Simulated drills, which are no evidence for a live account."""
    future: tuple[DrillRecord, ...]
    """Those that ended after `as_of`, oldest first: no evidence either."""
    as_of: datetime
    tier: None = None

    def of(self, method: Method) -> tuple[DrillRecord, ...]:
        """The records of one method."""
        return tuple(record for record in self.records if record.method == method)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the history says of one method."""

    status: Status
    text: str
    notes: tuple[str, ...] = ()


Judge = Callable[[Method, DrillRecord], Answer]


def drilled_scopes(world: World) -> Iterator[DrilledScope | Verdict]:
    """The scopes that the policy's drill section names; nothing where it has none."""
    drill = world.policy.drill
    for key in drill.tables if drill else ():
        scope = next((one for one in world.policy.tables if one.key == key), None)
        resource = world.policy.resource(f"/tables/{key}")
        if drill is None or scope is None:
            yield not_applicable(f"the policy has no tables {key}: see POL-08", resource=resource)
        elif isinstance(world.drills, Gap):
            yield unread(world.drills, resource=resource)
        else:
            tables = [one for one in _tables(scope, world) if not one.name.startswith(drill.name_prefix)]
            # Each table for itself: a drill of one says nothing of the others.
            for group in [[one] for one in tables] or [[]]:
                yield _scope(drill, scope, world.drills, world, group, alone=len(tables) <= 1)


def by_latest(subject: DrilledScope, judge: Judge, *, expected: str) -> Verdict:
    """Judge the latest record of each method; a method without one leaves the claim unknown."""
    answers = []
    for method in subject.drill.methods:
        records = subject.of(method)
        if records and records[-1].unsound:
            answers.append(not_to_tell(method, records[-1]))
        else:
            answers.append(judge(method, records[-1]) if records else nothing_yet(method, subject))
    return summed_up(subject, answers, expected=expected)


def not_to_tell(method: Method, record: DrillRecord) -> Answer:
    """The latest drill's line contradicts itself: it may have failed, so what passed before it shows nothing."""
    return Answer(status=Status.UNKNOWN, text=f"{method}: {record.detail}")


def nothing_yet(method: Method, subject: DrilledScope) -> Answer:
    """No drill of a method: not known whether it works."""
    simulated = f" ({subject.left_out} simulated ones are no evidence here)" if subject.left_out else ""
    later = [record for record in subject.future if record.method == method]
    future = ""
    if later:
        ended, judged = _to_the_second(later[-1].finished), _to_the_second(subject.as_of)
        future = f" (a drill of the future: ended at {ended}, judged as of {judged})"
    return Answer(status=Status.UNKNOWN, text=f"{method}: no drill yet{simulated}{future}")


def _to_the_second(moment: datetime) -> str:
    """A snapshot may have been taken seconds before the drill's end."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def summed_up(subject: DrilledScope, answers: list[Answer], *, expected: str, notes: tuple[str, ...] = ()) -> Verdict:
    """One verdict: a FAIL outweighs what is not known, and that a PASS."""
    text = "; ".join(answer.text for answer in answers)
    message = f"{subject.name}: {text}"
    statuses = {answer.status for answer in answers}
    failed = Status.FAIL in statuses
    if not failed and (not answers or Status.UNKNOWN in statuses):
        return unknown(message, at=AT)
    told = (*notes, *(note for answer in answers for note in answer.notes))
    return verdict(not failed, expected=expected, observed=text, at=AT, message=message, notes=told)


def passed(holds: bool, text: str, notes: tuple[str, ...] = ()) -> Answer:
    """PASS or FAIL."""
    return Answer(status=Status.PASS if holds else Status.FAIL, text=text, notes=notes)


def _scope(
    drill: Drill,
    scope: TableScope,
    drills: tuple[DrillRecord, ...],
    world: World,
    tables: list[Table],
    *,
    alone: bool,
) -> DrilledScope:
    account = world.policy.account(scope.account)
    audited = world.inventory.account(account.id) if world.inventory and account else None
    live = audited is not None and not audited.simulated
    arns = {table.arn for table in tables}
    mine = [record for record in drills if record.table_arn in arns or (alone and _is_named(scope, record))]
    counted = sorted((one for one in mine if not (live and one.simulated)), key=lambda record: record.started)
    return DrilledScope(
        drill=drill,
        scope=scope,
        name=tables[0].name if len(tables) == 1 else scope.key,
        resource=tables[0].arn if len(tables) == 1 else world.policy.resource(f"/tables/{scope.key}"),
        # When a drill was whose line contradicts itself is not known either.
        records=tuple(record for record in counted if record.finished <= world.now or record.unsound),
        left_out=len(mine) - len(counted),
        future=tuple(record for record in counted if record.finished > world.now and not record.unsound),
        as_of=world.now,
    )


def _tables(scope: TableScope, world: World) -> list[Table]:
    account = world.policy.account(scope.account)
    region = world.index.regions.get((account.id, world.policy.regions[scope.region])) if account else None
    tables = () if region is None else region.tables
    return [table for table in tables if isinstance(table, Table) and covers(scope, table)]


def _is_named(scope: TableScope, record: DrillRecord) -> bool:
    """The history knows tables by ARN, even where the account's could not be read."""
    return scope.arn == record.table_arn if scope.arn else scope.name == record.table_arn.rpartition("/")[2]
