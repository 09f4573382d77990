"""Lines out of files: whole, or an error; never a part."""

from __future__ import annotations

import gzip
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.errors import Error
from backcheck.manifest import lines
from backcheck.manifest.lines import MAX_LINE_BYTES, MeasuredSource, chunks, gunzipped, split_lines


def unzipped(data: bytes) -> bytes:
    return b"".join(gunzipped(io.BytesIO(data)))


@pytest.mark.parametrize("size", [0, 1, 100, 262_143, 262_144, 262_145, 2_000_000])
def test_a_gzip_file_is_read_whole(size: int) -> None:
    content = (hashlib.sha256(b"seed").digest() * (size // 32 + 1))[:size]
    assert unzipped(gzip.compress(content)) == content
    assert unzipped(gzip.compress(content) + gzip.compress(b"more")) == content + b"more"


def test_a_file_without_a_byte_is_an_empty_one() -> None:
    assert unzipped(b"") == b""


@given(st.integers(1, 99))
def test_a_gzip_file_cut_off_anywhere_is_refused(percent: int) -> None:
    whole = gzip.compress(hashlib.sha256(b"x").digest() * 100)
    with pytest.raises(Error, match=r"cut off|damaged"):
        unzipped(whole[: max(1, len(whole) * percent // 100)])


@given(st.data())
def test_a_bit_flipped_in_a_gzip_file_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    content = hashlib.sha256(b"x").digest() * 10
    whole = bytearray(gzip.compress(content, mtime=0))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = unzipped(bytes(whole))
    except Error:
        return
    assert found == content  # the header has a time and a system that mean nothing


def test_something_else_after_a_gzip_file_is_refused() -> None:
    with pytest.raises(Error, match="damaged"):
        unzipped(gzip.compress(b"content") + b"something else")


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b), max_size=20), st.integers(1, 30))
def test_lines_do_not_depend_on_how_the_content_comes(given_lines: list[bytes], size: int) -> None:
    content = b"\n".join(given_lines)
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    assert [line for batch in split_lines(parts) for line in batch] == [line for line in given_lines if line]


def test_a_line_without_an_end_cannot_fill_the_memory() -> None:
    with pytest.raises(Error, match="longer than 16 MiB"):
        list(split_lines(iter([b"x" * (MAX_LINE_BYTES // 2 + 1)] * 2)))


def test_a_bomb_is_unpacked_a_piece_at_a_time() -> None:
    pieces = list(gunzipped(io.BytesIO(gzip.compress(b"\0" * 50_000_000))))
    assert max(map(len, pieces)) <= lines._OUTPUT_BYTES


def test_the_md5_is_of_everything_read() -> None:
    source = MeasuredSource(io.BytesIO(b"abc" * 50_000))
    assert b"".join(chunks(source)) == b"abc" * 50_000
    assert source.md5() == hashlib.md5(b"abc" * 50_000).digest()
