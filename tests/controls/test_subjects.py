"""Which tables the policy means: by name, pattern, ARN or tags, and what not knowing them looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import World
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.evaluate import evaluate
from backcheck.finding import Finding, Status, Verdict
from backcheck.policy.model import Discovery, TableScope

OTHER = examples.table(name="orders-2", arn=examples.TABLE_ARN + "-2", tags={"team": "web"})
SEL_03 = next(one for one in CONTROLS if one.id == "SEL-03")


def scoped(scope: TableScope, **primary: Any) -> tuple[ScopedTable | Verdict, ...]:
    policy = replace(examples.policy(), tables=(replace(scope, tiers=("main/daily",)),))
    return tuple(tables_in_scope(examples.world(policy=policy, primary=primary)))


def found(scope: TableScope, **primary: Any) -> list[str]:
    return [one.table.name if isinstance(one, ScopedTable) else one.status for one in scoped(scope, **primary)]


BOTH = {"tables": (examples.table(), OTHER), "table_names": ("orders", "orders-2")}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (TableScope(key="a", name="orders"), ["orders"]),
        (TableScope(key="a", pattern="orders*"), ["orders", "orders-2"]),
        (TableScope(key="a", pattern="ORDERS*"), ["not_applicable"]),
        (TableScope(key="a", arn=examples.TABLE_ARN + "-2"), ["orders-2"]),
        (TableScope(key="a", tags={"team": "web"}), ["orders-2"]),
        (TableScope(key="a", tags={"team": "Web"}), ["not_applicable"]),
        (TableScope(key="a", tags={"team": "web", "env": "prod"}), ["not_applicable"]),
    ],
)
def test_a_scope_means_tables(scope: TableScope, expected: list[str]) -> None:
    assert found(scope, **BOTH) == expected


DENIED = examples.gap("DescribeTable", service="dynamodb", resource="orders")


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (TableScope(key="a", name="orders"), ["unknown"]),
        (TableScope(key="a", name="orders-2"), ["orders-2"]),
        (TableScope(key="a", pattern="orders*"), ["unknown", "orders-2"]),
        (TableScope(key="a", arn=examples.TABLE_ARN), ["unknown"]),
        (TableScope(key="a", tags={"team": "web"}), ["unknown", "orders-2"]),
    ],
)
def test_a_table_that_was_not_described_may_be_meant(scope: TableScope, expected: list[str]) -> None:
    assert found(scope, tables=(DENIED, OTHER), table_names=("orders", "orders-2")) == expected


def test_tags_that_were_not_read_leave_open_what_hangs_on_them() -> None:
    hidden = examples.table(tags=examples.gap("GetResources"))
    assert found(TableScope(key="a", tags={"team": "shop"}), tables=(hidden,)) == ["unknown"]
    assert found(TableScope(key="a", name="orders"), tables=(hidden,)) == ["orders"]


def test_a_list_that_was_denied_leaves_open_whether_there_is_more() -> None:
    denied = examples.gap("ListTables", service="dynamodb")
    assert found(TableScope(key="a", pattern="orders*"), table_names=denied) == ["orders", "unknown"]
    assert found(TableScope(key="a", name="orders"), table_names=denied) == ["orders"]
    assert found(TableScope(key="a", name="orders"), table_names=denied, tables=()) == ["unknown"]


def test_a_region_that_was_not_looked_at() -> None:
    policy = replace(examples.policy(), regions={"primary": "eu-west-1", "dr": "us-west-2"})
    verdicts = list(tables_in_scope(examples.world(policy=policy)))
    assert [one.status for one in verdicts if isinstance(one, Verdict)] == [Status.UNKNOWN]


def discovered(discovery: Discovery, **primary: Any) -> Mapping[str, Finding]:
    policy = replace(examples.policy(), discovery=discovery)
    world: World = examples.world(policy=policy, primary=primary)
    return {finding.resource.rpartition("/")[2]: finding for finding in evaluate(world, [SEL_03])}


def test_discovery_by_prefix_leaves_out_what_is_excluded_and_what_drills_made() -> None:
    drilled = examples.table(name="drill-orders", arn=examples.TABLE_ARN.replace("orders", "drill-orders"))
    many = {"tables": (*BOTH["tables"], drilled), "table_names": ("orders", "orders-2", "drill-orders")}
    findings = discovered(Discovery(name_prefixes=("order", "drill")), **many)
    assert {name: finding.status for name, finding in findings.items()} == {
        "orders": Status.PASS,
        "orders-2": Status.FAIL,
    }
    assert set(discovered(Discovery(name_prefixes=("order",), exclude=("*-2",)), **many)) == {"orders"}


def test_discovery_by_tags() -> None:
    findings = discovered(Discovery(tags={"team": "web"}), **BOTH)
    assert [(name, finding.status) for name, finding in findings.items()] == [("orders-2", Status.FAIL)]
    hidden = examples.table(tags=examples.gap("GetResources"))
    assert discovered(Discovery(tags={"team": "web"}), tables=(hidden,))["orders"].status is Status.UNKNOWN
    undescribed = discovered(Discovery(tags={"team": "web"}), tables=(DENIED,), table_names=("orders",))
    assert undescribed["orders"].status is Status.UNKNOWN


def test_a_table_outside_the_policy_fails_though_it_could_not_be_described() -> None:
    findings = discovered(
        Discovery(name_prefixes=("order",)),
        tables=(examples.table(), replace(DENIED, resource="orders-2")),
        table_names=("orders", "orders-2"),
    )
    assert findings["orders-2"].status is Status.FAIL


def test_a_table_that_could_not_be_described_is_covered_by_its_name() -> None:
    findings = discovered(Discovery(name_prefixes=("order",)), tables=(DENIED,), table_names=("orders",))
    assert findings["orders"].status is Status.PASS


def test_a_young_table_was_not_backed_up_yet() -> None:
    young = examples.table(created=examples.NOW)
    findings = discovered(Discovery(name_prefixes=("order",)), tables=(young,), protected=())
    assert findings["orders"].status is Status.PASS
    assert "no backup was due yet" in findings["orders"].message


def test_no_discovery_is_not_applicable() -> None:
    findings = discovered(Discovery())
    assert [finding.status for finding in findings.values()] == [Status.NOT_APPLICABLE]
