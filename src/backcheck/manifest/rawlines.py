"""Two exports compared by their bytes: equal bytes are equal items, so what is the same is never parsed.

Three steps, each only for what the one before left over:
1. files whose content is the same are matched by its BLAKE3;
2. the lines of the other files are added up as items are (LtHash over BLAKE3, buckets), but by their bytes;
3. the lines of the buckets that differ are parsed, and the rest is proven equal by taking those lines out of both sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from blake3 import blake3

from backcheck.errors import Error
from backcheck.manifest.digest import (
    EMPTY,
    OUTPUT_BYTES,
    Accumulator,
    Digest,
    bucket_of,
    differing_buckets,
    merge,
    subtract,
)
from backcheck.manifest.encoding import parse_line
from backcheck.manifest.engine import Progress, run
from backcheck.manifest.reading import FileTask

_LINE_END = ord("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawComparison:
    """What is left of two sets of files once the lines that are the same bytes are out."""

    a_items: int
    b_items: int
    a: Digest
    """The canonical digest of the items of A that B may not have in the same bytes; the other way for `b`."""
    b: Digest

    @property
    def equal(self) -> bool:
        """True if both hold the same items."""
        return self.a_items == self.b_items and self.a.same_content(self.b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What step 1 keeps of a file."""

    name: str
    lines: int
    blake3: bytes


def compare_lines(a: Sequence[FileTask], b: Sequence[FileTask], *, processes: int, progress: Progress) -> RawComparison:
    """Compare two sets of files. Raises Error for files that are not what their export's manifest states."""
    contents_a, contents_b = (_contents(tasks, processes, progress) for tasks in (a, b))
    rest_a, rest_b = _unmatched_files(a, contents_a, contents_b), _unmatched_files(b, contents_b, contents_a)
    left_a, left_b = _compare_rest(rest_a, rest_b, processes, progress)
    items_a, items_b = (sum(content.lines for content in contents) for contents in (contents_a, contents_b))
    return RawComparison(a_items=items_a, b_items=items_b, a=left_a, b=left_b)


def _contents(tasks: Sequence[FileTask], processes: int, progress: Progress) -> list[Content]:
    contents = []
    for content in run(read_content, tasks, processes=processes):
        contents.append(content)
        progress.advance(1, content.lines)
    return contents


def read_content(task: FileTask) -> Content:
    """Read one file without looking into its lines. Raises Error unless MD5 and count are as stated."""
    hasher = blake3()
    lines = 0
    ended = True  # the line before the data at hand
    for data in task.content():
        hasher.update(data)
        if data:
            ends = np.frombuffer(data, np.uint8) == _LINE_END
            # An end right after an end is an empty line's, and that is no item.
            empty = np.count_nonzero(ends[1:] & ends[:-1]) + (ended and ends[0])
            lines += int(np.count_nonzero(ends) - empty)
            ended = bool(ends[-1])
    lines += not ended
    task.check_count(lines)
    return Content(name=task.name, lines=lines, blake3=hasher.digest())


def _unmatched_files(
    tasks: Sequence[FileTask], contents: Iterable[Content], others: Iterable[Content]
) -> list[FileTask]:
    """The tasks whose content has no partner among `others`; of several with one content, as many as have none."""
    partners = Counter(content.blake3 for content in others)
    by_name = {task.name: task for task in tasks}
    rest = []
    for content in contents:
        if partners[content.blake3]:
            partners[content.blake3] -= 1
        else:
            rest.append(by_name[content.name])
    return rest


def _compare_rest(
    a: Sequence[FileTask], b: Sequence[FileTask], processes: int, progress: Progress
) -> tuple[Digest, Digest]:
    """The canonical digests of what neither file nor line matches."""
    raw_a, raw_b = (_total(run(raw_digest, tasks, processes=processes), progress) for tasks in (a, b))
    if raw_a.same_content(raw_b):
        return EMPTY, EMPTY
    unlike = frozenset(differing_buckets(raw_a, raw_b))
    left = [run(partial(unmatched, buckets=unlike), tasks, processes=processes) for tasks in (a, b)]
    (out_a, left_a), (out_b, left_b) = (_both_totals(partials) for partials in left)
    if not subtract(raw_a, out_a).same_content(subtract(raw_b, out_b)):
        raise Error("lines with equal bucket sums differ: the sums were forged, or a file changed meanwhile")
    return left_a, left_b


def _total(partials: Iterable[Digest], progress: Progress) -> Digest:
    total = EMPTY
    for digest in partials:
        total = merge(total, digest)
        progress.advance(1, digest.items)
    return total


def _both_totals(partials: Iterable[tuple[Digest, Digest]]) -> tuple[Digest, Digest]:
    raw, canonical = EMPTY, EMPTY
    for one_raw, one_canonical in partials:
        raw, canonical = merge(raw, one_raw), merge(canonical, one_canonical)
    return raw, canonical


def raw_digest(task: FileTask) -> Digest:
    """The digest of a file's lines as bytes."""
    total = Accumulator(None)
    add = total.add_output
    for batch in task.line_batches():
        for line in batch:
            add(blake3(line).digest(OUTPUT_BYTES), len(line))
    return total.digest()


def unmatched(task: FileTask, *, buckets: frozenset[int]) -> tuple[Digest, Digest]:
    """The lines that fall in `buckets`: their digest as bytes, and as items."""
    raw, canonical = Accumulator(None), Accumulator(task.key)
    number = 0
    try:
        for batch in task.line_batches():
            for number, line in enumerate(batch, start=number + 1):  # noqa: B007, B020  it goes on counting
                output = blake3(line).digest(OUTPUT_BYTES)
                if bucket_of(output) in buckets:
                    raw.add_output(output, len(line))
                    canonical.add(*parse_line(line))
    except Error as error:
        raise Error(error.message, where=error.where or task.at(number), hint=error.hint) from error
    return raw.digest(), canonical.digest()
