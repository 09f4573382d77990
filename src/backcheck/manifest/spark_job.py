"""The Spark job: `spark-submit spark_job.py export PLACE ...`, or `diff A B ...`. docs/manifest.md: how on AWS."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path

import click

from backcheck.errors import Error, UsageError
from backcheck.manifest.build import export_manifest, export_tasks
from backcheck.manifest.diff import Outcome, compare
from backcheck.manifest.document import render
from backcheck.manifest.engine import RunOptions
from backcheck.manifest.export import open_export
from backcheck.manifest.location import ENDPOINT_HINT
from backcheck.manifest.operands import filter_state, key_names, not_told
from backcheck.manifest.report import comparison_json
from backcheck.manifest.spark import add_up_on_spark, differences_on_spark, repeated_key_on_spark, spark_context


@click.group()
def job() -> None:
    """Digest or compare DynamoDB exports on Spark."""


def _key(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else key_names(value)


key_option = click.option("--key", callback=_key, help="The key's attribute names: HASH or HASH,RANGE.")
unfiltered_option = click.option("--unfiltered", is_flag=True, help="Your word that the exports have no filter.")
out_option = click.option("--out", required=True, help="A file, or s3://BUCKET/KEY.")


@job.command("export")
@click.argument("place")
@key_option
@unfiltered_option
@out_option
def export_job(place: str, key: tuple[str, ...] | None, unfiltered: bool, out: str) -> int:
    """Write the manifest of one full export."""
    export = open_export(place)
    state = filter_state(export, unfiltered=unfiltered, describe=place.startswith("s3://"), profile=None)
    options = RunOptions(elsewhere=partial(add_up_on_spark, spark_context()))
    write(out, render(export_manifest(export, key, filter_state=state, options=options)))
    return 0


@job.command("diff")
@click.argument("a")
@click.argument("b")
@key_option
@unfiltered_option
@click.option("--limit", type=click.IntRange(0), default=1000, show_default=True, help="Differences to list.")
@click.option("--show-keys", is_flag=True, help="Show keys themselves, not their digests.")
@out_option
def diff_job(
    a: str, b: str, key: tuple[str, ...] | None, unfiltered: bool, limit: int, show_keys: bool, out: str
) -> int:
    """Compare two full exports; the result is the JSON of `backcheck manifest diff --json`."""
    context = spark_context()
    options = RunOptions(elsewhere=partial(add_up_on_spark, context))
    exports = [open_export(place) for place in (a, b)]
    made = [
        export_manifest(
            export,
            key,
            filter_state=filter_state(export, unfiltered=unfiltered, describe=place.startswith("s3://"), profile=None),
            options=options,
        )
        for place, export in zip((a, b), exports, strict=True)
    ]
    comparison = compare(made[0], made[1])
    differences = None
    tasks = [export_tasks(export, key) for export in exports]
    if comparison.outcome is Outcome.EQUAL and key and (repeated := repeated_key_on_spark(context, tasks[0])):
        comparison = not_told(comparison, repeated)
    if comparison.outcome is Outcome.DIFFERENT:
        buckets = comparison.buckets or ()
        differences = differences_on_spark(context, tasks[0], tasks[1], buckets, limit=limit, show_keys=show_keys)
    write(out, comparison_json(comparison, differences).encode())
    return comparison.outcome.exit_code


def write(place: str, content: bytes) -> None:
    """Write a result to a file or to S3. Raises Error where it cannot be written."""
    if not place.startswith("s3://"):
        try:
            Path(place).write_bytes(content)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", where=place) from error
        return
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    match = re.fullmatch(r"s3://([^/]+)/(.+)", place)
    if match is None:
        raise UsageError(f"not a place in S3: {place!r}", hint="s3://BUCKET/KEY")
    try:
        boto3.client("s3").put_object(Bucket=match[1], Key=match[2], Body=content)
    except (BotoCoreError, ClientError) as error:
        raise Error(f"s3:PutObject failed: {error}", where=place) from error
    except ValueError as error:
        raise UsageError(f"no client for S3: {error}", where=place, hint=ENDPOINT_HINT) from error


def run(arguments: list[str]) -> int:
    """Run one job; the exit code is `backcheck manifest`'s."""
    try:
        result = job.main(arguments, prog_name="spark_job", standalone_mode=False)
    except Error as error:
        click.echo(error.diagnostics(), err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return UsageError.exit_code
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
