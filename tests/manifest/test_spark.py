"""Spark gives what the local engine gives, to the byte. Run by `tox -e spark`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.manifest.exports import line, order, orders, write_export
from tests.manifest.test_diff import TWICE, diffed
from tests.manifest.test_export import digested

from backcheck.errors import Error, UsageError
from backcheck.manifest import report, spark_job
from backcheck.manifest.build import changed_manifest, export_tasks
from backcheck.manifest.digest import key_digest
from backcheck.manifest.document import FilterState, parse
from backcheck.manifest.engine import RunOptions
from backcheck.manifest.export import open_export

pytestmark = pytest.mark.spark
KEY = ("customer", "order")


@pytest.fixture(scope="module")
def context() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("tests")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.pyspark.python": sys.executable,
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session.sparkContext
    session.stop()


def place(folder: Path, table: list[dict[str, Any]]) -> Path:
    return write_export(folder, [[line(item) for item in table[n::3]] for n in range(3)])


@pytest.mark.parametrize("key", [KEY, None])
def test_the_manifest_is_the_same_to_the_byte(context: Any, tmp_path: Path, key: tuple[str, ...] | None) -> None:
    export = place(tmp_path, orders(200))
    out = tmp_path / "m.json"
    arguments = ["export", str(export), "--unfiltered", "--out", str(out)]
    assert spark_job.run([*arguments, "--key", ",".join(key)] if key else arguments) == 0
    found = parse(out.read_bytes())
    assert found.digest == digested(export, key).digest
    assert found.key == key


def test_an_incremental_export_is_the_same(context: Any, tmp_path: Path) -> None:
    from functools import partial

    from backcheck.manifest.spark import add_up_on_spark

    base = digested(place(tmp_path / "base", orders(10)))
    keys = {name: order(3)[name] for name in KEY}
    record = json.dumps({"Metadata": {}, "Keys": keys, "OldImage": order(3)}).encode()
    changes = open_export(str(write_export(tmp_path / "changes", [[record], []], incremental=True)))
    local, spark = (
        changed_manifest(base, changes, filter_state=FilterState.NONE, options=options)
        for options in (RunOptions(processes=1), RunOptions(elsewhere=partial(add_up_on_spark, context)))
    )
    assert spark == local


@pytest.mark.parametrize("key", [KEY, None])
def test_the_differences_are_the_same(context: Any, tmp_path: Path, key: tuple[str, ...] | None) -> None:
    a, b = orders(60), [*orders(58), order(70), order(20)]
    b[5] = order(5, total={"N": "1"})
    local = diffed(tmp_path, a, b, key=key, show_keys=key is not None)
    out = tmp_path / "diff.json"
    arguments = ["diff", *(str(next((tmp_path / side / "AWSDynamoDB").iterdir())) for side in "ab"), "--unfiltered"]
    arguments += ["--key", ",".join(key), "--show-keys"] if key else []
    assert spark_job.run([*arguments, "--out", str(out)]) == 1
    found = json.loads(out.read_text())
    expected = json.loads(report.comparison_json(local.comparison, local.differences))
    for side in "ab":
        del found[side], expected[side]
    assert found["differences"]["counts"] == expected["differences"]["counts"]
    assert _sorted(found) == _sorted(expected)
    assert found["buckets"] == expected["buckets"]


def _sorted(document: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((one["digest"], json.dumps(one)) for one in document["differences"]["listed"])


def test_a_damaged_file_is_our_error_and_not_java_s(context: Any, tmp_path: Path) -> None:
    from backcheck.manifest.spark import add_up_on_spark

    export = place(tmp_path, orders(20))
    data = sorted((export / "data").iterdir())[1]
    data.write_bytes(data.read_bytes()[:-9])
    with pytest.raises(Error, match="cut off") as caught:
        add_up_on_spark(context, export_tasks(open_export(str(export)), KEY))
    assert caught.value.where.endswith("part1.json.gz")


@pytest.mark.parametrize("table", TWICE.values(), ids=TWICE)
def test_equal_exports_that_hold_a_key_twice_are_not_equal_tables(
    context: Any, tmp_path: Path, table: list[dict[str, Any]]
) -> None:
    a, b = place(tmp_path / "a", table), place(tmp_path / "b", table[::-1])
    out = tmp_path / "diff.json"
    assert spark_job.run(["diff", str(a), str(b), "--unfiltered", "--key", ",".join(KEY), "--out", str(out)]) == 2
    found, local = json.loads(out.read_text()), diffed(tmp_path / "local", table, table[::-1])
    assert (found["outcome"], found["reason"]) == ("unknown", local.comparison.reason)
    assert key_digest(order(4), KEY).hex() in found["reason"]


def test_equal_exports_are_equal(context: Any, tmp_path: Path) -> None:
    a, b = place(tmp_path / "a", orders(9)), place(tmp_path / "b", orders(9)[::-1])
    out = tmp_path / "diff.json"
    assert spark_job.run(["diff", str(a), str(b), "--unfiltered", "--out", str(out)]) == 0
    assert json.loads(out.read_text())["outcome"] == "equal"
    assert spark_job.run(["diff", str(a), str(b), "--unfiltered", "--key", ",".join(KEY), "--out", str(out)]) == 0
    assert spark_job.run(["diff", str(a), str(tmp_path), "--out", str(out)]) == 2


@pytest.mark.parametrize("key", ["", "a,a", "a,b,c", "a,"])
def test_a_key_that_is_none_is_told_before_spark_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    assert spark_job.run(["export", str(tmp_path), "--key", key, "--out", str(tmp_path / "m.json")]) == 4
    assert "--key HASH or HASH,RANGE" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["nowhere/m.json", "s3://bucket"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, out: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be written: No such file|not a place in S3") as caught:
        spark_job.write(out if out.startswith("s3") else str(tmp_path / out), b"")
    assert caught.value.exit_code == 4
