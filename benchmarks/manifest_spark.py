"""Spark in local mode beside the local engine: `python -m benchmarks.manifest_spark`. Needs Java and pyspark."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from backcheck.manifest.build import export_tasks
from backcheck.manifest.digest import EMPTY, merge
from backcheck.manifest.engine import run
from backcheck.manifest.export import open_export
from backcheck.manifest.reading import read_items
from backcheck.manifest.spark import add_up_on_spark
from benchmarks.manifest_data import export


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "backcheck-benchmarks")
    arguments = parser.parse_args()
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{arguments.processes}]")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.pyspark.python": sys.executable,
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    tasks = export_tasks(open_export(str(export(arguments.folder, arguments.items))), ("pk", "sk"))
    add_up_on_spark(session.sparkContext, tasks[:1])  # started
    start = time.perf_counter()
    on_spark, _ = add_up_on_spark(session.sparkContext, tasks)
    spark_seconds = time.perf_counter() - start
    session.stop()
    start = time.perf_counter()
    local = EMPTY
    for partial in run(read_items, tasks, processes=arguments.processes):
        local = merge(local, partial.added)
    local_seconds = time.perf_counter() - start
    if on_spark != local:
        raise SystemExit("the digests differ")
    print(f"{arguments.items:,} items, {arguments.processes} cores, digests equal to the byte")
    print(f"Spark  {arguments.items / spark_seconds:>10,.0f} items/s")
    print(f"local  {arguments.items / local_seconds:>10,.0f} items/s, its start included")


if __name__ == "__main__":
    main()
