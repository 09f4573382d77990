"""What the calendar shows of a policy: sites, lanes, gaps against the objective, and tables by their tiers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.policy.calendar_builders import DR, as_the_lab_has_it, moment

from backcheck.policy.calendar import StorageClass
from backcheck.policy.load import load
from backcheck.policy.model import Copy, Policy, RpoObjectives
from backcheck.policy.timeline import Timeline, timelines

TECHMODA = Path(__file__).parents[2] / "policies" / "techmoda.yaml"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(TECHMODA)


def shown(policy: Policy, start: str = "2026-11-22", days: int = 60) -> Timeline:
    (timeline,) = timelines(policy, moment(start), days)
    return timeline


def test_techmoda_has_two_sites_and_no_gaps(policy: Policy) -> None:
    primary, dr = shown(policy).sites
    assert (primary.title, primary.is_dr, primary.objective_hours, primary.holds) == (
        "primary (us-east-1)",
        False,
        33,
        True,
    )
    assert (dr.title, dr.is_dr, dr.objective_hours, dr.holds) == (f"{DR} (us-west-2)", True, 36, True)
    assert [lane.tier.name for lane in dr.lanes] == ["daily", "weekly", "monthly"]
    assert primary.gaps == dr.gaps == ()


def test_the_lab_s_gaps_are_its_sundays_and_firsts(policy: Policy) -> None:
    primary, dr = shown(as_the_lab_has_it(policy), days=10).sites
    assert primary.gaps == ()
    assert [lane.tier.name for lane in dr.lanes] == ["daily"]
    assert [(gap.earlier.day, gap.later.day) for gap in dr.gaps] == [
        (date(2026, 11, 21), date(2026, 11, 23)),
        (date(2026, 11, 28), date(2026, 11, 30)),
        (date(2026, 11, 30), date(2026, 12, 2)),
    ]
    assert dr.holds is False


def test_without_an_objective_the_rhythm_and_the_windows_are_the_measure(policy: Policy) -> None:
    silent = replace(policy, objectives=replace(policy.objectives, rpo=RpoObjectives()))
    primary, dr = shown(silent).sites
    assert (primary.objective_hours, primary.holds) == (None, None)
    # 24 h, and 9 h of windows: no pair of TechModa's is longer.
    assert primary.gaps == dr.gaps == ()
    assert len(shown(as_the_lab_has_it(silent), days=10).sites[1].gaps) == 3


def test_the_policy_s_date_is_when_it_began(policy: Policy) -> None:
    timeline = shown(policy)
    assert timeline.since == moment("2026-11-01")
    daily = timeline.sites[0].lanes[0]
    # 21 days, of which 4 are Sundays or the 1st.
    assert daily.stock(timeline.start)[StorageClass.WARM] == 18
    old = replace(policy, effective_from=date(2020, 1, 1))
    assert shown(old).since == moment("2025-11-22")
    assert shown(replace(policy, effective_from=None)).since == moment("2025-11-22")
    assert shown(replace(policy, effective_from=date(2027, 1, 1))).since == moment("2025-11-22")


def test_tables_with_the_same_tiers_share_a_timeline(policy: Policy) -> None:
    (products,) = policy.tables
    orders = replace(products, key="orders")
    carts = replace(products, key="carts", tiers=products.tiers[:1])
    bare = replace(products, key="bare", tiers=())
    found = timelines(replace(policy, tables=(products, carts, bare, orders)), moment("2026-11-22"), 10)
    assert [timeline.tables for timeline in found] == [("products", "orders"), ("carts",)]
    assert [len(timeline.calendar.tiers) for timeline in found] == [3, 1]


def test_a_copy_in_the_same_region_is_no_dr(policy: Policy) -> None:
    plan = policy.plans[0]
    near = replace(plan.tiers[0], copies=(Copy(vault="techmoda-vault", retention_days=30),))
    site = shown(replace(policy, plans=(replace(plan, tiers=(near,)),))).sites[1]
    assert (site.title, site.is_dr, site.objective_hours) == ("techmoda-vault (us-east-1)", False, None)


def test_a_vault_that_the_policy_does_not_know_keeps_its_key(policy: Policy) -> None:
    plan = policy.plans[0]
    lost = replace(plan.tiers[0], copies=(Copy(vault="nowhere", retention_days=30),))
    site = shown(replace(policy, plans=(replace(plan, tiers=(lost,)),))).sites[1]
    assert (site.title, site.is_dr) == ("nowhere", False)


def test_lanes_hold_what_is_left_from_before_the_period(policy: Policy) -> None:
    weekly = shown(policy, days=10).sites[0].lanes[1]
    assert [point.created for point in weekly.points] == [
        moment(day) for day in ("2026-11-08", "2026-11-15", "2026-11-22", "2026-11-29")
    ]
