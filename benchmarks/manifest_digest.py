"""Digest and compare exports, side by side with what a user would write: `python -m benchmarks.manifest_digest`.

Every row is run on the same export in the same run, on as many processes. Read ratios: seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import decimal
import gzip
import hashlib
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from isal import igzip

from backcheck.manifest.build import export_tasks
from backcheck.manifest.export import open_export
from backcheck.manifest.plain import COMPILED
from backcheck.manifest.rawlines import raw_digest, read_content
from backcheck.manifest.reading import FileTask, read_items
from benchmarks.manifest_data import export

Measure = tuple[float, float, int]
"""CPU seconds, peak MB, items: of one worker process."""


def isal_alone(task: FileTask) -> int:
    """The bound: nothing but decompression."""
    with igzip.open(task.location.at(task.name)) as file:  # type: ignore[no-untyped-call]  # isal's stub
        while file.read(128 << 10):
            pass
    return task.stated_items or 0


def content(task: FileTask) -> int:
    return read_content(task).lines


def raw_lines(task: FileTask) -> int:
    return raw_digest(task).items


def canonical(task: FileTask) -> int:
    return read_items(task).added.items


def users_version(task: FileTask) -> int:
    """TypeDeserializer, json and sha256, summed: what is written by hand. It cannot read Binary; S "1" equals N 1."""
    from boto3.dynamodb.types import TypeDeserializer

    deserialize = TypeDeserializer().deserialize
    total, items = 0, 0
    with gzip.open(task.location.at(task.name)) as file:
        for line in file:
            item = {name: deserialize(value) for name, value in json.loads(line)["Item"].items()}
            text = json.dumps(item, sort_keys=True, default=_plain).encode()
            total = (total + int.from_bytes(hashlib.sha256(text).digest(), "big")) % (1 << 256)
            items += 1
    return items


def _plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, set):
        return sorted(map(str, value))
    raise TypeError(type(value).__name__)


def _worker(work: Callable[[FileTask], int], collect: bool, tasks: Sequence[FileTask]) -> Measure:
    if not collect:
        import gc

        gc.disable()  # as the engine's own workers do
    start = time.process_time()
    items = sum(map(work, tasks))
    return time.process_time() - start, _peak_megabytes(), items


def _peak_megabytes() -> float:
    """Of this process alone: getrusage's figure begins with what the parent had when it started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _warm(_: int) -> None:
    """Keeps one worker busy while the others take theirs: all are started, and have imported what they need."""
    time.sleep(1)


def measure(
    work: Callable[[FileTask], int], tasks: Sequence[FileTask], processes: int, *, collect: bool
) -> list[float]:
    """Items a second, CPU microseconds an item, peak MB a process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        pool.map(_warm, range(processes), chunksize=1)
        start = time.perf_counter()
        found = pool.map(partial(_worker, work, collect), [tasks[n::processes] for n in range(processes)], chunksize=1)
        wall = time.perf_counter() - start
    items = sum(one[2] for one in found)
    return [items / wall, sum(one[0] for one in found) / items * 1e6, max(one[1] for one in found)]


ROWS: tuple[tuple[str, Callable[[FileTask], int], bool], ...] = (
    ("isal alone (the bound)", isal_alone, False),
    ("file content, MD5 checked", content, False),
    ("raw lines, LtHash", raw_lines, False),
    ("canonical, LtHash and buckets", canonical, False),
    ("TypeDeserializer + json + sha256", users_version, True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "backcheck-benchmarks")
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    tasks = export_tasks(open_export(str(export(arguments.folder, arguments.items))), ("pk", "sk"))
    compressed = sum(Path(task.location.at(task.name)).stat().st_size for task in tasks)
    compiled = "compiled" if COMPILED else "without its compiled part"
    print(f"{arguments.items:,} items, {compressed / 1e6:.0f} MB gzip, {arguments.processes} processes, {compiled}")
    for _ in range(arguments.rounds):
        print(f"{'':34}{'items/s':>10}{'CPU us/item':>13}{'peak MB':>9}{'x bound':>9}{'x user':>8}   (wall, CPU)")
        rows = [(name, measure(work, tasks, arguments.processes, collect=collect)) for name, work, collect in ROWS]
        bound, user = rows[0][1], rows[-1][1]
        for name, (rate, cpu, peak) in rows:
            ratios = f"{bound[0] / rate:5.1f},{cpu / bound[1]:4.1f}{rate / user[0]:6.1f},{user[1] / cpu:4.1f}"
            print(f"{name:34}{rate:>10,.0f}{cpu:>13.2f}{peak:>9.0f} {ratios}")


if __name__ == "__main__":
    main()
