"""Tiers for calendar tests: by hand, the lab's, TechModa's, and drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from backcheck.policy.model import Copy, Policy, Tier

DR = "techmoda-vault-dr"


def moment(text: str) -> datetime:
    """A UTC moment from `2026-01-31` or `2026-01-31T05:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def tier(
    name: str = "daily",
    schedule: str = "cron(0 1 * * ? *)",
    *,
    start: int = 60,
    completion: int = 120,
    kept: int | None = 30,
    cold: int | None = None,
    copies: Mapping[str, int | None] | None = None,
    plan: str = "main",
    zone: str = "UTC",
) -> Tier:
    """A tier; `copies` is vault to retention in days."""
    return Tier(
        plan=plan,
        name=name,
        rule=name.title(),
        schedule=schedule,
        timezone=zone,
        start_window_minutes=start,
        completion_window_minutes=completion,
        vault="techmoda-vault",
        retention_days=kept,
        cold_storage_after_days=cold,
        copies=tuple(Copy(vault=vault, retention_days=days) for vault, days in (copies or {}).items()),
    )


def lab() -> tuple[Tier, ...]:
    """The rules as the lab writes them: only the daily one copies."""
    return (
        tier("daily", "cron(0 1 * * ? *)", copies={DR: 30}),
        tier("weekly", "cron(0 0 ? * SUN *)", start=120, completion=240, kept=90, cold=30),
        tier("monthly", "cron(0 0 1 * ? *)", start=180, completion=360, kept=365, cold=90),
    )


def techmoda() -> tuple[Tier, ...]:
    """The rules as TechModa's policy has them: each one copies."""
    return (
        tier("daily", "cron(0 1 * * ? *)", copies={DR: 30}),
        tier("weekly", "cron(0 0 ? * SUN *)", start=120, completion=240, kept=90, copies={DR: 90}),
        tier("monthly", "cron(0 0 1 * ? *)", start=180, completion=360, kept=365, cold=90, copies={DR: 365}),
    )


hours = st.integers(0, 23)
schedules = st.one_of(
    hours.map(lambda h: f"cron(0 {h} * * ? *)"),
    hours.map(lambda h: f"cron(0 {h}/6 * * ? *)"),
    st.tuples(hours, st.integers(1, 7)).map(lambda p: f"cron(0 {p[0]} ? * {p[1]} *)"),
    st.tuples(hours, st.integers(1, 31)).map(lambda p: f"cron(0 {p[0]} {p[1]} * ? *)"),
    st.just("cron(0 * * * ? *)"),
)
crowded = st.one_of(
    st.integers(0, 2).map(lambda h: f"cron(0 {h} * * ? *)"),
    st.tuples(st.integers(0, 2), st.integers(1, 7)).map(lambda p: f"cron(0 {p[0]} ? * {p[1]} *)"),
)
"""Schedules that meet in the first hours of the day."""
retentions = st.sampled_from([1, 3, 7, 7, 30, 90, None])
"""Few, so that equal ones meet."""
whole_hours = st.sampled_from([60, 60, 120, 180, 480, 600])
vaults = st.sampled_from(["dr", "far"])


@st.composite
def tiers(
    draw: st.DrawFn,
    least: int = 1,
    most: int = 4,
    plans: tuple[str, ...] = ("a",),
    when: st.SearchStrategy[str] = schedules,
) -> tuple[Tier, ...]:
    """Some tiers whose windows are whole hours, so that a look at each hour sees everything."""
    return tuple(
        tier(
            f"t{number}",
            draw(when),
            start=draw(whole_hours),
            completion=draw(whole_hours),
            kept=draw(retentions),
            cold=draw(st.sampled_from([None, None, 1, 5])),
            copies=draw(st.dictionaries(vaults, retentions, max_size=2)),
            plan=draw(st.sampled_from(plans)),
            zone=draw(st.sampled_from(["UTC", "UTC", "Europe/Berlin", "America/New_York"])),
        )
        for number in range(draw(st.integers(least, most)))
    )


periods = st.sampled_from([moment(day) for day in ("2026-01-26", "2026-03-20", "2026-10-20", "2028-02-20")])
"""Starts near a month's end, both shifts of daylight saving and a leap day."""


def as_the_lab_has_it(policy: Policy) -> Policy:
    """TechModa's policy with the copies that it adds to the lab's document taken away, and in force for long."""
    plan = policy.plans[0]
    daily, weekly, monthly = plan.tiers
    rules = (daily, replace(weekly, copies=(), cold_storage_after_days=30), replace(monthly, copies=()))
    return replace(policy, plans=(replace(plan, tiers=rules),), effective_from=None)
