"""Overlaps that cost copies: the lab's dates, and that giving the winner the loser's copies ends them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import Phase, find, given, settings, target
from tests.policy.calendar_builders import DR, crowded, lab, moment, periods, techmoda, tier, tiers

from backcheck.policy.calendar import calendar_of
from backcheck.policy.firing import kept
from backcheck.policy.model import Copy, Tier
from backcheck.policy.overlap import Violation, missing_copies, violations

DAY = timedelta(days=1)


def in_year(rules: tuple[Tier, ...], number: int) -> tuple[Violation, ...]:
    return violations(calendar_of(rules, moment(f"{number}-01-01"), moment(f"{number + 1}-01-01")))


@pytest.mark.parametrize(("number", "weekly", "monthly"), [(2026, 49, 12), (2027, 51, 12)])
def test_the_lab_s_rules(number: int, weekly: int, monthly: int) -> None:
    first, second = in_year(lab(), number)
    assert (first.winner.name, first.loser.name, len(first.dates)) == ("weekly", "daily", weekly)
    assert (second.winner.name, second.loser.name, len(second.dates)) == ("monthly", "daily", monthly)
    assert first.missing == second.missing == (Copy(vault=DR, retention_days=30),)
    assert all(day.weekday() == 6 for day in first.dates)
    assert all(day.day == 1 for day in second.dates)
    assert first.certain
    # Weekly is itself replaced on a Sunday the 1st: whoever gives it the copy must give it to monthly too.
    assert [rule.name for rule in first.also] == ["monthly"]
    assert second.also == ()


def test_techmoda_s_rules_have_none() -> None:
    assert in_year(techmoda(), 2026) == ()


def test_dates_are_those_of_the_loser_s_zone() -> None:
    tokyo = tier("daily", "cron(0 1 * * ? *)", zone="Asia/Tokyo", copies={DR: 30})
    rules = (tokyo, tier("long", "cron(0 15 31 5 ? *)", start=120, kept=90))
    calendar = calendar_of(rules, moment("2026-05-30"), moment("2026-06-03"))
    assert [found.dates for found in violations(calendar)] == [(date(2026, 6, 1),)]


@pytest.mark.parametrize(
    ("winner", "loser", "missing"),
    [
        ({}, {"dr": 30}, ["dr"]),
        ({"far": 90}, {"dr": 30}, ["dr"]),
        ({"dr": 29}, {"dr": 30}, ["dr"]),
        ({"dr": 30}, {"dr": 30}, []),
        ({"dr": None}, {"dr": 30}, []),
        ({"dr": 36_500}, {"dr": None}, ["dr"]),
        ({"dr": 90}, {}, []),
        ({"dr": 90}, {"dr": 30, "far": 30}, ["far"]),
    ],
)
def test_missing_copies(winner: dict[str, int | None], loser: dict[str, int | None], missing: list[str]) -> None:
    found = missing_copies(tier("long", copies=winner), tier("short", copies=loser))
    assert [copy.vault for copy in found] == missing


def test_with_equal_retention_each_may_cost_the_other_s_copies() -> None:
    rules = (tier("one", copies={"dr": 30}), tier("two", copies={"far": 30}))
    found = violations(calendar_of(rules, moment("2026-06-01"), moment("2026-06-02")))
    assert [(v.winner.name, v.loser.name, v.certain) for v in found] == [("two", "one", False), ("one", "two", False)]


def test_in_a_chain_the_one_that_is_taken_is_the_winner() -> None:
    rules = (
        tier("a", "cron(0 0 * * ? *)", start=120, kept=7, copies={DR: 7}),
        tier("b", "cron(0 1 * * ? *)", start=120, kept=30, copies={DR: 30}),
        tier("c", "cron(0 2 * * ? *)", start=120, kept=90),
    )
    found = violations(calendar_of(rules, moment("2026-06-01"), moment("2026-06-02")))
    assert [(v.winner.name, v.loser.name, v.certain) for v in found] == [("c", "a", False), ("c", "b", True)]


def with_copies_of(receiver: Tier, giver: Tier) -> Tier:
    """The receiver with all the giver's copies beside its own; of two to one vault the one that is kept longer."""
    by_vault: dict[str, Copy] = {}
    for copy in (*receiver.copies, *giver.copies):
        if copy.vault not in by_vault or kept(copy.retention_days) > kept(by_vault[copy.vault].retention_days):
            by_vault[copy.vault] = copy
    return replace(receiver, copies=tuple(by_vault.values()))


Shape = tuple[str, str, date]


def shapes(found: tuple[Violation, ...]) -> set[Shape]:
    return {(v.winner.id, v.loser.id, day) for v in found for day in v.dates}


@settings(max_examples=100, deadline=None)
@given(rules=tiers(least=2, most=4, plans=("a", "a", "a", "b"), when=crowded), start=periods)
def test_giving_the_winner_the_loser_s_copies_ends_it_and_adds_none(rules: tuple[Tier, ...], start: datetime) -> None:
    before = violations(calendar_of(rules, start, start + 10 * DAY))
    target(len(before))
    for chosen in before:
        receivers = {chosen.winner, *chosen.also}
        mended = tuple(with_copies_of(rule, chosen.loser) if rule in receivers else rule for rule in rules)
        after = violations(calendar_of(mended, start, start + 10 * DAY))
        assert not any((v.winner.id, v.loser.id) == (chosen.winner.id, chosen.loser.id) for v in after)
        assert shapes(after) < shapes(before)


@settings(max_examples=100, deadline=None)
@given(rules=tiers(least=2, most=4, when=crowded), start=periods)
def test_the_winner_alone_suffices_where_nothing_replaces_it(rules: tuple[Tier, ...], start: datetime) -> None:
    before = violations(calendar_of(rules, start, start + 10 * DAY))
    unbeaten = [found for found in before if not found.also]
    target(len(unbeaten))
    for chosen in unbeaten:
        mended = tuple(with_copies_of(rule, chosen.loser) if rule == chosen.winner else rule for rule in rules)
        assert shapes(violations(calendar_of(mended, start, start + 10 * DAY))) < shapes(before)


def test_the_drawn_rules_do_collide() -> None:
    """Without this the two properties above could hold of nothing."""
    drawn, start = tiers(least=2, most=4, when=crowded), moment("2026-01-26")
    first = settings(max_examples=1000, phases=[Phase.generate], deadline=None)

    def in_ten_days(rules: tuple[Tier, ...]) -> tuple[Violation, ...]:
        return violations(calendar_of(rules, start, start + 10 * DAY))

    assert find(drawn, lambda rules: len(in_ten_days(rules)) >= 2, settings=first)
    assert find(drawn, lambda rules: any(found.also for found in in_ten_days(rules)), settings=first)
