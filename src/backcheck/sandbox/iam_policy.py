"""Policy documents: what they allow and deny.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. The condition operators that
are here are the string, ARN, boolean, numeric-free subset that backup policies use; any other one is unsupported, so
that a document is never judged by half of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from backcheck.sandbox.refusal import Unsupported


class Decision(StrEnum):
    """As SimulatePrincipalPolicy says it."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who wants to do what to what."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    """Condition keys in lower case to their values; a key that is not here is absent from the request."""
    principal: str | None = None
    """The caller's ARN, for resource policies; None for identity policies, which name none."""


def decide(documents: Iterable[str | Mapping[str, Any]], request: Request) -> Decision:
    """An explicit deny wins; without an allow it is an implicit deny."""
    effects = {
        statement.get("Effect")
        for document in documents
        for statement in statements(document)
        if _applies(statement, request)
    }
    if "Deny" in effects:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if "Allow" in effects else Decision.IMPLICIT_DENY


def statements(document: str | Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statements of one document, which may be one object instead of a list."""
    parsed = _parsed(document) if isinstance(document, str) else document
    yield from _listed(parsed.get("Statement"))


@cache
def _parsed(document: str) -> Any:
    return json.loads(document)


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _principal_applies(statement, request.principal)
        and _named(statement, "Action", request.action, fold_case=True)
        and _named(statement, "Resource", request.resource, fold_case=False)
        and all(_holds(*test, request.context) for test in _tests(statement.get("Condition") or {}))
    )


def _principal_applies(statement: Mapping[str, Any], caller: str | None) -> bool:
    if caller is None:
        return True
    if "NotPrincipal" in statement:
        return not _is_principal(statement["NotPrincipal"], caller)
    return _is_principal(statement.get("Principal"), caller)


def _is_principal(principal: Any, caller: str) -> bool:
    if principal == "*":
        return True
    account = caller.split(":")[4] if caller.startswith("arn:") else ""
    for name in _listed(principal.get("AWS") if isinstance(principal, Mapping) else None):
        whole_account = name == account or (name.endswith(":root") and name.split(":")[4] == account)
        if name == "*" or name == caller or whole_account:
            return True
    services = _listed(principal.get("Service") if isinstance(principal, Mapping) else None)
    return caller in services


def _named(statement: Mapping[str, Any], member: str, value: str, *, fold_case: bool) -> bool:
    negated = f"Not{member}"
    patterns = _listed(statement.get(member, statement.get(negated, "*" if member == "Resource" else ())))
    found = any(like(pattern, value, fold_case=fold_case) for pattern in patterns)
    return not found if negated in statement else found


def _tests(condition: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for operator, keys in condition.items():
        for key, values in keys.items():
            yield operator, key.lower(), tuple(str(value) for value in _listed(values))


def _holds(operator: str, key: str, wanted: tuple[str, ...], context: Mapping[str, tuple[str, ...]]) -> bool:
    """One operator on one key. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    bare = operator.removesuffix("IfExists").removeprefix("ForAnyValue:")
    if bare == "Null":
        return (key not in context) == (wanted[0].lower() == "true")
    if bare not in OPERATORS:
        raise Unsupported(f"the policy condition operator {operator}")
    present = context.get(key)
    negated = "Not" in bare
    if present is None:
        return negated or operator.endswith("IfExists")
    patterns = [expanded for pattern in wanted if (expanded := _expand(pattern, context)) is not None]
    matched = any(OPERATORS[bare](value, pattern) for value in present for pattern in patterns)
    return not matched if negated else matched


def _expand(pattern: str, context: Mapping[str, tuple[str, ...]]) -> str | None:
    """The pattern with its policy variables filled in; None where the request has no such value.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    for name in re.findall(r"\$\{([^}]+)\}", pattern):
        values = context.get(name.lower())
        if values is None:
            return None
        pattern = pattern.replace("${" + name + "}", values[0])
    return pattern


def _equal(value: str, pattern: str) -> bool:
    return value == pattern


def _equal_ignoring_case(value: str, pattern: str) -> bool:
    return value.lower() == pattern.lower()


def _matching(value: str, pattern: str) -> bool:
    return like(pattern, value)


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringNotEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringNotEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": _matching,
    "StringNotLike": _matching,
    "ArnEquals": _matching,  # 'ArnEquals and ArnLike behave identically'
    "ArnLike": _matching,
    "ArnNotEquals": _matching,
    "ArnNotLike": _matching,
    "Bool": _equal_ignoring_case,
}
"""Operators by name; the negated ones are turned round where they are used."""


def like(pattern: str, value: str, *, fold_case: bool = False) -> bool:
    """`*` and `?` as IAM reads them."""
    return (
        _compiled(pattern.lower() if fold_case else pattern).fullmatch(value.lower() if fold_case else value)
        is not None
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.DOTALL)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
