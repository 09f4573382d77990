"""`backcheck manifest`: digest a table or an export, and compare two."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from backcheck.errors import UsageError
from backcheck.manifest import build, operands, report, scan
from backcheck.manifest.document import Manifest, read, render
from backcheck.manifest.engine import NoProgress, Progress, RunOptions
from backcheck.manifest.export import open_export

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def command() -> None:
    """Digest a table's content, and prove two tables equal."""


def _key(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else operands.key_names(value)


def _finite(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """NaN is in every range, since it compares with nothing."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a number that anything can be read at")
    return value


key_option = click.option("--key", callback=_key, metavar="HASH[,RANGE]", help="The key's attribute names.")
out_option = click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The manifest file to write."
)


def _common(function: Command) -> Command:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Write the result as JSON."),
        click.option("--profile", help="AWS profile."),
        click.option("--processes", type=click.IntRange(1, 256), help="Worker processes; one a core if not given."),
    ):
        function = option(function)
    return function


@command.command("export")
@click.argument("place", metavar="DIR_OR_S3_URL")
@key_option
@click.option("--base", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="For an incremental export.")
@click.option("--unfiltered", is_flag=True, help="Your word that the export has no filter, where AWS cannot be asked.")
@click.option("--describe", is_flag=True, help="Ask DescribeExport about a filter for a local copy, too.")
@click.option("--files", is_flag=True, help="DIR holds loose .json[.gz] files: no manifest vouches for them.")
@out_option
@_common
def export_command(
    place: str,
    key: tuple[str, ...] | None,
    base: Path | None,
    unfiltered: bool,
    describe: bool,
    files: bool,
    out: Path,
    processes: int | None,
    profile: str | None,
    as_json: bool,
) -> int:
    """Digest a DynamoDB export: a local copy, or s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID/.

    An export does not name its key; without --key differences are found but not paired. A run that was killed goes on
    from the files it had finished.
    """
    with _progress() as progress:
        options = RunOptions(processes=processes or 0, checkpoint=_checkpoint(out), progress=progress)
        if files:
            manifest = build.files_manifest(Path(place), key, options=options)
        else:
            export = open_export(place, profile=profile)
            state = operands.filter_state(
                export, unfiltered=unfiltered, describe=describe or place.startswith("s3://"), profile=profile
            )
            if base is None:
                manifest = build.export_manifest(export, key, filter_state=state, options=options)
            else:
                manifest = build.changed_manifest(read(base), export, filter_state=state, options=options)
    return _finish(manifest, out, as_json)


@command.command("scan")
@click.argument("table")
@click.option("--region", help="AWS Region.")
@click.option("--endpoint-url", help="An emulator's endpoint.")
@click.option("--segments", type=click.IntRange(1, scan.MAX_SEGMENTS), help="By the table's size if not given.")
@click.option(
    "--read-share",
    type=click.FloatRange(0, 1, min_open=True),
    callback=_finite,
    default=scan.DEFAULT_SHARE,
    show_default=True,
    help="Share of the provisioned read capacity to use.",
)
@click.option(
    "--max-read-units",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    help="Read units a second, for a table on demand.",
)
@out_option
@_common
def scan_command(
    table: str,
    region: str | None,
    endpoint_url: str | None,
    segments: int | None,
    read_share: float,
    max_read_units: float | None,
    out: Path,
    processes: int | None,
    profile: str | None,
    as_json: bool,
) -> int:
    """Digest a live table with consistent reads.

    It shows one moment only if nothing is written meanwhile. Needs dynamodb:DescribeTable and dynamodb:Scan. A killed
    scan goes on from the segments it had finished.
    """
    connection = scan.Connection(region=region, profile=profile, endpoint_url=endpoint_url)
    limits = scan.ScanOptions(segments=segments, read_share=read_share, max_read_units=max_read_units)
    with _progress() as progress:
        options = RunOptions(processes=processes or 0, checkpoint=_checkpoint(out), progress=progress)
        manifest = scan.scan_manifest(connection, table, limits, options, lambda: datetime.now(UTC))
    _tell_endpoint(manifest.witness.endpoint or "")
    return _finish(manifest, out, as_json)


@command.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--data-a", metavar="EXPORT", help="The export that manifest A was made of: names the keys that differ.")
@click.option("--data-b", metavar="EXPORT", help="The same for B.")
@key_option
@click.option("--unfiltered", is_flag=True, help="Your word that exports given as A or B have no filter.")
@click.option("--limit", type=click.IntRange(0), default=1000, show_default=True, help="Differences to list.")
@click.option("--show-keys", is_flag=True, help="Show keys themselves, not their digests.")
@_common
def diff_command(
    a: str,
    b: str,
    data_a: str | None,
    data_b: str | None,
    key: tuple[str, ...] | None,
    unfiltered: bool,
    limit: int,
    show_keys: bool,
    processes: int | None,
    profile: str | None,
    as_json: bool,
) -> int:
    """Compare A, what is expected, with B, what was found. Each is a manifest, or an export.

    \b
    Exit codes:
      0  equal
      1  different
      2  could not tell: nothing was compared, a filter is not ruled out, or an error
    """
    with _progress() as progress:
        options = operands.DiffOptions(
            key=key,
            unfiltered=unfiltered,
            limit=limit,
            show_keys=show_keys,
            profile=profile,
            run=RunOptions(processes=processes or 0, progress=progress),
        )
        operand_a = operands.resolve("A", a, data_a, options)
        operand_b = operands.resolve("B", b, data_b, options)
        result = operands.diff(operand_a, operand_b, options)
    render_result = report.comparison_json if as_json else report.comparison_text
    click.echo(render_result(result.comparison, result.differences))
    return result.comparison.outcome.exit_code


def _tell_endpoint(endpoint: str) -> None:
    """Where the environment or the profile names a server, what was read may not be the account that is meant."""
    from backcheck.inventory.collect.connect import is_aws

    if not is_aws(endpoint):
        click.echo(
            f"backcheck: read from {endpoint}, which is not an endpoint of AWS's own (--endpoint-url, AWS_ENDPOINT_URL "
            "or the profile names it); the manifest says so, in witness.endpoint",
            err=True,
        )


class _TerminalProgress:
    """Parts and items finished, on a terminal's stderr."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=None, parts=0)

    def advance(self, tasks: int, items: int) -> None:
        self._bar.advance(self._task, items)
        self._bar.update(self._task, parts=self._bar.tasks[0].fields["parts"] + tasks)


@contextmanager
def _progress() -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield NoProgress()
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.completed:,.0f} items, {task.fields[parts]} parts, {task.speed:,.0f} items/s")
    with Bar(SpinnerColumn(), text, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        yield _TerminalProgress(bar)


def _checkpoint(out: Path) -> Path:
    """Where a killed run leaves what it has. Looks at the folder first: a wrong path must not cost hours of reading."""
    if not out.parent.is_dir():
        raise UsageError("no such folder", where=str(out.parent))
    return out.with_name(out.name + ".partial")


def _finish(manifest: Manifest, out: Path, as_json: bool) -> int:
    if not manifest.digest.items:
        click.echo("backcheck: the table is empty: there is nothing that a comparison could show", err=True)
    temporary = out.with_name(out.name + ".new")
    try:
        temporary.write_bytes(render(manifest))
        temporary.replace(out)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(out)) from error
    click.echo(report.manifest_json(manifest, str(out)) if as_json else report.manifest_text(manifest))
    return 0
