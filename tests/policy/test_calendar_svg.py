"""The picture: well-formed whatever names are in the policy, no scripts, red where the gaps are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from tests.policy.calendar_builders import as_the_lab_has_it, moment

from backcheck.policy.calendar_svg import svg
from backcheck.policy.load import load
from backcheck.policy.model import Copy, Policy
from backcheck.policy.timeline import timelines

TECHMODA = Path(__file__).parents[2] / "policies" / "techmoda.yaml"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(TECHMODA)


def drawn(policy: Policy, days: int = 60) -> Element:
    return fromstring(svg(timelines(policy, moment("2026-11-22"), days)))


def shapes(root: Element, kind: str) -> list[Element]:
    return [element for element in root.iter(f"{SVG}rect") if element.get("class") == kind]


def words(root: Element) -> str:
    return "\n".join(element.text or "" for element in root.iter(f"{SVG}text"))


LEGEND = 1
"""Each kind of mark is in the legend once."""


def test_techmoda_has_no_red(policy: Policy) -> None:
    root = drawn(policy)
    assert shapes(root, "gap") == []
    assert len(shapes(root, "gapline")) == LEGEND
    assert "backups: worst case 33 h, objective 33 h" in words(root)
    assert "DR copies: worst case 33 h, objective 36 h" in words(root)


def test_the_lab_s_gaps_are_red_and_say_why(policy: Policy) -> None:
    root = drawn(as_the_lab_has_it(policy), days=10)
    gaps = shapes(root, "gap")
    assert [gap.findtext(f"{SVG}title") for gap in gaps] == [
        "51 h can be lost, 36 h allowed: from 2026-11-21 01:00 to 2026-11-23 01:00 UTC",
        "51 h can be lost, 36 h allowed: from 2026-11-28 01:00 to 2026-11-30 01:00 UTC",
        "51 h can be lost, 36 h allowed: from 2026-11-30 01:00 to 2026-12-02 01:00 UTC",
    ]
    assert "DR copies: worst case 75 h, objective 36 h" in words(root)


def test_a_bar_turns_cold(policy: Policy) -> None:
    root = drawn(as_the_lab_has_it(policy))
    titles = [bar.findtext(f"{SVG}title") for bar in shapes(root, "cold")]
    assert "weekly: made 2026-11-15 00:00 UTC, cold 2026-12-15, deleted 2027-02-13" in titles
    assert "kept 90 days, cold after 30" in words(root)


def test_what_is_replaced_is_hollow(policy: Policy) -> None:
    marks = [mark.findtext(f"{SVG}title") for mark in shapes(drawn(policy, days=10), "replaced")]
    assert "daily 2026-11-29 01:00 UTC, replaced by weekly" in marks
    assert "daily 2026-12-01 01:00 UTC, replaced by monthly" in marks


def test_nothing_lies_outside_the_page(policy: Policy) -> None:
    root = drawn(as_the_lab_has_it(policy), days=400)
    width, height = (float(root.get(side, "0")) for side in ("width", "height"))
    for box in root.iter(f"{SVG}rect"):
        if box.get("class") != "page":
            x, y, across, down = (float(box.get(name, "nan")) for name in ("x", "y", "width", "height"))
            assert 0 <= x <= x + across <= width
            assert 0 <= y <= y + down <= height


def test_names_are_escaped_and_nothing_runs(policy: Policy) -> None:
    plan = policy.plans[0]
    nasty = replace(plan.tiers[0], name="<script>alert(1)</script>", copies=(Copy(vault='"&\x01', retention_days=7),))
    tables = (replace(policy.tables[0], key="<b>t</b>", tiers=(nasty.id,)),)
    text = svg(
        timelines(replace(policy, plans=(replace(plan, tiers=(nasty,)),), tables=tables), moment("2026-11-22"), 9)
    )
    root = fromstring(text)
    assert "<script" not in text
    assert "<script>alert(1)</script>" in words(root)
    assert '"&\N{REPLACEMENT CHARACTER}' in words(root)
    assert "Tables: <b>t</b>" in words(root)
    assert {element.tag for element in root.iter()} == {
        f"{SVG}{tag}" for tag in ("svg", "title", "style", "rect", "text", "line")
    }
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]


def test_many_points_become_an_area(policy: Policy) -> None:
    plan = policy.plans[0]
    hourly = replace(plan.tiers[0], name="hourly", schedule="cron(0 * * * ? *)", retention_days=7, copies=())
    tables = (replace(policy.tables[0], tiers=(hourly.id,)),)
    root = drawn(replace(policy, plans=(replace(plan, tiers=(hourly,)),), tables=tables), days=10)
    assert "up to 168" in words(root)
    assert not [bar for bar in shapes(root, "warm") if bar.find(f"{SVG}title") is not None]


def test_what_is_not_documented_is_noted_and_drawn_hollow(policy: Policy) -> None:
    plan = policy.plans[0]
    twin = replace(plan.tiers[0], name="twin")
    tables = tuple(replace(policy.tables[0], key=f"t{n}", tiers=(plan.tiers[0].id, twin.id)) for n in range(8))
    root = drawn(replace(policy, plans=(replace(plan, tiers=(plan.tiers[0], twin)),), tables=tables), days=3)
    assert "Tables: t0, t1, t2, t3, t4, t5 and 2 more" in words(root)
    assert "overlap with equal retention 400 times: AWS does not document which one is taken" in words(root)
    assert len(shapes(root, "unsure")) == LEGEND + 2 * 2 * 3


@pytest.mark.parametrize(("days", "label"), [(9, "Tue 24 Nov"), (60, "Mon 30 Nov"), (400, "Mar 2027")])
def test_the_axis_suits_the_period(policy: Policy, days: int, label: str) -> None:
    assert label in words(drawn(policy, days)).splitlines()


def test_equal_calendars_give_equal_bytes(policy: Policy) -> None:
    shown = timelines(policy, moment("2026-11-22"), 30)
    assert svg(shown) == svg(timelines(load(TECHMODA), moment("2026-11-22"), 30))


def test_no_timeline_no_picture() -> None:
    with pytest.raises(ValueError, match="no timeline"):
        svg(())
