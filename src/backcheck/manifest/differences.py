"""With the data at hand: which keys differ, and how. Memory is bounded: buckets are taken a group at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeAlias

import orjson
from blake3 import blake3

from backcheck.errors import Error
from backcheck.manifest.digest import (
    BUCKETS,
    ITEM_PREFIX,
    KEY_PREFIX,
    SUM_BYTES,
    Digest,
    bucket_counts,
    bucket_of,
)
from backcheck.manifest.encoding import Attributes, encode_key
from backcheck.manifest.engine import run
from backcheck.manifest.reading import ItemSource

GROUP_ITEMS = 100_000
"""Items compared at a time: about 60 MB. More passes over the data, never more memory."""


class Kind(StrEnum):
    """How an item differs. A is what is expected, B what was found."""

    MISSING = "missing"
    """In A, not in B."""
    EXTRA = "extra"
    """In B, not in A."""
    CHANGED = "changed"
    """In both, with other attributes."""
    DUPLICATED = "duplicated"
    """A key that one side holds more than once, which no table can: a damaged export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One key that differs; or one item, where the key is not known."""

    kind: Kind
    digest: str
    """The key's digest in hex; the item's where the key is not known."""
    attributes: tuple[str, ...] = ()
    """For CHANGED, the names that were added, removed or have another value."""
    key: str | None = None
    """The key itself as JSON, only if asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Every difference counted, the first ones listed."""

    counts: dict[Kind, int]
    listed: tuple[Difference, ...]

    @property
    def total(self) -> int:
        """Differences, listed or not."""
        return sum(self.counts.values())


Entry: TypeAlias = tuple[bytes, bytes]
"""Two digests: what an item is paired by, and the item's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """One side's data, and the digest that it must have."""

    sources: Sequence[ItemSource]
    digest: Digest | None
    """None where it has just been read."""
    name: str


def find_differences(
    a: Data, b: Data, buckets: Sequence[int], sizes: Sequence[int], *, limit: int, show_keys: bool, processes: int
) -> Differences:
    """Every difference in `buckets`, up to `limit` of them listed. `sizes` is about how many items each bucket has.

    Raises Error where the data, in those buckets, is not what the manifest was made of.
    """
    counts: Counter[Kind] = Counter()
    found: list[tuple[Kind, bytes]] = []
    for group in _groups(buckets, sizes):
        entries_a, entries_b = (_collect(side, group, processes) for side in (a, b))
        for kind, digest in classify(entries_a, entries_b):
            counts[kind] += 1
            if len(found) < limit:
                found.append((kind, digest))
    return Differences(counts=dict(counts), listed=_described(a, b, found, show_keys=show_keys, processes=processes))


def _groups(buckets: Sequence[int], sizes: Sequence[int]) -> Iterator[frozenset[int]]:
    group: set[int] = set()
    items = 0
    for bucket in buckets:
        if group and items + sizes[bucket] > GROUP_ITEMS:
            yield frozenset(group)
            group, items = set(), 0
        group.add(bucket)
        items += sizes[bucket]
    if group:
        yield frozenset(group)


def _collect(side: Data, group: frozenset[int], processes: int) -> dict[bytes, list[bytes]]:
    entries: dict[bytes, list[bytes]] = {}
    count, total = [0] * BUCKETS, [0] * BUCKETS
    for batch in run(partial(entries_of, buckets=group), side.sources, processes=processes):
        for pairing, item in batch:
            entries.setdefault(pairing, []).append(item)
            bucket = bucket_of(pairing)
            count[bucket] += 1
            total[bucket] += int.from_bytes(item, "little")
    if side.digest is not None:
        _check_buckets(side, side.digest, group, count, total)
    return entries


def _check_buckets(side: Data, digest: Digest, group: Iterable[int], count: list[int], total: list[int]) -> None:
    stated = bucket_counts(digest)
    for bucket in group:
        found = (total[bucket] % (1 << 8 * SUM_BYTES)).to_bytes(SUM_BYTES, "little")
        if count[bucket] != stated[bucket] or found != digest.sums[SUM_BYTES * bucket :][:SUM_BYTES]:
            raise Error(f"the data given for {side.name} is not what its manifest was made of")


def entries_of(source: ItemSource, *, buckets: frozenset[int]) -> list[Entry]:
    """The digests of a file's items that fall in `buckets`."""
    return [(pairing, item) for pairing, item, _ in _items(source) if bucket_of(pairing) in buckets]


def items_of(source: ItemSource, *, wanted: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """The canonical encodings of a file's items that are wanted, by what they are paired by."""
    return [(pairing, encoded) for pairing, _, encoded in _items(source) if pairing in wanted]


def _items(source: ItemSource) -> Iterator[tuple[bytes, bytes, bytes]]:
    number = 0
    try:
        for number, item, encoded in source.items():  # noqa: B007  the number is for the message
            digest = blake3(ITEM_PREFIX + encoded).digest()
            pairing = digest if source.key is None else blake3(KEY_PREFIX + encode_key(item, source.key)).digest()
            yield pairing, digest, encoded
    except Error as error:
        raise Error(error.message, where=error.where or source.at(number), hint=error.hint) from error


def classify(a: dict[bytes, list[bytes]], b: dict[bytes, list[bytes]]) -> Iterator[tuple[Kind, bytes]]:
    """How each key differs, keys in order. Without keys an item stands for itself: DUPLICATED is another count."""
    for pairing in sorted(a.keys() | b.keys()):
        in_a, in_b = a.get(pairing, []), b.get(pairing, [])
        if sorted(in_a) == sorted(in_b):
            continue
        if not in_a or not in_b:
            yield Kind.MISSING if in_a else Kind.EXTRA, pairing
        if len(in_a) > 1 or len(in_b) > 1:
            yield Kind.DUPLICATED, pairing
        elif in_a and in_b:
            yield Kind.CHANGED, pairing


def _described(
    a: Data, b: Data, found: list[tuple[Kind, bytes]], *, show_keys: bool, processes: int
) -> tuple[Difference, ...]:
    """The differences with attribute names, and keys if asked for: one more pass, for those listed only."""
    wanted = frozenset(pairing for kind, pairing in found if show_keys or kind is Kind.CHANGED)
    items_a, items_b = ({} if not wanted else _fetch(side, wanted, processes) for side in (a, b))
    return tuple(
        describe(kind, pairing, items_a.get(pairing), items_b.get(pairing), a.sources[0].key if show_keys else None)
        for kind, pairing in found
    )


def _fetch(side: Data, wanted: frozenset[bytes], processes: int) -> dict[bytes, bytes]:
    return dict(
        entry for batch in run(partial(items_of, wanted=wanted), side.sources, processes=processes) for entry in batch
    )


def describe(kind: Kind, pairing: bytes, a: bytes | None, b: bytes | None, key: tuple[str, ...] | None) -> Difference:
    """One difference; `a` and `b` are the canonical items where they are at hand, `key` is given to have it shown."""
    item_a: Attributes = orjson.loads(a) if a else {}
    item_b: Attributes = orjson.loads(b) if b else {}
    attributes: tuple[str, ...] = ()
    if kind is Kind.CHANGED:
        names = item_a.keys() | item_b.keys()
        attributes = tuple(sorted(name for name in names if item_a.get(name) != item_b.get(name)))
    shown = encode_key(item_a or item_b, key).decode() if key and (item_a or item_b) else None
    return Difference(kind=kind, digest=pairing.hex(), attributes=attributes, key=shown)
