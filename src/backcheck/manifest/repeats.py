"""A key that an export holds twice, which no table can. Two damaged exports with one content would be equal else.

Sums cannot tell: any item may be in them twice. So the keys are compared with each other, 8 bytes of each key's digest
at a time, sorted; what is alike there is read once more and compared whole. Memory is bounded: a pass over the data for
every `KEYS_AT_ONCE` keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from blake3 import blake3

from backcheck.errors import Error
from backcheck.manifest.digest import BUCKETS, KEY_PREFIX, bucket_of
from backcheck.manifest.encoding import encode_key, load_object, make_canonical
from backcheck.manifest.engine import run
from backcheck.manifest.reading import FileTask

KEYS_AT_ONCE = 1 << 25
"""256 MB of them."""
_HEAD_BYTES = 8
_LOOKED_AT = 1_000
"""Heads looked at whole. That many keys with equal heads but other digests would take a table of 10**11 items."""


def repeated_key(tasks: Sequence[FileTask], items: int, *, processes: int) -> bytes | None:
    """The digest of a key that more than one of the `items` items in `tasks` has, or None if all differ.

    The tasks name the key. Raises Error for an item without it, and for files that are not as stated.
    """
    passes = min(BUCKETS, 1 + items // KEYS_AT_ONCE)
    for number in range(passes):
        group = range(BUCKETS * number // passes, BUCKETS * (number + 1) // passes)
        if (alike := _alike(tasks, group, processes)) and (found := _whole(tasks, alike, processes)):
            return found
    return None


def _alike(tasks: Sequence[FileTask], group: range, processes: int) -> frozenset[bytes]:
    """The heads that more than one key of these buckets has; of very many, some."""
    heads = bytearray()
    for part in run(partial(heads_of, buckets=group), tasks, processes=processes):
        heads += part
    ordered = np.frombuffer(heads, "<u8")
    ordered.sort()
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    return frozenset(head.tobytes() for head in np.unique(repeated)[:_LOOKED_AT])


def _whole(tasks: Sequence[FileTask], heads: frozenset[bytes], processes: int) -> bytes | None:
    counts = Counter[bytes]()
    for digests in run(partial(digests_of, heads=heads), tasks, processes=processes):
        counts.update(digests)
    return min((digest for digest, count in counts.items() if count > 1), default=None)


def heads_of(task: FileTask, *, buckets: range) -> bytes:
    """The first 8 bytes of the key digests of a file's items in `buckets`, one after the other."""
    heads = bytearray()
    for digest in key_digests(task):
        if bucket_of(digest) in buckets:
            heads += digest[:_HEAD_BYTES]
    return bytes(heads)


def digests_of(task: FileTask, *, heads: frozenset[bytes]) -> list[bytes]:
    """The key digests of a file's items that begin with one of `heads`."""
    return [digest for digest in key_digests(task) if digest[:_HEAD_BYTES] in heads]


def key_digests(task: FileTask) -> Iterator[bytes]:
    """Of each item. Of a line only the key is made canonical: a pass costs about half of adding up whole items."""
    number = 0
    names = task.key or ()
    try:
        for batch in task.line_batches():
            for number, line in enumerate(batch, start=number + 1):  # noqa: B007, B020  it goes on counting
                yield blake3(KEY_PREFIX + _encoded_key(line, names)).digest()
    except Error as error:
        raise Error(error.message, where=error.where or task.at(number), hint=error.hint) from error


def _encoded_key(line: bytes, names: tuple[str, ...]) -> bytes:
    item = load_object(line).get("Item")
    if type(item) is not dict:
        raise Error("a line that is not an object with one member, Item")
    key = {name: item[name] for name in names if name in item}
    if len(key) == len(names):
        make_canonical(key)
    return encode_key(key, names)
