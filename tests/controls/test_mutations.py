"""What is not known is never green, and nothing that is read goes unjudged without saying why.

The example worlds are changed generically, field by field, as the inventory's types allow.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import AnyControl, Reads, World
from backcheck.evaluate import evaluate
from backcheck.finding import Finding, Status
from backcheck.inventory.backup import Notifications, RestoreJob
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory
from backcheck.selection import Condition, Operator

NOT_JUDGED = Path(__file__).parents[2] / "docs" / "not-judged.md"
ACCOUNT = tuple(one for one in CONTROLS if Reads.ACCOUNT in one.reads and one.id != "RPO-01")
"""RPO-01 reckons two years ahead and reads what PLN-03 and PLN-06 read: it is left out for its time."""

DENIED = examples.gap("Denied", detail="mutated")


@dataclass(frozen=True)
class Site:
    """A place in an inventory: where it is, what stands there, and the type that holds it."""

    path: tuple[str | int, ...]
    value: object
    owner: str
    """`Type.field`."""
    hint: object

    def __str__(self) -> str:
        return ".".join(map(str, self.path))


@cache
def listed_fields() -> dict[str, str]:
    """Field to reason, of the page."""
    rows = [line.split("|") for line in NOT_JUDGED.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {row[1].strip().strip("`"): row[2].strip() for row in rows}


def sites(node: object, path: tuple[str | int, ...] = (), owner: str = "", hint: object = None) -> Iterator[Site]:
    """Every field of every dataclass, and every element of every tuple of dataclasses; nothing below what is listed."""
    if is_dataclass(node) and not isinstance(node, type | Gap):
        hints = get_type_hints(type(node))
        for field in fields(node):
            value = getattr(node, field.name)
            where = (*path, field.name)
            yield Site(where, value, f"{type(node).__name__}.{field.name}", hints[field.name])
            if f"{type(node).__name__}.{field.name}" not in listed_fields():
                yield from sites(value, where, f"{type(node).__name__}.{field.name}", hints[field.name])
    elif isinstance(node, tuple) and node and is_dataclass(node[0]):
        element = next((get_args(arm)[0] for arm in arms(hint) if get_origin(arm) is tuple), None)
        for index, one in _few(node):
            yield Site((*path, index), one, f"{owner}[]", element)
            yield from sites(one, (*path, index), f"{owner}[]", element)


def _few(many: tuple[object, ...]) -> list[tuple[int, object]]:
    """The first and the last two: a year of points is more of the same."""
    numbered = list(enumerate(many))
    return numbered if len(many) <= 20 else [*numbered[:2], *numbered[-2:]]


def arms(hint: object) -> tuple[object, ...]:
    """The alternatives of a union."""
    return get_args(hint) if get_origin(hint) in (types.UnionType, typing.Union) else (hint,)


def put(node: Any, path: tuple[str | int, ...], value: object) -> Any:
    """The same with another value at a path."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        return (*node[:head], put(node[head], rest, value), *node[head + 1 :])
    return replace(node, **{head: put(getattr(node, head), rest, value)})


def with_inventory(world: World, inventory: Inventory) -> World:
    return replace(world, inventory=inventory)


def may_be_gap(site: Site) -> bool:
    return Gap in arms(site.hint)


def gap_for(site: Site) -> Gap:
    """A list's element is a Gap that names what it stands for."""
    name = getattr(site.value, "arn", "") or getattr(site.value, "resource", "")
    return replace(DENIED, resource=name) if site.owner.endswith("[]") else DENIED


def inventory_of(world: World) -> Inventory:
    assert world.inventory is not None
    return world.inventory


RESTORE = RestoreJob(
    id="restore-1",
    state="COMPLETED",
    recovery_point_arn=examples.point().arn,
    source_resource_arn=examples.TABLE_ARN,
    created_resource_arn=None,
    created=examples.NOW - timedelta(days=20),
    completed=examples.NOW - timedelta(days=20),
    testing_plan_arn=None,
    validation_status=None,
    status_message=None,
)
RICH = examples.world(
    primary={
        "changes": (examples.change(),),
        "restore_testing": (examples.restore_testing(),),
        "restore_jobs": (RESTORE,),
        "vaults": (
            examples.vault(
                notifications=Notifications(topic_arn=examples.topic().arn, events=("COPY_JOB_FAILED",)),
                recovery_points=examples.points(),
            ),
        ),
    }
)
GAP_SITES = tuple(site for site in sites(inventory_of(RICH)) if may_be_gap(site))


def test_there_are_gaps_to_try() -> None:
    assert len(GAP_SITES) > 60


@pytest.mark.parametrize("site", GAP_SITES, ids=str)
def test_a_gap_in_the_compliant_account_never_crashes_and_never_fails(site: Site) -> None:
    world = with_inventory(RICH, put(inventory_of(RICH), site.path, gap_for(site)))
    for finding in evaluate(world, ACCOUNT):
        assert "the control itself failed" not in finding.message, finding.message
        assert finding.status is not Status.FAIL, f"{finding.control}: {finding.message}"


def _failing() -> list[tuple[AnyControl, Callable[[], World]]]:
    return [(one, build) for one in ACCOUNT for build in one.fails.values()]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_not_knowing_is_never_green(data: st.DataObject) -> None:
    """A FAIL that is no longer seen becomes UNKNOWN; where it is still seen it stays a FAIL."""
    one, build = data.draw(st.sampled_from(_failing()))
    world = build()
    inventory = inventory_of(world)
    open_sites = [site for site in sites(inventory) if may_be_gap(site)]
    chosen = data.draw(st.lists(st.sampled_from(open_sites), min_size=1, max_size=2, unique_by=str))
    for site in sorted(chosen, key=lambda site: len(site.path), reverse=True):
        inventory = put(inventory, site.path, gap_for(site))
    statuses = {finding.status for finding in evaluate(with_inventory(world, inventory), [one])}
    assert statuses & {Status.FAIL, Status.UNKNOWN}, f"{one.id} went from FAIL to {statuses} by {[*map(str, chosen)]}"


def other_values(site: Site) -> Iterator[object]:
    """Values of the same type that could matter."""
    value = site.value
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, StrEnum):
        yield from (one for one in type(value) if one is not value)
    elif isinstance(value, int | float):
        yield from (0, value + 1, value * 10 + 7)
    elif isinstance(value, datetime):
        yield from (value + timedelta(days=90), value - timedelta(days=90), value + timedelta(days=2))
    elif isinstance(value, str):
        yield from ("something-else", "FAILED", "allowed", "arn:aws:x:us-east-1:999988887777:y:z")
    elif isinstance(value, tuple):
        yield ()
        yield from _other_tuples(value)
    elif isinstance(value, Mapping):
        yield {}
    elif value is None:
        yield from _instead_of_none(site)
    if value is not None and type(None) in arms(site.hint):
        yield None


def _other_tuples(value: tuple[object, ...]) -> Iterator[object]:
    if not value or isinstance(value[0], str):
        yield from (("something-else",), (examples.TABLE_ARN,), ("*",))
    if not value or isinstance(value[0], tuple):
        yield (("AWS", "arn:aws:iam::999988887777:root"),)


def _instead_of_none(site: Site) -> Iterator[object]:
    for arm in arms(site.hint):
        if arm is str:
            yield from ("something-else", "FAILED", "Delete", examples.KEY_ARN)
        elif arm is datetime:
            yield from (examples.NOW + timedelta(days=2), examples.NOW - timedelta(days=300))
        elif arm is int:
            yield from (0, 1, 7)


def _worlds() -> Iterator[World]:
    """The compliant account, as it is and as a template, and accounts in which what else is read makes a difference."""
    yield RICH
    yield examples.world(account={"kind": "template"})
    for one, name in (
        ("ALR-01", "by the vault's notifications"),
        ("SEL-01", "by its tag"),
        ("PIT-05", "with the key that the policy asks for"),
        ("PIT-05", "with AWS's own key, as the policy says"),
        ("DR-02", "the source's, which is the same"),
        ("RP-07", "the table is empty and always was"),
        ("RST-01", "by AWS's own schedule"),
        ("JOB-02", "running within its window"),
        ("RP-01", "made on demand since"),
    ):
        yield next(control for control in CONTROLS if control.id == one).passes[name]()
    for one, name in (
        ("JOB-01", "failed"),
        ("DR-04", "failed last night"),
        ("IAM-01", "it may use keys of another alias"),
        ("RP-03", "made under an older plan"),
    ):
        yield next(control for control in CONTROLS if control.id == one).fails[name]()
    condition = Condition(operator=Operator.STRING_EQUALS, key="aws:ResourceTag/backup", value="yes")
    yield examples.world(
        primary={
            "tables": (examples.table(tags={"backup": "yes"}),),
            "plans": (examples.plan(selections=(examples.selection(conditions=(condition,)),)),),
        }
    )
    able = tuple(one for one in examples.simulations("backup:DeleteRecoveryPoint") if one.decision == "allowed")
    yield examples.world(account={"simulations": able})
    yield examples.world(drills=examples.drills("pitr", simulated=True))
    yield examples.world(primary={"restore_jobs": (replace(RESTORE, state="FAILED"),)})
    yield examples.world(primary={"backup_jobs": (examples.backup_job(state="RUNNING", start_by=None, rule_id=None),)})
    yield examples.world(
        primary={
            "topics": (examples.topic(key_id=examples.KEY_ARN),),
            "keys": (
                examples.key(
                    policy=examples.document(
                        examples.allow(
                            "kms:*",
                            principals=(("Service", "events.amazonaws.com"), ("Service", "cloudwatch.amazonaws.com")),
                        )
                    )
                ),
            ),
        }
    )
    yield examples.world(
        primary={
            "vaults": (
                examples.vault(
                    recovery_points=tuple(
                        replace(point, rule_id=None, rule_name=str(point.rule_id).removeprefix("rule-").title())
                        for point in examples.points()
                    ),
                    policy=examples.document(
                        examples.deny_deletion(),
                        examples.allow("backup:StartBackupJob", principals=(("AWS", examples.ACCOUNT),)),
                    ),
                ),
            )
        }
    )


def _seen(world: World) -> frozenset[Finding]:
    return frozenset(evaluate(world, ACCOUNT))


def _tried(world: World) -> Iterator[tuple[Site, list[object]]]:
    """Fields with values of their own, each with what it is changed to; a dataclass is judged by its fields."""
    for site in sites(inventory_of(world)):
        values = list(other_values(site))
        if values and not site.owner.endswith("[]") and not is_dataclass(site.value):
            yield site, values


def fields_without_effect(listed: set[str]) -> set[str]:
    """Fields of which no change, in any place and world that is tried, changes a finding.

    Those that are listed are tried in the compliant account only, to see that the list is not longer than it need be.
    """
    judged: set[str] = set()
    names: set[str] = set()
    for number, world in enumerate(_worlds()):
        before = _seen(world)
        for site, values in _tried(world):
            names.add(site.owner)
            skipped = site.owner in judged or (number > 0 and site.owner in listed)
            if not skipped and any(_matters(world, before, site, value) for value in values):
                judged.add(site.owner)
    return names - judged


def _matters(world: World, before: frozenset[Finding], site: Site, value: object) -> bool:
    return _seen(with_inventory(world, put(inventory_of(world), site.path, value))) != before


def types_in(hint: object) -> Iterator[type]:
    """Every type that a hint names, inside unions and containers too."""
    if isinstance(hint, type) and get_origin(hint) is None:
        yield hint
    for one in get_args(hint):
        yield from types_in(one)


def fields_below(kind: type, seen: set[type]) -> Iterator[str]:
    """`Type.field` of a dataclass and of every one in it, but for Gaps and what is below a field that is not judged."""
    if kind in seen or kind is Gap:
        return
    seen.add(kind)
    for name, hint in get_type_hints(kind).items():
        inner = [one for one in types_in(hint) if is_dataclass(one)]
        if not all(is_dataclass(arm) or arm is type(None) for arm in arms(hint)):
            yield f"{kind.__name__}.{name}"
        if f"{kind.__name__}.{name}" not in listed_fields():
            for one in inner:
                yield from fields_below(one, seen)


def test_no_field_of_the_inventory_is_left_untried() -> None:
    """By the types themselves: a field that no example holds would pass for judged."""
    tried = {site.owner for world in _worlds() for site, _ in _tried(world)}
    assert set(fields_below(Inventory, set())) == tried


def test_every_field_is_judged_or_listed_with_the_reason() -> None:
    listed = listed_fields()
    assert fields_without_effect(set(listed)) == set(listed)
    assert all(len(reason) > 20 for reason in listed.values())
