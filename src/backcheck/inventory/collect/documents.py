"""IAM policy documents as AWS returns them: JSON, plain, URL-encoded or already parsed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

import orjson

from backcheck.inventory.collect.reply import Malformed
from backcheck.inventory.iam import PolicyDocument, Statement


def parse_document(document: object) -> PolicyDocument:
    """Read a policy document. Raises Malformed for what is not one."""
    if isinstance(document, str):
        try:
            document = orjson.loads(document if document.lstrip().startswith("{") else unquote(document))
        except orjson.JSONDecodeError as error:
            raise Malformed(f"a policy document is not JSON: {error}") from error
    if not isinstance(document, Mapping):
        raise Malformed("a policy document is not an object")
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list):
        raise Malformed("a policy document has no Statement")
    return PolicyDocument(statements=tuple(_statement(entry) for entry in statements))


def _statement(entry: object) -> Statement:
    if not isinstance(entry, Mapping) or entry.get("Effect") not in ("Allow", "Deny"):
        raise Malformed("a policy document has a Statement without an Effect")
    return Statement(
        sid=str(entry.get("Sid", "")),
        effect=str(entry["Effect"]),
        actions=_strings(entry.get("Action")),
        not_actions=_strings(entry.get("NotAction")),
        resources=_strings(entry.get("Resource")),
        not_resources=_strings(entry.get("NotResource")),
        principals=tuple(_principals(entry.get("Principal"))),
        not_principals=tuple(_principals(entry.get("NotPrincipal"))),
        conditions=tuple(_conditions(entry.get("Condition"))),
    )


def _strings(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    return tuple(_scalar(one) for one in values)


def _scalar(value: object) -> str:
    """IAM compares booleans and numbers as text, in lower case for booleans."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise Malformed("a policy document has an object where a string belongs")


def _principals(value: object) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, str):  # "Principal": "*" is equal to {"AWS": "*"} (IAM user guide, Principal)
        yield ("AWS", value)
        return
    if not isinstance(value, Mapping):
        raise Malformed("a policy document has a Principal that is no object")
    for kind, names in value.items():
        for name in _strings(names):
            yield (str(kind), name)


def _conditions(value: object) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise Malformed("a policy document has a Condition that is no object")
    for operator, tests in value.items():
        if not isinstance(tests, Mapping):
            raise Malformed("a policy document has a Condition operator that is no object")
        for key, values in tests.items():
            yield (str(operator), str(key), _strings(values))
