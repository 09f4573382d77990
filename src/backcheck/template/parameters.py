"""A template's parameters: what was given, else the default, checked as CloudFormation checks it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from backcheck.template.load import Template
from backcheck.template.node import Entry, Map, Mark, RefusedTemplateError, Sequence, text_of
from backcheck.template.value import Unresolved, Value

MASK = "****"
"""How CloudFormation shows a NoEcho parameter."""
MAX_PARAMETERS = 200
MAX_VALUE_BYTES = 4_096
_ATTRIBUTES = frozenset(
    {
        "AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description", "MaxLength", "MaxValue",
        "MinLength", "MinValue", "NoEcho", "Type",
    }
)  # fmt: skip
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_NESTED_QUANTIFIER = re.compile(r"\([^()]*[*+][^()]*\)[*+{]")
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter and the value that the template is resolved with."""

    name: str
    type: str
    value: Value
    """What `Ref` gives: a string, a tuple of strings, or Unresolved."""
    no_echo: bool
    is_default: bool
    line: int

    @property
    def shown(self) -> Value:
        """The value as it may be shown: a NoEcho parameter is masked."""
        return MASK if self.no_echo and not isinstance(self.value, Unresolved) else self.value

    def __repr__(self) -> str:
        return f"Parameter(name={self.name!r}, type={self.type!r}, value={self.shown!r}, line={self.line})"


def parameters_of(template: Template, given: Mapping[str, str]) -> dict[str, Parameter]:
    """The template's parameters by name, with `given` values (a list as one string with commas) before defaults.

    Raises RefusedTemplateError for a value that CloudFormation refuses, and for a given name that the template lacks.
    """
    section = template.section("Parameters")
    if len(section.entries) > MAX_PARAMETERS:
        raise RefusedTemplateError(f"more than {MAX_PARAMETERS} parameters", file=template.file, mark=section.mark)
    surplus = sorted(set(given) - set(section.names))
    if surplus:
        raise RefusedTemplateError(
            f"Parameters: [{', '.join(surplus)}] do not exist in the template",
            file=template.file,
            hint=f"it has: {', '.join(sorted(section.names)) or 'none'}",
        )
    return {entry.key: _declaration(template.file, entry).parameter(given.get(entry.key)) for entry in section.entries}


def _declaration(file: str, entry: Entry) -> _Declaration:
    name, node = entry.key, entry.value
    if not isinstance(node, Map):
        raise RefusedTemplateError(f"parameter {name} must be a map", file=file, mark=node.mark)
    for attribute in node.entries:
        if attribute.key not in _ATTRIBUTES:
            raise RefusedTemplateError(
                f"parameter {name}: unknown attribute {attribute.key}", file=file, mark=attribute.mark
            )
    if not _ALPHANUMERIC.fullmatch(name):
        raise RefusedTemplateError(f"parameter name {name!r} is not alphanumeric", file=file, mark=entry.mark)
    return _Declaration(file, name, node, entry.mark)


@dataclass(frozen=True, slots=True)
class _Declaration:
    file: str
    name: str
    node: Map
    mark: Mark

    def parameter(self, given: str | None) -> Parameter:
        kind = text_of(self.node.get("Type"))
        if kind is None:
            raise self.error("has no Type")
        default = self.node.get("Default")
        text = given if given is not None else text_of(default)
        if given is None and default is not None and text is None:
            raise self.error("Default must be a string")
        no_echo = (text_of(self.node.get("NoEcho")) or "").lower() == "true"
        return Parameter(
            name=self.name,
            type=kind,
            value=self._value(kind, text, no_echo=no_echo),
            no_echo=no_echo,
            is_default=given is None,
            line=self.mark.line,
        )

    def _value(self, kind: str, text: str | None, *, no_echo: bool) -> Value:
        if text is None:
            return self._unresolved("has no value: it has no default and none was given")
        if len(text.encode()) > MAX_VALUE_BYTES:
            raise self.error(f"is longer than {MAX_VALUE_BYTES:,} bytes")
        if kind.startswith("AWS::SSM::Parameter::Value<"):
            # Constraints are checked against the key, not against the value behind it.
            self._check((text,), kind, no_echo=no_echo)
            return self._unresolved(
                f"is read from SSM Parameter Store ({MASK if no_echo else text}) when the stack is created"
            )
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            items = tuple(item.strip() for item in text.split(",")) if text else ()
            self._check(items, kind, no_echo=no_echo)
            return items
        if kind not in {"String", "Number"} and not kind.startswith("AWS::"):
            raise self.error(f"unknown Type {kind}")
        self._check((text,), kind, no_echo=no_echo)
        return text

    def _unresolved(self, why: str) -> Unresolved:
        return Unresolved(path=f"/Parameters/{self.name}", line=self.mark.line, reason=f"parameter {self.name} {why}")

    def _check(self, values: tuple[str, ...], kind: str, *, no_echo: bool) -> None:
        for value in values:
            problem = self._problem(value, kind)
            if problem:
                described = text_of(self.node.get("ConstraintDescription"))
                shown = MASK if no_echo else repr(value)
                raise self.error(f"{shown} {described or problem}")

    def _problem(self, value: str, kind: str) -> str:
        is_number = kind in {"Number", "List<Number>"}
        if is_number and not _NUMBER.fullmatch(value):
            return "must be a number"
        allowed = self.node.get("AllowedValues")
        if isinstance(allowed, Sequence) and value not in [text_of(item) for item in allowed.items]:
            return f"must be one of AllowedValues: {', '.join(text_of(item) or '' for item in allowed.items)}"
        if is_number:
            return self._bounds(float(value), "MinValue", "MaxValue", "")
        return self._bounds(float(len(value)), "MinLength", "MaxLength", " characters") or self._pattern(value)

    def _bounds(self, number: float, low: str, high: str, unit: str) -> str:
        minimum, maximum = (self._number(key) for key in (low, high))
        if minimum is not None and number < minimum:
            return f"must be at least {minimum:g}{unit}"
        if maximum is not None and number > maximum:
            return f"must be at most {maximum:g}{unit}"
        return ""

    def _number(self, key: str) -> float | None:
        text = text_of(self.node.get(key))
        if text is None:
            return None
        if not _NUMBER.fullmatch(text):
            raise self.error(f"{key} must be a number")
        return float(text)

    def _pattern(self, value: str) -> str:
        pattern = text_of(self.node.get("AllowedPattern"))
        # CloudFormation uses Java's expressions, and a hostile one could run for ever: what is not plainly safe
        # and the same in Python is left to CloudFormation.
        if pattern is None or len(pattern) > 500 or _NESTED_QUANTIFIER.search(pattern):
            return ""
        try:
            return "" if re.fullmatch(pattern, value) else f"must match pattern {pattern}"
        except re.error:
            return ""

    def error(self, message: str) -> RefusedTemplateError:
        return RefusedTemplateError(f"parameter {self.name}: {message}", file=self.file, mark=self.mark)
