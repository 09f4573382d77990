"""A template's conditions: true, false, or not known.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html
What is not known flows as in Kleene's logic: false AND unknown is false, true OR unknown is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from backcheck.template.functions import as_text
from backcheck.template.node import Map, Node, RefusedTemplateError, Sequence, text_of
from backcheck.template.value import MaybeValue, Removed, Unresolved, Value, references_in, unresolved_in

Verdict = bool | Unresolved


@dataclass(slots=True)
class Conditions:
    """The Conditions section; each condition is evaluated once, and only when it is asked for."""

    file: str
    section: Map
    evaluate: Callable[[Node, str], MaybeValue]
    """Resolves an operand of Fn::Equals at a path."""
    others: Mapping[str, Callable[[Node, str], Verdict]] = field(default_factory=dict)
    """Functions that decide beside those of conditions: the rules' own."""
    _known: dict[str, Verdict] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def verdict(self, name: str, asked_by: Node) -> Verdict:
        """Whether the condition holds. Raises RefusedTemplateError where it does not exist or is defined by itself."""
        if name in self._known:
            return self._known[name]
        node = self.section.get(name)
        if node is None:
            raise self._error(
                f"Unresolved condition dependency {name}: the Conditions section has no such name", asked_by
            )
        if name in self._open:
            raise self._error(f"Circular dependency between conditions: {' -> '.join([*self._open, name])}", node)
        self._open.append(name)
        verdict = self.holds(node, f"/Conditions/{name}")
        self._open.pop()
        if isinstance(verdict, Unresolved) and not verdict.reason.startswith("condition "):
            verdict = replace(verdict, reason=f"condition {name} depends on it: {verdict.reason}")
        self._known[name] = verdict
        return verdict

    def holds(self, node: Node, path: str) -> Verdict:
        """Whether the functions at `node` come to true."""
        if not isinstance(node, Map) or len(node.entries) != 1:
            raise self._error(f"{path}: a condition is one of Fn::And, Fn::Or, Fn::Not, Fn::Equals, Condition", node)
        function, argument = node.entries[0].key, node.entries[0].value
        if function == "Condition":
            name = text_of(argument)
            if name is None:
                raise self._error(f"{path}: Condition takes a name", argument)
            return self.verdict(name, argument)
        if function == "Fn::Equals":
            return self._equals(self.arguments(function, argument, 2, 2), path, node)
        if function == "Fn::Not":
            inner = self.holds(self.arguments(function, argument, 1, 1)[0], path)
            return inner if isinstance(inner, Unresolved) else not inner
        if function in self.others:
            return self.others[function](argument, path)
        if function in {"Fn::And", "Fn::Or"}:
            return self._combine(self.arguments(function, argument, 2, 10), path, stops_at=function == "Fn::Or")
        raise self._error(f"{path}: {function} is no condition function", node)

    def _combine(self, arguments: tuple[Node, ...], path: str, *, stops_at: bool) -> Verdict:
        unknown: Unresolved | None = None
        for argument in arguments:
            verdict = self.holds(argument, path)
            if isinstance(verdict, Unresolved):
                unknown = unknown or verdict
            elif verdict is stops_at:
                return stops_at
        return unknown if unknown else not stops_at

    def _equals(self, arguments: tuple[Node, ...], path: str, node: Node) -> Verdict:
        operands: list[Value] = []
        for argument in arguments:
            value = self.evaluate(argument, path)
            if isinstance(value, Removed):
                raise self._error(f"{path}: AWS::NoValue cannot be compared", argument)
            if references_in(value):
                raise self._error(
                    f"Unresolved dependencies [{references_in(value)[0].logical_id}]. "
                    "Cannot reference resources in the Conditions block of the template",
                    argument,
                )
            operands.append(value)
        unknown = unresolved_in(tuple(operands))
        if unknown:
            return Unresolved(path=path, line=node.mark.line, reason=unknown[0].reason)
        return comparable(operands[0]) == comparable(operands[1])

    def arguments(self, function: str, node: Node, least: int, most: int) -> tuple[Node, ...]:
        """The function's arguments. Raises TemplateError where there are fewer than `least` or more than `most`."""
        if not isinstance(node, Sequence) or not least <= len(node.items) <= most:
            count = str(least) if least == most else f"{least} to {most}"
            raise self._error(f"{function} takes a list of {count}", node)
        return node.items

    def _error(self, message: str, node: Node) -> RefusedTemplateError:
        return RefusedTemplateError(message, file=self.file, mark=node.mark)


def comparable(value: Value) -> object:
    """Scalars compare as strings: the parameter `true` equals the boolean."""
    if isinstance(value, tuple):
        return tuple(comparable(item) for item in value)
    if isinstance(value, (str, int, float)):
        return as_text(value)
    return value
