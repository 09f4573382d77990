"""report.html without pytest: the report's sections, and every finding in a table."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from backcheck.controls.control import AnyControl, World
from backcheck.evidence import html
from backcheck.finding import Finding, Run, Status

_ORDER = (Status.FAIL, Status.UNKNOWN, Status.WAIVED, Status.PASS, Status.NOT_APPLICABLE)


def render(run: Run, world: World, controls: Iterable[AnyControl]) -> bytes:
    """One page that loads nothing; what a template or an account says is escaped."""
    ordered = sorted(run.findings, key=lambda finding: _ORDER.index(finding.status))
    title = escape(html.title(run))
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title></head><body><h1>{title}</h1>",
            html.sections(run, world, controls),
            "<h2>Every finding</h2><table><thead><tr><th>Verdict</th>",
            *html.header(),
            "<th>Where</th></tr></thead><tbody>",
            *(_row(finding) for finding in ordered),
            "</tbody></table></body></html>\n",
        )
    ).encode()


def _row(finding: Finding) -> str:
    place = f"{finding.location.file}:{finding.location.line}" if finding.location else ""
    cells = [f"<td>{finding.status.value}</td>", *html.row(finding), f"<td>{escape(place)}</td>"]
    return f"<tr>{''.join(cells)}</tr>"
