"""Two exports compared by their raw lines: equal bytes are equal items, so what is the same is never parsed.

The lines are added up as items are (LtHash over BLAKE3, buckets), but by their bytes. Equal sums end the matter. Else
only the lines of the buckets that differ are parsed, and the rest is proven equal by taking them out of both sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RawComparison:
    """What is left of two sets of files once the lines that are the same bytes are out."""

    a_items: int
    b_items: int
    a: Digest
    """The canonical digest of the items of A that B does not have in the same bytes; the other way for `b`."""
    b: Digest

    @property
    def equal(self) -> bool:
        """True if both hold the same items."""
        return self.a_items == self.b_items and self.a.same_content(self.b)


def compare_lines(a: Sequence[FileTask], b: Sequence[FileTask], *, processes: int, progress: Progress) -> RawComparison:
    """Compare two sets of files. Raises Error for files that are not what their export's manifest states."""
    raw_a, raw_b = (_total(run(raw_digest, tasks, processes=processes), progress) for tasks in (a, b))
    if raw_a.same_content(raw_b):
        return RawComparison(a_items=raw_a.items, b_items=raw_b.items, a=EMPTY, b=EMPTY)
    unlike = frozenset(differing_buckets(raw_a, raw_b))
    left = [run(partial(unmatched, buckets=unlike), tasks, processes=processes) for tasks in (a, b)]
    (out_a, rest_a), (out_b, rest_b) = (_both_totals(partials) for partials in left)
    if not subtract(raw_a, out_a).same_content(subtract(raw_b, out_b)):
        raise Error("lines with equal bucket sums differ: the buckets of one side were forged, or a file changed")
    return RawComparison(a_items=raw_a.items, b_items=raw_b.items, a=rest_a, b=rest_b)


def _total(partials: Iterator[Digest], progress: Progress) -> Digest:
    total = EMPTY
    for digest in partials:
        total = merge(total, digest)
        progress.advance(1, digest.items)
    return total


def _both_totals(partials: Iterator[tuple[Digest, Digest]]) -> tuple[Digest, Digest]:
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
            output = blake3(line).digest(OUTPUT_BYTES)
            add(output, len(line))
    return total.digest()


def unmatched(task: FileTask, *, buckets: frozenset[int]) -> tuple[Digest, Digest]:
    """The lines that fall in `buckets`: their digest as bytes, and as items."""
    raw, canonical = Accumulator(None), Accumulator(task.key)
    number = 0
    try:
        for batch in task.line_batches():
            for line in batch:
                number += 1
                output = blake3(line).digest(OUTPUT_BYTES)
                if bucket_of(output) in buckets:
                    raw.add_output(output, len(line))
                    canonical.add(*parse_line(line))
    except Error as error:
        raise Error(error.message, where=error.where or task.at(number), hint=error.hint) from error
    return raw.digest(), canonical.digest()
