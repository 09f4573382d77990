"""A resource's properties as an API takes them: references bound, unknown parts left out, types fitted.

CloudFormation's types are named as the API's members are, for the services that matter here, and it turns strings into
numbers and booleans where a property's type asks for them:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from backcheck.errors import Error
from backcheck.template.evaluate import pointer_token
from backcheck.template.value import Deferred, Reference, Unresolved, Value, is_known

UNKNOWN_ARN = "arn:aws:unresolved:::not-known"
"""Stands in a policy document for what is not known: without it a statement would say something else."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_TYPES = {"integer": "Integer", "long": "Integer", "float": "Number", "double": "Number", "boolean": "Boolean"}


class PropertyError(Error):
    """A property of the wrong type, as CloudFormation refuses it."""


@dataclass(slots=True)
class Known:
    """Takes what is known out of a value; notes what is not."""

    unresolved: list[tuple[str, Unresolved]] = field(default_factory=list)
    """Pointer below Properties, and why it is not known."""

    def of(self, value: Value, pointer: str = "", *, keep_place: bool = False) -> Any:
        """Plain lists and dicts. What is not known is left out; `keep_place` puts UNKNOWN_ARN in its place."""
        if isinstance(value, Mapping):
            return {
                key: self.of(part, f"{pointer}/{pointer_token(key)}", keep_place=keep_place or _is_policy(key))
                for key, part in value.items()
                if keep_place or self._take(part, f"{pointer}/{pointer_token(key)}")
            }
        if isinstance(value, tuple):
            return [
                self.of(part, f"{pointer}/{index}", keep_place=keep_place)
                for index, part in enumerate(value)
                if keep_place or self._take(part if not _is_tag(part) else _value_of(part), f"{pointer}/{index}")
            ]
        if isinstance(value, (Unresolved, Reference, Deferred)):
            self._take(value, pointer)
            return UNKNOWN_ARN
        return value

    def _take(self, value: Value, pointer: str) -> bool:
        if isinstance(value, Unresolved):
            self.unresolved.append((pointer, value))
        elif isinstance(value, (Reference, Deferred)) and not is_known(value):
            reason = "it waits for a resource that is not created in the sandbox"
            self.unresolved.append((pointer, Unresolved(path=value.path, line=value.line, reason=reason)))
        else:
            return True
        return False


def _is_tag(value: Value) -> bool:
    """Without its value a tag is none, so the two go together."""
    return isinstance(value, Mapping) and value.keys() == {"Key", "Value"}


def _value_of(tag: Value) -> Value:
    return tag["Value"] if isinstance(tag, Mapping) else tag


def _is_policy(key: str) -> bool:
    return key.endswith(("PolicyDocument", "AccessPolicy", "KeyPolicy", "ResourcePolicy")) or key == "Policies"


def refuse_malformed_policies(value: Any, pointer: str = "") -> None:
    """Raises PropertyError for a policy's statement that is neither Allow nor Deny, which every service refuses.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html
    """
    if isinstance(value, list):
        for index, item in enumerate(value):
            refuse_malformed_policies(item, f"{pointer}/{index}")
    for key, part in value.items() if isinstance(value, dict) else ():
        statements = part.get("Statement") if _is_policy(key) and isinstance(part, dict) else None
        listed = statements if isinstance(statements, list) else [statements] if isinstance(statements, dict) else []
        for index, statement in enumerate(listed):
            effect = statement.get("Effect") if isinstance(statement, dict) else None
            if effect not in ("Allow", "Deny", UNKNOWN_ARN):
                at = f"#{pointer}/{key}/Statement/{index}/Effect"
                raise PropertyError(f"{at}: a policy's statement is Allow or Deny, found {effect}")
        refuse_malformed_policies(part, f"{pointer}/{key}")


def fit(value: Any, shape: Shape, pointer: str, ignored: list[str]) -> Any:
    """`value` in the types of botocore's `shape`; what the API does not have is noted in `ignored`.

    Raises PropertyError where CloudFormation could not make the type of it.
    """
    if isinstance(shape, StructureShape):
        members = _expect(value, dict, "JSONObject", pointer)
        ignored.extend(f"{pointer}/{key}" for key in members if key not in shape.members)
        return {
            key: fit(part, shape.members[key], f"{pointer}/{key}", ignored)
            for key, part in members.items()
            if key in shape.members
        }
    if isinstance(shape, ListShape):
        items = _expect(value, list, "JSONArray", pointer)
        return [fit(item, shape.member, f"{pointer}/{index}", ignored) for index, item in enumerate(items)]
    if isinstance(shape, MapShape):
        entries = _expect(value, dict, "JSONObject", pointer)
        return {str(key): fit(part, shape.value, f"{pointer}/{key}", ignored) for key, part in entries.items()}
    return _fit_scalar(value, shape.type_name, pointer)


def _expect(value: Any, kind: type, name: str, pointer: str) -> Any:
    if not isinstance(value, kind):
        raise mismatch(name, value, pointer)
    return value


def mismatch(wanted: str, value: Any, pointer: str) -> PropertyError:
    """A value of the wrong type, in CloudFormation's words."""
    names = {dict: "JSONObject", list: "JSONArray", str: "String", bool: "Boolean"}
    found = names.get(type(value), "Number")
    return PropertyError(f"#{pointer}: expected type: {wanted}, found: {found}")


def _fit_scalar(value: Any, type_name: str, pointer: str) -> Any:
    if type_name == "string":
        return text_of(value)
    if type_name not in _TYPES:
        return value
    if isinstance(value, (dict, list)):
        raise mismatch(_TYPES[type_name], value, pointer)
    text = text_of(value)
    if type_name == "boolean" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if type_name in {"integer", "long"} and _INTEGER.fullmatch(text):
        return int(text)
    if type_name in {"float", "double"}:
        try:
            return float(text)
        except ValueError:
            pass
    raise mismatch(_TYPES[type_name], value, pointer)


def text_of(value: Any) -> str:
    """A scalar as a string, a document as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def document_of(text: str) -> Any:
    """A JSON document, or the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def without(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The properties but those named: they are set by calls of their own."""
    return {key: value for key, value in properties.items() if key not in names}
