"""The report's own sections, for pytest-html's page: everything from an account is escaped, nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined

from backcheck import __version__
from backcheck.controls.control import AnyControl, World
from backcheck.evidence import drills, overview, points, terminal
from backcheck.evidence.points import Chart, Lane, Mark
from backcheck.evidence.terminal import VERDICTS, printable
from backcheck.finding import Finding, Run

WIDTH, LEFT, LANE = 1180, 370, 26

WAIVERS = "WVR-01"

TOLD_AT_MOST = 20
"""Findings that stand in full under one row."""

OUTCOMES = {
    "passed": "Passed",
    "failed": "Failed",
    "error": "Error (unknown)",
    "xfailed": "XFailed (waived, or known)",
    "skipped": "Skipped (not applicable)",
}
"""What pytest's outcomes mean here."""


def _shown(value: object) -> object:
    """Text with control characters spelled out: one that turns the direction of writing would change what is read."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


_page = Environment(
    loader=PackageLoader("backcheck.evidence"),
    autoescape=True,
    finalize=_shown,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def title(run: Run) -> str:
    """The page's title, as plain text."""
    mark = "SIMULATED " if run.simulated else ""
    return f"{mark}backup audit of {run.policy_name}: {VERDICTS[run.summary.exit_code]}"


def sections(run: Run, world: World, controls: Iterable[AnyControl], details: drills.Details | None = None) -> str:
    """The sections as one HTML fragment, with its own style. `details`: what the drills' own documents say."""
    shown, more = overview.outstanding(run)
    notes, more_notes = overview.notes(run)
    resources, more_resources = overview.by_resource(run)
    created = points.created_in(world)
    return _page.get_template("report.html.j2").render(
        run=run,
        policy=world.policy,
        verdict=VERDICTS[run.summary.exit_code],
        version=__version__,
        taken_at=world.inventory.taken_at if world.inventory else run.clock,
        scope=overview.scope(world),
        outstanding=shown,
        more_outstanding=more,
        notes=notes,
        more_notes=more_notes,
        controls=overview.by_control(run, controls),
        resources=resources,
        more_resources=more_resources,
        charts=[_drawn(chart) for chart in points.charts(world, created)],
        objectives=points.objectives(world, created),
        waived=[finding for finding in run.findings if finding.waiver],
        waivers=[finding for finding in run.findings if finding.control == WAIVERS],
        calls=world.inventory.calls if world.inventory else (),
        drills=drills.section(world, details or {}),
        spell=spell,
        spell_minutes=drills.spell_minutes,
        spell_seconds=drills.spell_seconds,
        bar=drills.BAR,
        left=LEFT,
        lane=LANE,
        width=WIDTH,
    )


def row(finding: Finding) -> list[str]:
    """The cells of pytest-html's table that follow the result; notes below the message, whatever the verdict."""
    cells = {
        "control": finding.control,
        "severity": finding.severity.value,
        "resource": finding.resource + (f" ({finding.tier})" if finding.tier else ""),
        "message": finding.message,
    }
    written = {name: escape(printable(text)) for name, text in cells.items()}
    written["message"] += "".join(
        f'<div class="bc-why">Note: {escape(printable(note))}</div>' for note in finding.notes
    )
    return [f'<td class="col-{name}">{text}</td>' for name, text in written.items()]


def told(findings: Sequence[Finding]) -> str:
    """The text under a row of that table: everything there is to say about its findings, the first ones of many."""
    texts = [terminal.explain(finding) for finding in findings[:TOLD_AT_MOST]]
    texts += [f"and {len(findings) - TOLD_AT_MOST} more, in findings.json"] if len(findings) > TOLD_AT_MOST else []
    return escape("\n\n".join(texts))


def header() -> list[str]:
    """The heads of those cells."""
    heads = {"control": "Control", "severity": "Severity", "resource": "Resource", "message": "What was found"}
    return [f'<th class="sortable" data-column-type="{name}">{text}</th>' for name, text in heads.items()]


def spell(duration: timedelta | None) -> str:
    """Hours and minutes; `no bound` for None."""
    if duration is None:
        return "no bound"
    minutes = round(duration.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes % 60 else f"{minutes // 60} h"


def _drawn(chart: Chart) -> dict[str, object]:
    """A chart with its coordinates."""
    return {
        "tables": chart.tables,
        "height": 30 + LANE * len(chart.lanes) + 6,
        "now": _x(chart, chart.now),
        "weeks": [(_x(chart, day), f"{day:%d %b}") for day in _mondays(chart)],
        "lanes": [_drawn_lane(chart, lane, 30 + LANE * i) for i, lane in enumerate(chart.lanes)],
    }


def _drawn_lane(chart: Chart, lane: Lane, top: int) -> dict[str, object]:
    return {
        "y": top,
        "label": f"{lane.tier} in {lane.vault}, {lane.region}",
        "unread": lane.unread,
        "marks": [
            {"x": _x(chart, mark.at), "kind": _kind(mark), "title": _told(mark)}
            for mark in lane.marks
            if chart.start <= mark.at <= chart.end
        ],
    }


def _kind(mark: Mark) -> str:
    if not mark.effective:
        return "superseded"
    if mark.want and mark.have == mark.want:
        return "there"
    if mark.gone:
        return "gone"
    return "missing" if mark.due and mark.want else "expected"


def _told(mark: Mark) -> str:
    said = {
        "superseded": "replaced by a backup that is kept longer",
        "there": f"{mark.have} of {mark.want} tables have the point",
        "missing": f"only {mark.have} of {mark.want} tables have the point",
        "gone": "deleted at the end of its retention",
        "expected": "not due yet, or no table existed",
    }
    return f"{mark.at:%a %Y-%m-%d %H:%M} UTC: {said[_kind(mark)]}"


def _x(chart: Chart, moment: datetime) -> float:
    share = (moment - chart.start) / (chart.end - chart.start)
    return round(LEFT + share * (WIDTH - LEFT - 10), 1)


def _mondays(chart: Chart) -> Iterable[datetime]:
    day = chart.start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    while day < chart.end:
        if day.weekday() == 0:
            yield day
        day += timedelta(days=1)
