"""DynamoDB numbers as one spelling each, without ever going through float.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number
"""

from __future__ import annotations

import re

from backcheck.errors import Error

MAX_DIGITS = 38
"""'Numbers can have up to 38 digits of precision.'"""
MAX_EXPONENT = 125
"""'9.9999999999999999999999999999999999999E+125' is the greatest."""
MIN_EXPONENT = -130
"""'1E-130' is the smallest above zero."""
_MAX_TEXT = 1_000
"""Characters; the longest plain spelling has 170. Longer is hostile, and int() of it would be slow."""

is_canonical = re.compile(r"0|-?(?:[1-9][0-9]*(?:\.[0-9]*[1-9])?|0\.[0-9]*[1-9])").fullmatch
"""Matches canonical text. Up to MAX_DIGITS characters nothing else is to be checked: digits and range fit."""
SMALL_INTEGERS = frozenset(map(str, range(10_000)))
"""Canonical, and what most numbers are: looking one up costs a fifth of matching it."""
_spelling = re.compile(r"([+-]?)(?=[0-9.])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,10}))?").fullmatch


def canonical_number(text: str) -> str:
    """One spelling for one value: plain decimal, no exponent, no sign on zero, no zero that can be left out.

    `1`, `1.0`, `+1`, `01` and `10E-1` all give `1`; `-0` gives `0`. Raises Error for what DynamoDB does not hold: more
    than 38 significant digits, a magnitude outside 1E-130 to 9.99E+125, or text that is no number.
    """
    if len(text) <= MAX_DIGITS and is_canonical(text):
        return text
    match = _spelling(text) if len(text) <= _MAX_TEXT else None
    whole, fraction = (match[2], match[3] or "") if match else ("", "")
    if match is None or not whole + fraction:
        raise Error("not a number")
    leading = (whole + fraction).lstrip("0")
    digits = leading.rstrip("0")
    if not digits:
        return "0"
    exponent = int(match[4] or 0) - len(fraction) + len(leading) - len(digits)
    _check_range(digits, exponent)
    return ("-" if match[1] == "-" else "") + _plain(digits, exponent)


def _check_range(digits: str, exponent: int) -> None:
    if len(digits) > MAX_DIGITS:
        raise Error(f"a number of {len(digits)} significant digits; DynamoDB holds {MAX_DIGITS}")
    if not MIN_EXPONENT <= exponent + len(digits) - 1 <= MAX_EXPONENT:
        raise Error("a number outside DynamoDB's range, 1E-130 to 9.9999999999999999999999999999999999999E+125")


def _plain(digits: str, exponent: int) -> str:
    if exponent >= 0:
        return digits + "0" * exponent
    point = len(digits) + exponent
    if point > 0:
        return f"{digits[:point]}.{digits[point:]}"
    return f"0.{'0' * -point}{digits}"
