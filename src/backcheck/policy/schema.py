"""The policy's JSON Schema, and its errors in plain sentences.

The schema follows habits that this module relies on, and that tests hold: the branches of a `oneOf` differ in their
`type`, or the schema around them has an `errorMessage`; every `pattern` has an `errorMessage`; every key a description.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from backcheck.errors import Problem
from backcheck.policy.document import Document, Json, parts_of, pointer_to
from backcheck.policy.source import Place

MAX_PROBLEMS = 50

Schema = Mapping[str, Any]


def text() -> str:
    """The schema as it is published in policies/policy.schema.json."""
    return files("backcheck.policy").joinpath("policy.schema.json").read_text(encoding="utf-8")


@cache
def validator() -> Draft202012Validator:
    """Draft 2020-12, with formats checked."""
    made = extend(Draft202012Validator, {"pattern": _pattern})
    checked: Draft202012Validator = made(json.loads(text()), format_checker=Draft202012Validator.FORMAT_CHECKER)
    return checked


def _pattern(_: object, pattern: str, instance: Json, __: Schema) -> Iterator[ValidationError]:
    """JSON Schema's patterns are ECMA 262: there `$` is the end, while Python's lets a line end follow."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def problems_in(document: Document) -> list[Problem]:
    """What the schema says against a document, in no order."""
    found = (p for error in validator().iter_errors(document.value) for p in _translate(error, document, ""))
    return list(dict.fromkeys(found))


def _pointer(error: ValidationError, base: str) -> str:
    pointer = base
    for part in error.relative_path:
        pointer = pointer_to(pointer, part)
    return pointer


def _translate(error: ValidationError, document: Document, base: str) -> Iterator[Problem]:
    pointer = _pointer(error, base)
    if "propertyNames" in error.relative_schema_path:
        yield _bad_name(error, document, pointer)
        return
    if _type_is_wrong(error):
        return
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(error, document, pointer)
        case "required":
            yield from _missing_key(error, document, pointer)
        case "oneOf" if "errorMessage" not in error.schema:
            yield from _branch(error, document, pointer)
        case _:
            message, hint = _sentence(error, document, pointer)
            yield _problem(message, document, pointer, hint=hint)


def _type_is_wrong(error: ValidationError) -> bool:
    """Whether the error is about a value of the wrong type, which an error of its own says."""
    wanted = error.schema.get("type")
    return error.validator != "type" and wanted is not None and not validator().is_type(error.instance, wanted)


def _problem(message: str, document: Document, pointer: str, *, hint: str = "", at_key: bool = False) -> Problem:
    places = document.keys if at_key else document.values
    place = places.get(pointer) or document.keys.get(pointer) or Place(line=1, column=1)
    return Problem(message=message, path=pointer, line=place.line, column=place.column, hint=hint)


def _unknown_keys(error: ValidationError, document: Document, pointer: str) -> Iterator[Problem]:
    known = error.schema.get("properties", {})
    for key in error.instance:
        if key not in known:
            at = pointer_to(pointer, key)
            hint = nearest(key, [word for word in known if word not in error.instance] or list(known))
            yield _problem(f"there is no key `{key}` here", document, at, hint=hint, at_key=True)


def closest(wrong: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like a wrong one, where any does."""
    return next(iter(difflib.get_close_matches(wrong.lower(), list(known), n=1, cutoff=0.7)), None)


def nearest(wrong: str, known: list[str]) -> str:
    """Advice: the closest of the known words, or all of them."""
    close = closest(wrong, known)
    return f"did you mean `{close}`?" if close else f"one of {', '.join(known)}" if known else ""


def _missing_key(error: ValidationError, document: Document, pointer: str) -> Iterator[Problem]:
    key = next(key for key in error.validator_value if error.message.startswith(f"{key!r} is a required"))
    known = error.schema.get("properties", {})
    strangers = (word for word in error.instance if word not in known)
    if any(closest(word, [k for k in known if k not in error.instance]) == key for word in strangers):
        return  # misspelt, not missing
    about: Schema = known.get(key, {})
    message = error.schema.get("errorMessage") or f"`{key}` is missing. {about.get('description', '')}".rstrip()
    yield _problem(message, document, pointer, hint=_example(key, about), at_key=True)


def _example(key: str, about: Schema) -> str:
    examples = about.get("examples", [])
    return f"{key}: {_written(examples[0])}" if examples else ""


def _written(value: Json) -> str:
    """A value as a user would write it on one line of YAML."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(_written(item) for item in value) + "]"
        case str() if not value.replace("-", "").replace("_", "").isalpha():
            return f'"{value}"'
        case _:
            return json.dumps(value).strip('"')


def _branch(error: ValidationError, document: Document, pointer: str) -> Iterator[Problem]:
    """The errors of the branch that was meant: the one whose type is the instance's."""
    branches: list[Schema] = error.validator_value
    meant = [i for i, branch in enumerate(branches) if validator().is_type(error.instance, branch["type"])]
    if meant and "const" not in branches[meant[0]]:
        for inner in error.context or ():
            if inner.relative_schema_path[0] == meant[0]:
                yield from _translate(_below(inner), document, pointer)
        return
    kinds = " or ".join(branch.get("const") or _KINDS[branch["type"]] for branch in branches)
    listed = isinstance(error.instance, str) and any(branch.get("type") == "array" for branch in branches)
    hint = f'["{error.instance}"]' if listed else ""
    yield _problem(
        f"must be {kinds}, found {describe(document, pointer, error.instance)}", document, pointer, hint=hint
    )


def _below(inner: ValidationError) -> ValidationError:
    """An error of a branch, without the branch's number in its path."""
    inner.relative_schema_path.popleft()
    return inner


def _bad_name(error: ValidationError, document: Document, pointer: str) -> Problem:
    at = pointer_to(pointer, error.instance)
    message = f"the name `{error.instance}` {error.schema.get('errorMessage', 'is too long')}"
    return _problem(message, document, at, at_key=True)


_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map of keys",
    "null": "nothing",
}


def describe(document: Document, pointer: str, value: Json) -> str:
    """What stands there, in words: `the text "30 days"`, `the number 30`, `nothing`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {document.unquoted.get(pointer, value)}"
        case str():
            short = value if len(value) <= 60 else f"{value[:57]}..."
            return f'the text "{short}"'
        case list():
            return "a list"
        case dict():
            return "a map of keys"


def _sentence(error: ValidationError, document: Document, pointer: str) -> tuple[str, str]:
    """The message and the advice of an error that is about one value."""
    found = describe(document, pointer, error.instance)
    limit = error.validator_value
    message: str | None = error.schema.get("errorMessage")
    match error.validator:
        case "type":
            return _wrong_type(error, document, pointer, found)
        case "enum":
            known = [str(word) for word in limit]
            return f"must be one of {', '.join(known)}, found {found}", nearest(str(error.instance), known)
        case "const":
            return f"must be {limit}, found {found}", ""
        case "minLength" if message:
            return f"{message}, found {found}", ""
        case "minimum" | "maximum":
            return f"must be at {'least' if error.validator == 'minimum' else 'most'} {limit}, found {found}", ""
        case "minItems" | "minProperties" | "minLength" if not error.instance:
            return message or "is empty, and needs at least one entry", ""
        case "maxProperties" if message:
            return message, ""
        case "maxItems" | "maxProperties" | "maxLength":
            return f"is too long: at most {limit}, found {len(error.instance)}", ""
        case "uniqueItems":
            return "holds the same entry twice", ""
        case "dependentRequired":
            return "sets cold_storage_after_days without retention_days", "say how long the copy is kept, too"
        case "oneOf" | "not" if message:
            return message, ""
        case "pattern" | "format" if message:
            return f"{message}, found {found}", _date_hint(error.instance) if error.validator == "format" else ""
    return f"{error.message}", ""


def _date_hint(written: str) -> str:
    return "the day does not exist in the calendar" if len(written) == len("2026-11-22") and written[4] == "-" else ""


def _wrong_type(error: ValidationError, document: Document, pointer: str, found: str) -> tuple[str, str]:
    wanted: str = error.validator_value
    raw = document.unquoted.get(pointer)
    message = f"must be {_KINDS[wanted]}, found {found}"
    if error.instance is None:
        return message, "write a value, or remove the key"
    if wanted == "string" and raw is not None:
        return message, f'put it in quotes: "{raw}"'
    if wanted == "boolean" and isinstance(error.instance, str):
        return message, "write true or false, as they stand here"
    if wanted in ("integer", "number") and isinstance(error.instance, str):
        # Not from 0x23 or 1:30: a number that was not meant is worse advice than none.
        plain = re.fullmatch(r"([1-9][0-9]*) *[a-z]*", error.instance, re.IGNORECASE)
        return message, f"write {plain[1]}, without quotes or a unit: the unit is in the key's name" if plain else ""
    if wanted == "array" and isinstance(error.instance, str):
        return message, f"[{error.instance}]"
    return message, _example(parts_of(pointer)[-1], error.schema) if pointer else ""
