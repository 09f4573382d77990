"""Lines out of a data file, gzip or plain, at a bounded size in memory and with nothing cut off unnoticed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from isal import isal_zlib
from isal.igzip_lib import IsalError

from backcheck.errors import Error

MAX_LINE_BYTES = 16 << 20
"""Longer is refused. An item has 400 KB; written as JSON, with every byte escaped, it stays under this."""
_CHUNK_BYTES = 32 << 10
_OUTPUT_BYTES = 256 << 10
# 32 kB in, 256 kB out at most: both stay in a core's second cache; larger measured up to 1.5 times slower.
_GZIP = 31  # zlib's own way to say: gzip header and trailer, 32 kB window


class Readable(Protocol):
    """What is read: a file, or the body of an S3 object."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


class MeasuredSource:
    """A source that adds up the MD5 and size of what is read from it, for comparison with an export's manifest."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size_bytes = 0

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        data = self._source.read(size)
        self._md5.update(data)
        self.size_bytes += len(data)
        return data

    def md5(self) -> bytes:
        """The MD5 of everything read so far."""
        return self._md5.digest()


def gunzipped(source: Readable) -> Iterator[bytes]:
    """The decompressed content of a gzip file of one or more members; an empty file has none.

    Raises Error where a member is cut off or damaged, or where something that is not gzip follows the last one.
    """
    decoder = None
    while data := source.read(_CHUNK_BYTES):
        while data:
            if decoder is None:
                decoder = isal_zlib.decompressobj(wbits=_GZIP)
            try:
                yield decoder.decompress(data, _OUTPUT_BYTES)
            except IsalError as error:  # type: ignore[misc]  # isal's stub declares a value where the class is
                raise Error("damaged: not a whole gzip file", hint="copy the file again") from error
            data = decoder.unconsumed_tail
            if decoder.eof:
                data, decoder = decoder.unused_data, None
    if decoder is not None:
        yield from _drained(decoder)


def _drained(decoder: isal_zlib.Decompress) -> Iterator[bytes]:
    """What a decoder still holds when its input has ended."""
    while not decoder.eof:
        data = decoder.decompress(b"", _OUTPUT_BYTES)
        if not data and not decoder.eof:
            raise Error("cut off: the gzip file ends before its content does", hint="copy the file again")
        yield data


def chunks(source: Readable) -> Iterator[bytes]:
    """The content of a file that is not compressed."""
    while data := source.read(_CHUNK_BYTES):
        yield data


def split_lines(content: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines of `content`, in lists of as many as were at hand; empty ones are left out.

    A last line without a line end counts: whether it is whole is for the parser and the item count to say.
    """
    rest: list[bytes] = []
    rest_bytes = 0
    for data in content:
        head, end, tail = data.rpartition(b"\n")
        if not end:
            rest.append(data)
            rest_bytes += len(data)
            if rest_bytes > MAX_LINE_BYTES:
                raise Error(f"a line longer than {MAX_LINE_BYTES >> 20} MiB")
            continue
        rest.append(head)
        yield _filled(b"".join(rest).split(b"\n"))
        rest, rest_bytes = [tail], len(tail)
    yield _filled([b"".join(rest)])


def _filled(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if line] if b"" in lines else lines
