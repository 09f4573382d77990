"""Whether a statement's conditions are met: three-valued, for what a request carries is not always known.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html.
Operators that compare times, numbers, addresses and binaries are none that backups' policies use: they leave it open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType

from backcheck.inventory.iam import Statement

Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case to what the request carries; no values: it does not carry the key. A key that is not
here is not known."""

NOTHING_KNOWN: Context = MappingProxyType({})

BY_A_SERVICE: Context = MappingProxyType({"aws:securetransport": ("true",), "aws:principalisawsservice": ("true",)})
"""What a service's own call carries: it comes over TLS
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)."""

MULTIVALUED = frozenset({"kms:resourcealiases", "kms:encryptioncontextkeys"})
"""Keys that a policy must compare with a set operator; what it means without one no page says (conditions-kms)."""
PARTIAL = frozenset({"kms:encryptioncontextkeys"})
"""Keys of which a request may carry more values than are known."""

ANY, ALL = "foranyvalue:", "forallvalues:"


def holds(statement: Statement, context: Context) -> bool | None:
    """Whether every condition of a statement is met; None where that is not known."""
    return all_of(
        _met(operator.lower(), key.lower(), values, context) for operator, key, values in statement.conditions
    )


def from_account(account: str) -> Context:
    """What every request of an account's roles and users carries, those that a service makes with a role as well."""
    return {
        "kms:calleraccount": (account,),
        "aws:principalaccount": (account,),
        "aws:principalisawsservice": ("false",),
        "aws:securetransport": ("true",),
    }


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """True where all are, False where one is not, else None."""
    found = set(answers)
    return False if False in found else None if None in found else True


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """True where one is, False where none is, else None."""
    found = set(answers)
    return True if True in found else None if None in found else False


def _met(operator: str, key: str, wanted: tuple[str, ...], context: Context) -> bool | None:
    found = context.get(key)
    quantifier = next((one for one in (ANY, ALL) if operator.startswith(one)), "")
    name = operator.removeprefix(quantifier).removesuffix("ifexists")
    if found is None or any("${" in value for value in wanted):
        return None
    if name == "null":
        return any((not found) is (value.lower() == "true") for value in wanted) if wanted else None
    bare = name.replace("not", "", 1)
    compare, negated = OPERATORS.get(bare), bare != name
    if compare is None or (key in MULTIVALUED and not quantifier):
        return None
    if not found:
        return quantifier == ALL or operator.endswith("ifexists") or (negated and quantifier != ANY)
    matched = [any(compare(pattern, value) for pattern in wanted) is not negated for value in found]
    met = all(matched) if quantifier == ALL else any(matched)
    if key in PARTIAL:
        return met if met is (quantifier == ANY) else None
    return met


def matches(pattern: str, text: str) -> bool:
    """`*` and `?` as IAM reads them, in ARNs, actions and values."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    written = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile(written, re.DOTALL)


def _equals(pattern: str, value: str) -> bool:
    return pattern == value


def _equals_in_any_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": _equals,
    "stringequalsignorecase": _equals_in_any_case,
    "stringlike": matches,
    "arnequals": matches,  # "ArnEquals and ArnLike behave identically"
    "arnlike": matches,
    "bool": _equals_in_any_case,
}
"""By name; a negated one is the same with `not` in it."""

NAMING = frozenset(OPERATORS) - {"bool"}
"""Operators by which a condition names who may; others, such as ArnNotEquals, are met by the rest."""
