"""Attribute values as DynamoDB keeps them: numbers normalised and bounded, sets without duplicates.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from backcheck.sandbox.refusal import Refusal

DIGITS = 38
LARGEST = Decimal("9.9999999999999999999999999999999999999E+125")
SMALLEST = Decimal("1E-130")
EXACT = Context(prec=DIGITS, traps=[Inexact, InvalidOperation])
"""Arithmetic that raises Inexact rather than round."""


def canonical(text: str) -> str:
    """A number's text as DynamoDB returns it: 'leading and trailing zeroes are trimmed'. Raises ValidationException."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise _refused(f"The parameter cannot be converted to a numeric value: {text}") from None
    if not value.is_finite():
        raise _refused(f"The parameter cannot be converted to a numeric value: {text}")
    if not value:
        return "0"
    try:
        value = EXACT.plus(value)
    except Inexact:
        raise _refused("Attempting to store more than 38 significant digits in a Number") from None
    if abs(value) > LARGEST:
        raise _refused("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if abs(value) < SMALLEST:
        raise _refused("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    return format(value.normalize(EXACT), "f")


def normalise(value: Any) -> None:
    """Make every attribute value inside `value` canonical, in place."""
    if isinstance(value, dict):
        if len(value) == 1 and _attribute_value(value):
            return
        for inner in value.values():
            normalise(inner)
    elif isinstance(value, list):
        for inner in value:
            normalise(inner)


def _attribute_value(value: dict[str, Any]) -> bool:
    """Handle one attribute value; False where this is something else, or holds more values inside."""
    [(kind, held)] = value.items()
    if kind == "N" and isinstance(held, str):
        value["N"] = canonical(held)
        return True
    if kind in ("SS", "NS", "BS") and isinstance(held, list) and not any(isinstance(m, Mapping) for m in held):
        value[kind] = _set(kind, held)
        return True
    return False


def _set(kind: str, members: list[Any]) -> list[Any]:
    found = [canonical(member) for member in members] if kind == "NS" else members
    if not found:
        raise _refused("One or more parameter values were invalid: An set may not be empty")
    if len(set(found)) != len(found):
        shown = "bytes" if kind == "BS" else found
        raise _refused(f"One or more parameter values were invalid: Input collection {shown} contains duplicates.")
    return found


def _refused(message: str) -> Refusal:
    return Refusal("ValidationException", message)
