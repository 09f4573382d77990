"""`backcheck policy calendar`: what a policy's schedules really do, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from pathlib import Path

import click
from rich import box
from rich.console import Console, ConsoleRenderable
from rich.table import Table
from rich.text import Text

from backcheck.commands.moment import in_years_of_cron
from backcheck.commands.written import refuse_the_policy, write
from backcheck.cron import zone_of
from backcheck.errors import UsageError
from backcheck.policy.calendar import StorageClass
from backcheck.policy.calendar_svg import svg
from backcheck.policy.firing import HORIZON, Firing, Outcome
from backcheck.policy.load import load
from backcheck.policy.model import Tier
from backcheck.policy.rpo import spell
from backcheck.policy.timeline import Site, Timeline, timelines

PLAIN_WIDTH = 200
"""Columns where the output is not a terminal: wide enough that no cell wraps."""
SHOWN_DATES = 10


@click.command("calendar")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option("--days", type=click.IntRange(1, 400), default=35, show_default=True, help="How long a period to show.")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda _, __, day: day and in_years_of_cron(day),
    help="First day, in the policy's time zone. [default: today]",
)
@click.option("--svg", "svg_file", type=click.Path(dir_okay=False, path_type=Path), help="Draw it into this file, too.")
def command(policy: Path, days: int, at: datetime | None, svg_file: Path | None) -> int:
    """Show which backups take effect, and which recovery points exist where, in which storage class.

    Where start windows of one plan overlap, AWS Backup takes only the backup that is kept longer. The worst case and
    the overlaps are those of the 400 days from the first day on.
    """
    refuse_the_policy(svg_file, policy)
    loaded = load(policy)
    place = zone_of(loaded.timezone)
    first = at.date() if at else datetime.now(place).date()
    shown = timelines(loaded, _midnight(first, loaded.timezone), days)
    if not shown:
        raise UsageError("no table has a tier: there is nothing on the calendar", where=str(policy))
    for timeline in shown:
        _print(timeline)
    if svg_file:
        write(svg_file, svg(shown))
    return 0


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), zone_of(zone)).astimezone(UTC)


def _print(timeline: Timeline) -> None:
    """On a terminal with its width and colours; elsewhere plain, a line for each firing."""
    console = Console()
    if console.is_terminal:
        for part in _parts(timeline):
            console.print(part)
        return
    text = StringIO()
    plain = Console(file=text, width=PLAIN_WIDTH, no_color=True)
    for part in _parts(timeline):
        plain.print(part)
    click.echo("\n".join(line.rstrip() for line in text.getvalue().splitlines()))


def _parts(timeline: Timeline) -> Iterator[ConsoleRenderable]:
    first, last = _date(timeline.start, timeline.zone), _date(timeline.end, timeline.zone)
    yield Text(f"Tables: {timeline.whom}", style="bold")
    yield Text(f"{first} to {last} ({timeline.zone}), as if in force since {_date(timeline.since, timeline.zone)}")
    yield _firings(timeline)
    yield _stock(timeline)
    yield from (Text(line, style=style) for line, style in _findings(timeline))
    yield Text("")


def _firings(timeline: Timeline) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Firings", title_justify="left", title_style="bold", pad_edge=False)
    for heading in ("fires", "tier", "backup", *(site.title for site in timeline.sites)):
        table.add_column(heading)
    columns = [_Column(site, timeline.zone) for site in timeline.sites]
    for outcome in timeline.calendar.outcomes:
        if outcome.firing.at < timeline.end:
            cells = (column.cell(outcome) for column in columns)
            table.add_row(
                _moment(outcome.firing, timeline.zone), _name(outcome.firing.tier, timeline), _fate(outcome), *cells
            )
    return table


class _Column:
    """What each firing leaves at one site."""

    def __init__(self, site: Site, zone: str) -> None:
        self.site = site
        self.zone = zone
        self.points = {(point.tier, point.created): point for lane in site.lanes for point in lane.points}
        self.gaps = {gap.later: gap for gap in site.gaps}

    def cell(self, outcome: Outcome) -> Text:
        """Until when the point is there; in red, what is lost at worst before it is made, where that is too much."""
        point = self.points.get((outcome.firing.tier, outcome.firing.at))
        if point is None:
            return Text("no copy", style="red") if outcome.effective else Text("-", style="dim")
        cold = f"cold {_date(point.cold_at, self.zone)}, " if point.cold_at else ""
        until = f"until {_date(point.delete_at, self.zone)}" if point.delete_at else "for ever"
        gap = self.gaps.get(outcome.latest)
        return Text.assemble(f"{cold}{until}", (f"  {spell(gap.loss)} could be lost" if gap else "", "red"))


def _fate(outcome: Outcome) -> Text:
    doubt = "" if outcome.certain else " (not certain)"
    if outcome.effective:
        return Text(f"taken{doubt}")
    winners = ", ".join(dict.fromkeys(winner.tier.name for winner in outcome.superseded_by))
    return Text(f"replaced by {winners}{doubt}", style="dim")


def _stock(timeline: Timeline) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=f"In stock at the start of {_date(timeline.start, timeline.zone)}")
    table.title_justify, table.title_style, table.pad_edge = "left", "bold", False
    for heading in ("where", "tier", "warm", "cold", "oldest", "newest"):
        table.add_column(heading)
    for site in timeline.sites:
        for lane in site.lanes:
            held = [point for point in lane.points if point.storage_at(timeline.start)]
            ends = [_date(point.created, timeline.zone) for point in (held[0], held[-1])] if held else ["-", "-"]
            counts = lane.stock(timeline.start)
            numbers = (str(counts[StorageClass.WARM]), str(counts[StorageClass.COLD]))
            table.add_row(site.title, _name(lane.tier, timeline), *numbers, *ends)
    return table


def _findings(timeline: Timeline) -> Iterator[tuple[str, str]]:
    """The worst case at each site, days without a DR copy, overlaps that cost copies, notes; with a style."""
    yield "Worst case", "bold"
    for site in timeline.sites:
        style = "red" if site.holds is False or site.worst.total is None else ""
        for line in site.worst.lines:
            yield f"  {line}", style
        if site.objective_hours is not None:
            yield f"  {_against(site)}", style
    yield from _losses(timeline)
    for note in timeline.notes:
        yield f"Note: {note}", "yellow"


def _against(site: Site) -> str:
    if not site.holds or site.worst.total is None or site.objective_hours is None:
        return f"NOT within the objective of {site.objective_hours} h"
    left = spell(timedelta(hours=site.objective_hours) - site.worst.total)
    room = f", which leaves {left} for the copy" if site.vault else ""
    return f"within the objective of {site.objective_hours} h{room}"


def _losses(timeline: Timeline) -> Iterator[tuple[str, str]]:
    horizon = f"{HORIZON.days} days"
    if dr := [site.vault for site in timeline.sites if site.is_dr and site.vault is not None]:
        days = timeline.calendar.days_without_copy(dr, timeline.zone)
        yield f"Days without a DR copy in {horizon}: {len(days)}{_listed(days)}", "red" if timeline.violations else ""
    for found in timeline.violations:
        vaults = ", ".join(copy.vault for copy in found.missing)
        replaces = "replaces" if found.certain else "may replace"
        dates = f"{len(found.dates)} dates in {horizon}{_listed(found.dates)}"
        winner, loser = _name(found.winner, timeline), _name(found.loser, timeline)
        yield f"{winner} {replaces} {loser} without its copy to {vaults} on {dates}", "red"


def _listed(days: tuple[date, ...]) -> str:
    if not days:
        return ""
    more = f" and {len(days) - SHOWN_DATES} more" if len(days) > SHOWN_DATES else ""
    return f": {', '.join(str(day) for day in days[:SHOWN_DATES])}{more}"


def _name(tier: Tier, timeline: Timeline) -> str:
    """The tier's name; with its plan's where there are several."""
    return tier.name if len({other.plan for other in timeline.calendar.tiers}) == 1 else tier.id


def _moment(firing: Firing, zone: str) -> str:
    return f"{firing.at.astimezone(zone_of(zone)):%a %Y-%m-%d %H:%M}"


def _date(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(zone_of(zone)):%Y-%m-%d}"
