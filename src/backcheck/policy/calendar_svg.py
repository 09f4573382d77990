"""The calendar as a picture: a lane for each tier, a bar for each recovery point, warm and cold, and gaps in red.

Built as an element tree, so that whatever a policy calls its tiers and vaults is escaped. No scripts, nothing loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from backcheck.cron import zone_of
from backcheck.policy.calendar import Point
from backcheck.policy.firing import Outcome
from backcheck.policy.rpo import spell
from backcheck.policy.timeline import Gap, Lane, Site, Timeline

WIDTH, LEFT, RIGHT = 1280, 236, 28
PLOT = WIDTH - LEFT - RIGHT
MOST_BARS = 40
"""With more recovery points than this at once a lane shows how many there are, not each of them."""
LANE_HEIGHT = 84
STYLE = """
text { font: 13px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #1f2933 }
.title { font-size: 20px; font-weight: 600 }
.site { font-size: 15px; font-weight: 600 }
.small { font-size: 11.5px; fill: #52606d }
.bad { fill: #b42318; font-weight: 600 }
.page { fill: #ffffff }
.band { fill: #f5f7fa }
.grid { stroke: #7b8794; stroke-width: 1; stroke-opacity: .3 }
.warm { fill: #f0a63a }
.cold { fill: #3f7fc4 }
.taken { fill: #1f2933 }
.replaced { fill: #ffffff; stroke: #9aa5b1; stroke-width: 1 }
.unsure { fill: #ffffff; stroke: #b42318; stroke-width: 1 }
.gap { fill: #d92d20; fill-opacity: .2 }
.gapline { fill: #d92d20 }
"""


def svg(timelines: Sequence[Timeline]) -> str:
    """One picture of some timelines, one below the other; they share a period. Raises ValueError if there are none."""
    if not timelines:
        raise ValueError("no timeline to draw")
    root = Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
    first = timelines[0]
    _child(root, "title", f"Backup calendar of {first.policy}")
    SubElement(root, "style").text = STYLE
    SubElement(root, "rect", {"class": "page"}, width="100%", height="100%")
    _text(root, 24, 36, f"Backup calendar of {first.policy}", "title")
    _text(root, 24, 58, f"{_day(first.start, first.zone)} to {_day(first.end, first.zone)}, {first.zone}", "small")
    _legend(root, 24, 84)
    bottom = 124
    for timeline in timelines:
        bottom = _draw(root, timeline, bottom) + 20
    root.set("viewBox", f"0 0 {WIDTH} {bottom}")
    root.set("width", str(WIDTH))
    root.set("height", str(bottom))
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _draw(root: Element, timeline: Timeline, top: int) -> int:
    """One timeline; returns where it ends."""
    _text(root, 24, top + 18, f"Tables: {timeline.whom}", "site")
    _text(root, 24, top + 36, f"as if in force since {_day(timeline.since, timeline.zone)}", "small")
    top += 46
    bottom = top + 20 + sum(_height(site) for site in timeline.sites)
    axis, top = top + 14, top + 20
    for site in timeline.sites:
        _draw_site(root, timeline, site, top)
        top += _height(site)
    _axis(root, timeline, axis, bottom)
    for note in timeline.notes:
        top += 16
        _text(root, 24, top, f"Note: {note}", "small")
    return top


def _height(site: Site) -> int:
    return 60 + LANE_HEIGHT * len(site.lanes)


def _axis(root: Element, timeline: Timeline, top: int, bottom: int) -> None:
    for moment, label in _ticks(timeline):
        x = _x(timeline, moment)
        _box(root, "line", "grid", x1=x, x2=x, y1=top + 4, y2=bottom)
        if x < WIDTH - RIGHT - 30:
            _text(root, x + 3, top, label, "small")


def _ticks(timeline: Timeline) -> Iterator[tuple[datetime, str]]:
    """Days, Mondays or firsts of months, so that labels do not touch; in the timeline's zone."""
    place = zone_of(timeline.zone)
    day, last = timeline.start.astimezone(place).date(), timeline.end.astimezone(place).date()
    length = (last - day).days
    while day <= last:
        if length <= 16 or (length <= 120 and day.weekday() == 0) or day.day == 1 < length - 119:
            moment = datetime.combine(day, time(), place)
            if timeline.start <= moment <= timeline.end:
                yield moment, f"{day:%b %Y}" if length > 120 else f"{day:%a} {day.day} {day:%b}"
        day += timedelta(days=1)


def _draw_site(root: Element, timeline: Timeline, site: Site, top: int) -> None:
    _text(root, 24, top + 20, site.title, "site")
    kind = "bad" if site.holds is False or site.worst.total is None else "small"
    _text(root, WIDTH - RIGHT, top + 20, _verdict(site), kind).set("text-anchor", "end")
    for number, lane in enumerate(site.lanes):
        _draw_lane(root, timeline, site, lane, top + 52 + number * LANE_HEIGHT)
    for gap in site.gaps:
        _draw_gap(root, timeline, gap, top + 40, _height(site) - 44)


def _verdict(site: Site) -> str:
    kind = "DR copies" if site.is_dr else "copies" if site.vault else "backups"
    worst = "no bound" if site.worst.total is None else spell(site.worst.total)
    against = "" if site.objective_hours is None else f", objective {site.objective_hours} h"
    return f"{kind}: worst case {worst}{against}"


def _draw_gap(root: Element, timeline: Timeline, gap: Gap, top: int, height: int) -> None:
    begin, end = _clip(timeline, gap.earlier.at, gap.later.at)
    band = _box(root, "rect", "gap", x=begin, y=top + 8, width=max(end - begin, 1.0), height=height - 8)
    words = f"{spell(gap.loss)} can be lost, {spell(gap.allowed)} allowed: from {gap.earlier.at:%Y-%m-%d %H:%M}"
    _child(band, "title", f"{words} to {gap.later.at:%Y-%m-%d %H:%M} UTC")
    _box(root, "rect", "gapline", x=begin, y=top + 4, width=max(end - begin, 1.0), height=4)
    if end - begin > 26:
        _text(root, begin + 2, top, spell(gap.loss).split(" (")[0], "bad").set("style", "font-size: 11px")


def _draw_lane(root: Element, timeline: Timeline, site: Site, lane: Lane, top: int) -> None:
    _box(root, "rect", "band", x=LEFT, y=top, width=PLOT, height=LANE_HEIGHT - 8)
    _text(root, 24, top + 14, lane.tier.name)
    stock = ", ".join(f"{count} {storage}" for storage, count in lane.stock(timeline.start).items() if count)
    _text(root, 24, top + 32, f"kept {_kept(lane, site)}", "small")
    _text(root, 24, top + 48, f"{stock or 'none'} on {_day(timeline.start, timeline.zone)}", "small")
    width = min(max(0.4 * PLOT / max(len(lane.outcomes), 1), 1.0), 5.0)
    for outcome in lane.outcomes:
        _draw_firing(root, timeline, site, outcome, top + 2, width)
    rows = _rows(lane.points)
    if len(rows) > MOST_BARS:
        _draw_counts(root, timeline, lane, top + 14, LANE_HEIGHT - 24)
    else:
        pitch = min((LANE_HEIGHT - 24) / max(len(rows), 1), 9.0)
        for number, points in enumerate(rows):
            for point in points:
                _draw_point(root, timeline, point, top + 14 + number * pitch, pitch * 0.72)


def _kept(lane: Lane, site: Site) -> str:
    lifecycles = [(lane.tier.retention_days, lane.tier.cold_storage_after_days)]
    if site.vault is not None:
        copies = [copy for copy in lane.tier.copies if copy.vault == site.vault]
        lifecycles = [(copy.retention_days, copy.cold_storage_after_days) for copy in copies]
    days, cold = lifecycles[0]
    kept = "for ever" if days is None else f"{days} days"
    return kept if cold is None else f"{kept}, cold after {cold}"


def _draw_firing(root: Element, timeline: Timeline, site: Site, outcome: Outcome, top: float, width: float) -> None:
    reaches = outcome.effective and (site.vault is None or outcome.copy_to(site.vault) is not None)
    kind = "unsure" if not outcome.certain else "taken" if reaches else "replaced"
    mark = _box(root, "rect", kind, x=_x(timeline, outcome.firing.at), y=top, width=width, height=8)
    winners = ", ".join(dict.fromkeys(winner.tier.name for winner in outcome.superseded_by))
    fate = f", replaced by {winners}" if winners else "" if outcome.certain else ", or one of equal retention"
    _child(mark, "title", f"{outcome.firing.tier.name} {outcome.firing.at:%Y-%m-%d %H:%M} UTC{fate}")


def _draw_point(root: Element, timeline: Timeline, point: Point, top: float, height: float) -> None:
    deleted = point.delete_at or timeline.end
    cold = min(point.cold_at or deleted, deleted)
    lifetime = f"made {point.created:%Y-%m-%d %H:%M} UTC"
    lifetime += f", cold {point.cold_at:%Y-%m-%d}" if point.cold_at else ""
    lifetime += f", deleted {point.delete_at:%Y-%m-%d}" if point.delete_at else ", kept for ever"
    for kind, since, until in (("warm", point.created, cold), ("cold", cold, deleted)):
        begin, end = _clip(timeline, since, until)
        if end > begin:
            bar = _box(root, "rect", kind, x=begin, y=top, width=end - begin, height=height)
            _child(bar, "title", f"{point.tier.name}: {lifetime}")


def _draw_counts(root: Element, timeline: Timeline, lane: Lane, top: int, height: int) -> None:
    """How many there are, as an area: cold below, warm on top of it."""
    steps = list(_counts(lane.points, timeline))
    most = max((warm + cold for _, warm, cold in steps), default=1)
    for (moment, warm, cold), (until, _, _) in pairwise([*steps, (timeline.end, 0, 0)]):
        begin, end = _clip(timeline, moment, until)
        if end > begin:
            low, high = height * cold / most, height * (warm + cold) / most
            _box(root, "rect", "cold", x=begin, y=top + height - low, width=end - begin, height=low)
            _box(root, "rect", "warm", x=begin, y=top + height - high, width=end - begin, height=high - low)
    _text(root, LEFT - 8, top + 8, f"up to {most}", "small").set("text-anchor", "end")


def _counts(points: Iterable[Point], timeline: Timeline) -> Iterator[tuple[datetime, int, int]]:
    """Warm and cold at the start of each pixel's stretch of time."""
    changes: list[tuple[datetime, int, int]] = []
    for point in points:
        deleted = point.delete_at or timeline.end
        cold = min(point.cold_at or deleted, deleted)
        changes += [(point.created, 1, 0), (cold, -1, 1), (deleted, 0, -1)]
    changes.sort()
    step, number, warm, cold_now = (timeline.end - timeline.start) / PLOT, 0, 0, 0
    for pixel in range(PLOT):
        moment = timeline.start + pixel * step
        while number < len(changes) and changes[number][0] <= moment:
            warm, cold_now, number = warm + changes[number][1], cold_now + changes[number][2], number + 1
        yield moment, warm, cold_now


def _rows(points: Sequence[Point]) -> list[list[Point]]:
    """Each point in the first row that is free when it is made."""
    rows: list[list[Point]] = []
    for point in points:
        free = (row for row in rows if (gone := row[-1].delete_at) is not None and gone <= point.created)
        row = next(free, None)
        if row is None:
            rows.append([point])
        else:
            row.append(point)
    return rows


def _legend(root: Element, x: float, y: float) -> None:
    entries = (
        ("taken", 5, 0, 0, "backup taken here"),
        ("replaced", 5, 170, 0, "not taken: a rule with longer retention replaces it"),
        ("unsure", 5, 510, 0, "not certain: AWS does not document what is taken"),
        ("warm", 22, 0, 18, "recovery point, warm"),
        ("cold", 22, 170, 18, "recovery point, cold"),
        (
            "gapline",
            22,
            340,
            18,
            "gap: more can be lost than the objective allows, or where there is none, the rhythm",
        ),
    )
    for kind, width, right, down, words in entries:
        _box(root, "rect", kind, x=x + right, y=y + down - 8, width=width, height=8)
        _text(root, x + right + width + 6, y + down, words, "small")


def _x(timeline: Timeline, moment: datetime) -> float:
    return LEFT + PLOT * ((moment - timeline.start) / (timeline.end - timeline.start))


def _clip(timeline: Timeline, begin: datetime, end: datetime) -> tuple[float, float]:
    return _x(timeline, max(begin, timeline.start)), _x(timeline, min(end, timeline.end))


def _day(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(zone_of(zone)):%Y-%m-%d}"


def _box(parent: Element, tag: str, kind: str, **numbers: float) -> Element:
    """A shape; keywords are its attributes, in pixels."""
    return SubElement(parent, tag, {"class": kind} | {name: f"{value:.5g}" for name, value in numbers.items()})


def _text(parent: Element, x: float, y: float, words: str, kind: str = "") -> Element:
    attributes = {"x": f"{x:.5g}", "y": f"{y:.5g}"} | ({"class": kind} if kind else {})
    return _child(parent, "text", words, attributes)


def _child(parent: Element, tag: str, words: str, attributes: dict[str, str] | None = None) -> Element:
    element = SubElement(parent, tag, attributes or {})
    # What XML cannot carry even when escaped.
    element.text = re.sub(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "\N{REPLACEMENT CHARACTER}", words)
    return element
