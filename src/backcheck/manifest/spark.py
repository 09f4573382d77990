"""The same digest and the same differences on Spark, past one machine: sums of partitions, reduced. Equal to the byte.

Executors read the files themselves and need backcheck installed; nothing but tasks, sums and digests is sent about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import add
from typing import Any, TypeAlias

from backcheck.errors import Error
from backcheck.manifest.differences import Difference, Differences, Kind, classify, describe, entries_of, items_of
from backcheck.manifest.digest import EMPTY, Digest, merge
from backcheck.manifest.reading import FileTask, Partial, read_changes, read_items
from backcheck.manifest.repeats import key_digests

SparkContext: TypeAlias = Any
"""pyspark is an extra: this module is imported without it."""
Sums: TypeAlias = tuple[Digest, Digest, int]
"""Added, removed, files."""


def spark_context(name: str = "backcheck manifest") -> SparkContext:
    """The running Spark context, or a new one as spark-submit configured it. Raises Error without pyspark."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Error("pyspark is not installed", hint="pip install 'backcheck[spark]'") from error
    return SparkSession.builder.appName(name).getOrCreate().sparkContext


def add_up_on_spark(context: SparkContext, tasks: Sequence[FileTask]) -> tuple[Digest, Digest]:
    """What was added and what was removed in all files. Raises Error for a file that is not as it should be."""
    work: Callable[[FileTask], Partial] = read_changes if tasks[0].changes else read_items
    files = context.parallelize(list(tasks), len(tasks))
    outcomes = files.mapPartitions(partial(_add_partition, work=work))
    added, removed, count = _unwrapped(outcomes.treeReduce(_merged))
    if count != len(tasks):
        raise Error(f"{count} of {len(tasks)} files were read")
    return added, removed


Outcome: TypeAlias = Sums | Error
"""An error is a value here: raised, it would come back as a Java stack trace after four tries of the task."""


def _add_partition(tasks: Iterable[FileTask], *, work: Callable[[FileTask], Partial]) -> Iterator[Outcome]:
    total: Sums = (EMPTY, EMPTY, 0)
    try:
        for task in tasks:
            found = work(task)
            total = (merge(total[0], found.added), merge(total[1], found.removed), total[2] + 1)
    except Error as error:
        yield error
    else:
        yield total


def _merged(a: Outcome, b: Outcome) -> Outcome:
    if isinstance(a, Error):
        return a
    if isinstance(b, Error):
        return b
    return merge(a[0], b[0]), merge(a[1], b[1]), a[2] + b[2]


def _unwrapped(outcome: Outcome) -> Sums:
    if isinstance(outcome, Error):
        raise outcome
    return outcome


def repeated_key_on_spark(context: SparkContext, tasks: Sequence[FileTask]) -> bytes | None:
    """The digest of a key that more than one item has, or None, in files with a key that have been added up."""
    counts = context.parallelize(list(tasks), len(tasks)).flatMap(_counted).reduceByKey(add)
    found: list[bytes] = counts.filter(_repeats).keys().takeOrdered(1)
    return found[0] if found else None


def _counted(task: FileTask) -> Iterator[tuple[bytes, int]]:
    return ((digest, 1) for digest in key_digests(task))


def _repeats(counted: tuple[bytes, int]) -> bool:
    return counted[1] > 1


def differences_on_spark(
    context: SparkContext,
    a: Sequence[FileTask],
    b: Sequence[FileTask],
    buckets: Iterable[int],
    *,
    limit: int,
    show_keys: bool,
) -> Differences:
    """Every difference in `buckets` between two sets of files that have been added up, the first `limit` listed."""
    wanted_buckets = frozenset(buckets)
    sides = [
        context.parallelize(list(tasks), len(tasks)).flatMap(partial(_tagged, buckets=wanted_buckets, side=side))
        for side, tasks in enumerate((a, b))
    ]
    found = sides[0].union(sides[1]).groupByKey().flatMap(_classified).cache()
    counts = {Kind(kind): int(count) for kind, count in found.map(_kind_of).countByValue().items()}
    first = [(Kind(kind), pairing) for pairing, kind in found.takeOrdered(limit)] if limit else []
    wanted = frozenset(pairing for kind, pairing in first if show_keys or kind is Kind.CHANGED)
    items_a, items_b = (_fetched(context, tasks, wanted) for tasks in (a, b))
    key = a[0].key if show_keys else None
    listed: tuple[Difference, ...] = tuple(
        describe(kind, pairing, items_a.get(pairing), items_b.get(pairing), key) for kind, pairing in first
    )
    return Differences(counts=counts, listed=listed)


def _tagged(task: FileTask, *, buckets: frozenset[int], side: int) -> list[tuple[bytes, tuple[int, bytes]]]:
    return [(pairing, (side, item)) for pairing, item in entries_of(task, buckets=buckets)]


def _classified(entry: tuple[bytes, Iterable[tuple[int, bytes]]]) -> list[tuple[bytes, str]]:
    pairing, tagged = entry
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    for side, item in tagged:
        sides[side].append(item)
    a, b = ({pairing: items} if items else {} for items in sides)
    return [(digest, kind.value) for kind, digest in classify(a, b)]


def _kind_of(found: tuple[bytes, str]) -> str:
    return found[1]


def _fetched(context: SparkContext, tasks: Sequence[FileTask], wanted: frozenset[bytes]) -> dict[bytes, bytes]:
    if not wanted:
        return {}
    return dict(context.parallelize(list(tasks), len(tasks)).flatMap(partial(items_of, wanted=wanted)).collect())
