"""Evaluates a template's expressions, lazily: a branch that is not taken is never looked at.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from backcheck.template import functions, lookups
from backcheck.template.conditions import Conditions
from backcheck.template.environment import Environment
from backcheck.template.functions import DYNAMIC_REFERENCE, FunctionError, as_text, dynamic_reference_reason
from backcheck.template.loops import LOOP, expand_loops
from backcheck.template.node import Entry, Map, Node, RefusedTemplateError, Scalar, Sequence, TemplateError, text_of
from backcheck.template.parameters import Parameter
from backcheck.template.value import (
    NO_VALUE,
    MaybeValue,
    Reference,
    Removed,
    Unresolved,
    Value,
    references_in,
    unresolved_in,
)

MAX_PRODUCED = 16_777_216
"""Characters that all functions of one template may produce together."""
_ONLY_WITH_EXTENSIONS = frozenset({"Fn::Length", "Fn::ToJsonString"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The sections that expressions refer to, with loops and SAM already expanded."""

    file: str
    mappings: Map
    conditions: Map
    resources: Map
    language_extensions: bool


@dataclass(slots=True)
class Evaluator:
    """Resolves nodes of one document in one environment; what CloudFormation would refuse is a RefusedTemplateError."""

    document: Document
    parameters: Mapping[str, Parameter]
    environment: Environment
    conditions: Conditions = field(init=False)
    _functions: Mapping[str, Callable[[Node, str], MaybeValue]] = field(init=False)
    _produced: int = 0

    def __post_init__(self) -> None:
        self.conditions = Conditions(self.document.file, self.document.conditions, self.value)
        self._functions = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            **{name: partial(look_up, self) for name, look_up in lookups.LOOKUPS.items()},
            **{name: partial(self._applied, name) for name in functions.PURE},
        }

    def value(self, node: Node, path: str, lines: dict[str, int] | None = None) -> MaybeValue:
        """What `node`, placed at `path` (a JSON Pointer), comes to; the line of each part is noted in `lines`."""
        if lines is not None and node.mark.line:
            lines[path] = node.mark.line
        if isinstance(node, Scalar):
            return self._scalar(node, path)
        if isinstance(node, Sequence):
            return self._list(node, path, lines)
        function = self._function_of(node, path)
        if function is None:
            return self._map(node, path, lines)
        if function.key == "Fn::If":
            return self._if(function.value, path, lines)
        return self._counted(self._functions[function.key](function.value, path), node)

    def settled(self, node: Node, path: str, lines: dict[str, int] | None = None) -> Value:
        """As `value`, where AWS::NoValue cannot stand."""
        value = self.value(node, path, lines)
        if isinstance(value, Removed):
            raise self.error(f"{path}: AWS::NoValue cannot stand here", node)
        return value

    def _scalar(self, node: Scalar, path: str) -> Value:
        if node.value is None:
            return Unresolved(path=path, line=node.mark.line, reason="null: CloudFormation takes no null values")
        if isinstance(node.value, str) and DYNAMIC_REFERENCE in node.value:
            return Unresolved(path=path, line=node.mark.line, reason=dynamic_reference_reason(node.value))
        return node.value

    def _list(self, node: Sequence, path: str, lines: dict[str, int] | None) -> Value:
        kept: list[Value] = []
        for item in node.items:
            place = f"{path}/{len(kept)}"  # the index that it will have when NoValue has gone
            value = self.value(item, place, lines)
            if not isinstance(value, Removed):
                kept.append(value)
            elif lines is not None:
                lines.pop(place, None)
        return tuple(kept)

    def _map(self, node: Map, path: str, lines: dict[str, int] | None) -> Value:
        result: dict[str, Value] = {}
        if any(key.startswith(LOOP) for key in node.names):
            expansion = expand_loops(node, self.value, file=self.document.file, path=path)
            node = expansion.section
            result.update(expansion.unresolved)
        for entry in node.entries:
            place = f"{path}/{pointer_token(entry.key)}"
            if entry.key == "Fn::Transform":
                result[entry.key] = lookups.transform(self, entry.value, place)
                continue
            value = self.value(entry.value, place, lines)
            if isinstance(value, Removed):
                if lines is not None:
                    lines.pop(place, None)
                continue
            result[entry.key] = value
            if lines is not None and entry.mark.line:
                lines[place] = entry.mark.line
        return result

    def _function_of(self, node: Map, path: str) -> Entry | None:
        """The function call that the map is, or None where it is data."""
        first = next((entry for entry in node.entries if entry.key == "Ref" or entry.key.startswith("Fn::")), None)
        if first is None or first.key.startswith(LOOP) or (first.key == "Ref" and len(node.entries) > 1):
            self._check_loops(node)
            return None
        if len(node.entries) > 1:
            if first.key == "Fn::Transform" or any(key.startswith(LOOP) for key in node.names):
                return None
            raise self.error(f"{path}: {first.key} must stand alone in its map", node)
        if first.key not in self._functions and first.key != "Fn::If":
            raise self.error(f"{path}: unknown function {first.key}", node)
        if first.key in _ONLY_WITH_EXTENSIONS and not self.document.language_extensions:
            raise self.error(f"{path}: {first.key} needs Transform: AWS::LanguageExtensions", node)
        return first

    def _check_loops(self, node: Map) -> None:
        loop = next((entry for entry in node.entries if entry.key.startswith(LOOP)), None)
        if loop and not self.document.language_extensions:
            raise self.error("Fn::ForEach needs Transform: AWS::LanguageExtensions", loop.value)

    def _applied(self, function: str, argument: Node, path: str) -> MaybeValue:
        return self.apply(function, self.settled(argument, path), path, argument)

    def apply(self, function: str, value: Value, path: str, node: Node) -> Value:
        """The function of a value that is resolved already."""
        try:
            return functions.apply(function, value, path=path, line=node.mark.line)
        except FunctionError as error:
            raise self.error(f"{path}: {error.message}", node) from error

    def _counted(self, value: MaybeValue, node: Node) -> MaybeValue:
        if isinstance(value, str):
            self._produced += len(value)
            if self._produced > MAX_PRODUCED:
                problem = f"the template's functions produce more than {MAX_PRODUCED:,} characters"
                raise TemplateError(problem, file=self.document.file, mark=node.mark)
        return value

    def _if(self, argument: Node, path: str, lines: dict[str, int] | None = None) -> MaybeValue:
        name, yes, no = self.items("Fn::If", argument, 3)
        verdict = self.conditions.verdict(self._name("Fn::If", name, path), name)
        if isinstance(verdict, Unresolved):
            return Unresolved(path=path, line=argument.mark.line, reason=verdict.reason)
        return self.value(yes if verdict else no, path, lines)

    def _ref(self, argument: Node, path: str) -> MaybeValue:
        target = self._target("Ref", argument, path)
        if isinstance(target, Unresolved):
            return target
        return self.variable(target, path, argument)

    def variable(self, name: str, path: str, node: Node) -> MaybeValue:
        """The value of a parameter, a pseudo parameter or a resource."""
        if name == NO_VALUE.value:
            return NO_VALUE
        if name.startswith("AWS::"):
            pseudo = self.environment.pseudo_parameter(name)
            if pseudo is None:
                raise self.error(f"{path}: there is no pseudo parameter {name}", node)
            return pseudo
        if name in self.parameters:
            value = self.parameters[name].value
            return (
                Unresolved(path=path, line=node.mark.line, reason=value.reason)
                if isinstance(value, Unresolved)
                else value
            )
        return self.resource(name, "", path, node)

    def resource(self, name: str, attribute: str, path: str, node: Node) -> Value:
        """A reference to a resource that is created; Unresolved where that is not known."""
        resource = self.document.resources.get(name)
        if resource is None:
            raise self.error(f"Unresolved resource dependencies [{name}]: the template has no such resource", node)
        verdict = self.exists(name)
        if isinstance(verdict, Unresolved):
            return Unresolved(path=path, line=node.mark.line, reason=verdict.reason)
        if not verdict:
            raise self.error(
                f"Unresolved resource dependencies [{name}]: its condition is false, so it is not created", node
            )
        return Reference(logical_id=name, attribute=attribute, path=path, line=node.mark.line)

    def exists(self, logical_id: str) -> bool | Unresolved:
        """Whether the resource, output or loop body with this Condition is created."""
        resource = self.document.resources.get(logical_id)
        return self.holds(resource, f"/Resources/{logical_id}") if isinstance(resource, Map) else True

    def holds(self, node: Map, path: str) -> bool | Unresolved:
        """The verdict of the node's `Condition` attribute; true where it has none."""
        condition = node.get("Condition")
        if condition is None:
            return True
        name = text_of(condition) or self.value(condition, f"{path}/Condition")
        if isinstance(name, Removed):
            return True
        if isinstance(name, Unresolved):
            return name
        if not isinstance(name, str):
            raise self.error(f"{path}: Condition takes the name of a condition", condition)
        return self.conditions.verdict(name, condition)

    def _get_att(self, argument: Node, path: str) -> MaybeValue:
        if isinstance(argument, Scalar) and isinstance(argument.value, str) and "." in argument.value:
            resource, attribute = argument.value.split(".", 1)
            return self.resource(resource, attribute, path, argument)
        first, second = self.items("Fn::GetAtt", argument, 2)
        logical_id = self._target("Fn::GetAtt", first, path)
        name = self.settled(second, path)
        for part in (logical_id, name):
            if isinstance(part, Unresolved):
                return part
        if not isinstance(logical_id, str) or not isinstance(name, str):
            raise self.error(f"{path}: Fn::GetAtt takes a logical id and the name of an attribute", argument)
        return self.resource(logical_id, name, path, argument)

    def _target(self, function: str, node: Node, path: str) -> str | Unresolved:
        """A name that only AWS::LanguageExtensions lets be computed."""
        if isinstance(node, Scalar) and node.value is not None:
            return node.text
        if not self.document.language_extensions:
            raise self.error(f"{path}: every {function} object must have a single string value", node)
        return self.text(function, node, path)

    def _name(self, function: str, node: Node, path: str) -> str:
        text = text_of(node) if isinstance(node, Scalar) else self.text(function, node, path)
        if not isinstance(text, str):
            raise self.error(f"{path}: {function} needs a name that is known", node)
        return text

    def text(self, function: str, node: Node, path: str) -> str | Unresolved:
        """A string that no resource may take part in."""
        value = self.settled(node, path)
        unknown = unresolved_in(value)
        if unknown:
            return Unresolved(path=path, line=node.mark.line, reason=unknown[0].reason)
        if references_in(value):
            raise self.error(f"{path}: {function} cannot depend on a resource here", node)
        try:
            return as_text(value)
        except FunctionError as error:
            raise self.error(f"{path}: {function}: {error.message}", node) from error

    def items(self, function: str, node: Node, count: int) -> tuple[Node, ...]:
        """The function's `count` arguments."""
        if not isinstance(node, Sequence) or len(node.items) != count:
            raise self.error(f"{function} takes a list of {count}", node)
        return node.items

    def error(self, message: str, node: Node) -> RefusedTemplateError:
        """A refusal at the node."""
        return RefusedTemplateError(message, file=self.document.file, mark=node.mark)


def pointer_token(key: str) -> str:
    """A key as a token of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
