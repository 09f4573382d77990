"""Numbers: one spelling for one value, and no value lost on the way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.manifest.strategies import numbers

from backcheck.errors import Error
from backcheck.manifest.number import SMALL_INTEGERS, canonical_number, is_canonical


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("1E0", "1"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0E-9999999999", "0"),
        ("1E2", "100"),
        ("1.5e-3", "0.0015"),
        (".5", "0.5"),
        ("5.", "5"),
        ("007", "7"),
        ("-12.340", "-12.34"),
        ("1E125", "1" + "0" * 125),
        ("1E-130", "0." + "0" * 129 + "1"),
        ("1" * 38 + "000", "1" * 38 + "000"),
    ],
)
def test_a_number_has_one_spelling(given_text: str, expected: str) -> None:
    assert canonical_number(given_text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" * 39, "39 significant digits"),
        ("0." + "1" * 39, "39 significant digits"),
        ("1E126", "outside DynamoDB's range"),
        ("1E-131", "outside DynamoDB's range"),
        ("1E9999999999", "outside DynamoDB's range"),
        ("", "not a number"),
        (".", "not a number"),
        ("1e", "not a number"),
        ("٣", "not a number"),
        ("1\n", "not a number"),
        ("1" + "0" * 1000, "not a number"),
    ],
)
def test_what_is_no_dynamodb_number_is_refused(text: str, message: str) -> None:
    with pytest.raises(Error, match=message):
        canonical_number(text)


@given(numbers())
def test_the_canonical_spelling_is_the_same_number_and_its_own_canonical_spelling(text: str) -> None:
    canonical = canonical_number(text)
    assert Decimal(canonical) == Decimal(text)
    assert canonical_number(canonical) == canonical
    assert is_canonical(canonical)


@given(numbers(), numbers())
def test_two_spellings_are_canonically_equal_exactly_if_the_numbers_are(a: str, b: str) -> None:
    assert (canonical_number(a) == canonical_number(b)) == (Decimal(a) == Decimal(b))


@given(st.text(alphabet="0123456789+-.eE ", max_size=12))
def test_any_text_is_its_number_or_refused(text: str) -> None:
    try:
        canonical = canonical_number(text)
    except Error:
        return
    assert Decimal(canonical) == Decimal(text)


def test_the_integers_looked_up_are_canonical() -> None:
    assert all(is_canonical(text) for text in SMALL_INTEGERS)
