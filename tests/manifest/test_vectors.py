"""The published vectors are what the code computes; that they are right is independent.py's to say."""

from __future__ import annotations

import json

import pytest
from tests.manifest import vectors

from backcheck.errors import Error
from backcheck.manifest.digest import item_digest
from backcheck.manifest.encoding import encode_item, parse_line, parse_object


def test_the_published_vectors_are_up_to_date() -> None:
    assert json.loads(vectors.PATH.read_text(encoding="ascii")) == vectors.vectors()


@pytest.mark.parametrize("texts", vectors.SAME, ids=lambda texts: texts[0])
def test_spellings_of_one_item_have_one_digest(texts: list[str]) -> None:
    assert len({item_digest(parse_object(text.encode())) for text in texts}) == 1


def test_no_two_items_of_the_list_have_one_digest() -> None:
    digests = [item_digest(parse_object(vectors.text_of(name))) for name in vectors.ITEMS]
    same = {
        ("minus zero", "minus zero with a fraction and exponent"),
        ("beyond ASCII, raw", "beyond ASCII, escaped"),
    }
    assert len(set(digests)) == len(digests) - len(same)


@pytest.mark.parametrize("text", vectors.REFUSED)
def test_what_no_table_can_hold_is_refused(text: str) -> None:
    with pytest.raises(Error) as caught:
        encode_item(parse_object(text.encode()))
    assert caught.value.message


def test_a_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Error, match="not JSON"):
        parse_object(b'{"id":{"S":"\xff"}}')


@pytest.mark.parametrize(
    "line",
    [
        b'{"Item":{"a":{"S":"x"},"a":{"S":"x"}}}',
        # As long as the canonical encoding would be: the number grows by what the repeated member takes.
        b'{"Item":{"a":{"N":"1E16"},"a":{"N":"1E16"}}}',
        b'{"Item":{"b":{"NS":["1E16"]},"b":{"NS":["1E16"]}}}',
        b'{"Item":{"a":{"S":"x"}},"Item":{"a":{"S":"x"}}}',
    ],
)
def test_a_name_that_occurs_twice_in_a_line_is_refused_whatever_the_length(line: bytes) -> None:
    with pytest.raises(Error, match="named twice"):
        parse_line(line)
