"""The table digest: order-free, mergeable, and equal to the byte whoever adds it up. Defined in docs/manifest.md.

What proves equality is LtHash (Bellare and Micciancio; Lewi et al., https://eprint.iacr.org/2019/227): the sum of
1,024 lanes of 16 bits over each item's BLAKE3 output. It is a sum, not XOR, so two equal items do not cancel. The 4,096
buckets, each a count and a 256-bit sum, say where two tables differ; they are no proof: sums of 256 bits can be forged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from backcheck.errors import Error
from backcheck.manifest.encoding import Attributes, encode_item, encode_key

LANES = 1024
LANE_BYTES = 2 * LANES
BUCKETS = 4096
SUM_BYTES = 32
OUTPUT_BYTES = SUM_BYTES + LANE_BYTES
"""What is drawn from BLAKE3 for an item: 32 bytes that are the item's digest, then the lanes."""

ITEM_PREFIX = b"backcheck/manifest/v1/item\n"
KEY_PREFIX = b"backcheck/manifest/v1/key\n"
TABLE_PREFIX = b"backcheck/manifest/v1/table\n"
"""Three prefixes, so that no item's digest is ever a key's or a table's."""

_LIMBS = SUM_BYTES // 4
BATCH = 64
"""Items added at a time: 130 kB, which stays in a core's second cache; 16 and 256 measured slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A set of items added up. Equal content gives equal digests, whatever the order and the parts."""

    items: int
    size_bytes: int
    """Length of the canonical encodings together."""
    lanes: bytes
    """1,024 little-endian 16-bit sums: the proof."""
    counts: bytes
    """4,096 little-endian 64-bit counts, one a bucket."""
    sums: bytes
    """4,096 little-endian 256-bit sums of item digests, one a bucket."""

    @property
    def id(self) -> str:
        """The digest in one line for people and reports: BLAKE3 over count, size and lanes, in hex."""
        sizes = self.items.to_bytes(8, "little") + self.size_bytes.to_bytes(8, "little")
        return blake3(TABLE_PREFIX + sizes + self.lanes).hexdigest()

    def same_content(self, other: Digest) -> bool:
        """True if both are sums of the same items: count, size and every lane equal."""
        return (self.items, self.size_bytes, self.lanes) == (other.items, other.size_bytes, other.lanes)


EMPTY = Digest(
    items=0, size_bytes=0, lanes=bytes(LANE_BYTES), counts=bytes(8 * BUCKETS), sums=bytes(SUM_BYTES * BUCKETS)
)
"""The digest of no items."""


def merge(a: Digest, b: Digest) -> Digest:
    """The digest of both sets together."""
    return Digest(
        items=a.items + b.items,
        size_bytes=a.size_bytes + b.size_bytes,
        lanes=(_lanes(a) + _lanes(b)).tobytes(),
        counts=(_counts(a) + _counts(b)).tobytes(),
        sums=_carried(_limbs(a) + _limbs(b)),
    )


def subtract(a: Digest, b: Digest) -> Digest:
    """The digest of `a` without the items of `b`. Raises Error where `b` cannot be a part of `a`."""
    if b.items > a.items or b.size_bytes > a.size_bytes or bool(np.any(_counts(b) > _counts(a))):
        raise Error("there are more items to take away than the table has")
    negated = ~_limbs(b) & np.uint64(0xFFFFFFFF)
    negated[:, 0] += np.uint64(1)
    return Digest(
        items=a.items - b.items,
        size_bytes=a.size_bytes - b.size_bytes,
        lanes=(_lanes(a) - _lanes(b)).tobytes(),
        counts=(_counts(a) - _counts(b)).tobytes(),
        sums=_carried(_limbs(a) + negated),
    )


def differing_buckets(a: Digest, b: Digest) -> tuple[int, ...]:
    """The buckets that two digests disagree on. Both must be bucketed by the same thing."""
    unequal = (_counts(a) != _counts(b)) | np.any(_limbs(a) != _limbs(b), axis=1)
    return tuple(int(bucket) for bucket in np.flatnonzero(unequal))


def bucket_counts(digest: Digest) -> tuple[int, ...]:
    """Items in each bucket."""
    return tuple(int(count) for count in _counts(digest))


def _lanes(digest: Digest) -> NDArray[np.uint16]:
    return np.frombuffer(digest.lanes, "<u2")


def _counts(digest: Digest) -> NDArray[np.uint64]:
    return np.frombuffer(digest.counts, "<u8")


def _limbs(digest: Digest) -> NDArray[np.uint64]:
    """Each sum as eight 32-bit limbs in 64 bits, lowest first: room to add without losing a carry."""
    return np.frombuffer(digest.sums, "<u4").reshape(BUCKETS, _LIMBS).astype("<u8")


def _carried(limbs: NDArray[np.uint64]) -> bytes:
    """Limbs with their carries worked off, modulo 2**256."""
    carry = np.zeros(BUCKETS, "<u8")
    result = np.empty((BUCKETS, _LIMBS), "<u4")
    for position in range(_LIMBS):
        total = limbs[:, position] + carry
        result[:, position] = total & np.uint64(0xFFFFFFFF)
        carry = total >> np.uint64(32)
    return result.tobytes()


class Accumulator:
    """Adds up items. With the key's attribute names, buckets go by key digest, else by item digest."""

    __slots__ = ("_counts", "_items", "_key", "_lanes", "_limbs", "_outputs", "_places", "_size_bytes")

    def __init__(self, key: tuple[str, ...] | None) -> None:
        self._key = key
        self._items = 0
        self._size_bytes = 0
        self._outputs: list[bytes] = []
        self._places: list[bytes] = []
        self._lanes = np.zeros(LANES, "<u2")
        self._counts = np.zeros(BUCKETS, "<u8")
        self._limbs = np.zeros((BUCKETS, _LIMBS), "<u8")

    def add(self, item: Attributes, encoded: bytes) -> None:
        """Add one canonical item and its encoding. Raises Error where it has not the key's attributes."""
        output = blake3(ITEM_PREFIX + encoded).digest(OUTPUT_BYTES)
        key = self._key
        where = output if key is None else blake3(KEY_PREFIX + encode_key(item, key)).digest()
        self._outputs.append(output)
        self._places.append(where[:2])
        self._size_bytes += len(encoded)
        if len(self._outputs) >= BATCH:
            self._flush()

    def add_output(self, output: bytes, size_bytes: int) -> None:
        """Add what BLAKE3 gave for one item, OUTPUT_BYTES of it, without a key."""
        self._outputs.append(output)
        self._places.append(output[:2])
        self._size_bytes += size_bytes
        if len(self._outputs) >= BATCH:
            self._flush()

    def add_batch(self, batch: list[tuple[Attributes, bytes]]) -> None:
        """Add canonical items and their encodings; all or, where one has not the key's attributes, none."""
        key = self._key
        outputs = [blake3(ITEM_PREFIX + encoded).digest(OUTPUT_BYTES) for _, encoded in batch]
        if key is None:
            places = [output[:2] for output in outputs]
        else:
            places = [blake3(KEY_PREFIX + encode_key(item, key)).digest(2) for item, _ in batch]
        self._size_bytes += sum([len(encoded) for _, encoded in batch])
        self._sum(outputs, places)

    def _flush(self) -> None:
        self._sum(self._outputs, self._places)
        self._outputs.clear()
        self._places.clear()

    def _sum(self, outputs: list[bytes], places: list[bytes]) -> None:
        rows = np.frombuffer(b"".join(outputs), "<u2").reshape(-1, OUTPUT_BYTES // 2)
        where = np.frombuffer(b"".join(places), ">u2") >> 4
        self._lanes += rows[:, SUM_BYTES // 2 :].sum(axis=0, dtype="<u2")
        np.add.at(self._counts, where, np.uint64(1))
        # Widened first: add.at casts element by element, which measured five times slower.
        np.add.at(self._limbs, where, np.ascontiguousarray(rows[:, : SUM_BYTES // 2]).view("<u4").astype("<u8"))
        self._items += len(rows)

    def digest(self) -> Digest:
        """What was added so far."""
        if self._outputs:
            self._flush()
        return Digest(
            items=self._items,
            size_bytes=self._size_bytes,
            lanes=self._lanes.tobytes(),
            counts=self._counts.tobytes(),
            sums=_carried(self._limbs),
        )


def bucket_of(digest: bytes) -> int:
    """The bucket that a key's or an item's digest falls in: its first twelve bits."""
    return digest[0] << 4 | digest[1] >> 4


def key_digest(item: Attributes, key: tuple[str, ...]) -> bytes:
    """The 32 bytes that stand for a key where it must not be shown. `item` is canonical."""
    return bytes(blake3(KEY_PREFIX + encode_key(item, key)).digest())


def item_digest(item: Attributes) -> bytes:
    """The 32 bytes that stand for an item, which is made canonical in place."""
    return bytes(blake3(ITEM_PREFIX + encode_item(item)).digest())
