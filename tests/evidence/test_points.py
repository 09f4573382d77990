"""The calendar with what is really there: no point that retention took is called missing, no gap is made up."""

from __future__ import annotations

from datetime import timedelta

from backcheck.controls.examples import world
from backcheck.evidence import html, points


def test_a_compliant_account_has_no_missing_mark() -> None:
    one = world()
    created = points.created_in(one)
    (chart,) = points.charts(one, created)
    assert chart.lanes
    kinds = {html._kind(mark) for lane in chart.lanes for mark in lane.marks}
    assert "missing" not in kinds
    assert "there" in kinds


def test_what_is_measured_fits_the_computed_bound_in_a_compliant_account() -> None:
    one = world()
    for rpo in points.objectives(one, points.created_in(one)):
        assert rpo.measured is not None
        assert rpo.computed is not None
        assert timedelta(0) < rpo.measured <= rpo.computed


def test_a_lost_point_is_missing_and_widens_the_gap() -> None:
    one = world()
    created = dict(points.created_in(one))
    key = next(iter(created))
    created[key] = [moment for moment in created[key] if not timedelta(days=2) < one.now - moment < timedelta(days=5)]
    marks = [html._kind(mark) for chart in points.charts(one, created) for lane in chart.lanes for mark in lane.marks]
    assert "missing" in marks
    widest = max(rpo.measured for rpo in points.objectives(one, created) if rpo.measured)
    assert widest > timedelta(days=3)
