"""The Rules section: assertions about parameters, and the stack is not created where one of them does not hold.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from backcheck.template.conditions import Conditions, Verdict, comparable
from backcheck.template.evaluate import Evaluator
from backcheck.template.node import Entry, Map, Node, RefusedTemplateError, Sequence, text_of
from backcheck.template.value import Unresolved, Value, references_in, unresolved_in

_OF_THE_ACCOUNT = frozenset({"Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"})
"""What they come to is known in the account only."""
FUNCTIONS = frozenset(
    {
        "Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::If", "Fn::Implies",
        "Fn::Not", "Fn::Or", *_OF_THE_ACCOUNT,
    }
)  # fmt: skip
"""'Ref' and 'other rule-specific intrinsic functions':
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html

Fn::If is in the list of one page and not in the other, Fn::Implies in AWS's language server only
(https://github.com/aws-cloudformation/cloudformation-languageserver): both are let pass, and the rule is not judged.
"""
_UNDOCUMENTED = frozenset({"Fn::If", "Fn::Implies"})

Members = Callable[[frozenset[object], frozenset[object]], bool]


def check_rules(section: Node | None, evaluator: Evaluator) -> Iterator[Unresolved]:
    """What keeps a rule from being judged, for each that is not.

    Raises RefusedTemplateError for an assertion that does not hold, and for what CloudFormation does not take in Rules.
    """
    file = evaluator.document.file
    for entry in _entries(section):
        if entry.key.startswith("Fn::") and entry.key not in FUNCTIONS:
            raise RefusedTemplateError(
                f"CloudFormation takes no {entry.key} in Rules",
                file=file,
                mark=entry.mark,
                hint=f"Ref, {', '.join(sorted(FUNCTIONS - _UNDOCUMENTED))}",
            )
    rules = _Rules(evaluator)
    for rule in section.entries if isinstance(section, Map) else ():
        yield from rules.check(rule)


@dataclass(slots=True)
class _Rules:
    evaluator: Evaluator
    assertions: Conditions = field(init=False)

    def __post_init__(self) -> None:
        others: dict[str, Callable[[Node, str], Verdict]] = {
            "Fn::Contains": lambda node, path: self._members("Fn::Contains", node, path, lambda all_, one: one <= all_),
            "Fn::EachMemberEquals": lambda node, path: self._members(
                "Fn::EachMemberEquals", node, path, lambda each, one: each <= one
            ),
            "Fn::EachMemberIn": lambda node, path: self._members(
                "Fn::EachMemberIn", node, path, lambda each, all_: each <= all_
            ),
        }
        others |= {name: _undocumented(name) for name in _UNDOCUMENTED}
        self.assertions = Conditions(self.evaluator.document.file, Map(()), self._value, others)

    def check(self, rule: Entry) -> Iterator[Unresolved]:
        path = f"/Rules/{rule.key}"
        asserted = rule.value.get("Assertions") if isinstance(rule.value, Map) else None
        if not isinstance(rule.value, Map) or not isinstance(asserted, Sequence) or not asserted.items:
            raise self._error(f"{path}: a rule is a map with a list of Assertions", rule.value)
        condition = rule.value.get("RuleCondition")
        applies = True if condition is None else self.assertions.holds(condition, f"{path}/RuleCondition")
        if isinstance(applies, Unresolved):
            yield applies
        elif applies:
            for index, assertion in enumerate(asserted.items):
                yield from self._assert(rule.key, assertion, f"{path}/Assertions/{index}")

    def _assert(self, rule: str, assertion: Node, path: str) -> Iterator[Unresolved]:
        claim = assertion.get("Assert") if isinstance(assertion, Map) else None
        if not isinstance(assertion, Map) or claim is None:
            raise self._error(f"{path}: an assertion is a map with Assert", assertion)
        verdict = self.assertions.holds(claim, f"{path}/Assert")
        if isinstance(verdict, Unresolved):
            yield verdict
        elif not verdict:
            said = text_of(assertion.get("AssertDescription")) or "it has no AssertDescription"
            raise self._error(f"rule {rule} does not hold, so the stack is not created: {said}", claim)

    def _members(self, function: str, node: Node, path: str, holds: Members) -> Verdict:
        first, second = (self._value(one, path) for one in self.assertions.arguments(function, node, 2, 2))
        unknown = unresolved_in((first, second))
        return unknown[0] if unknown else holds(_set(first), _set(second))

    def _value(self, node: Node, path: str) -> Value:
        if isinstance(node, Sequence):
            return tuple(self._value(item, path) for item in node.items)
        if isinstance(node, Map) and len(node.entries) == 1 and node.entries[0].key in _OF_THE_ACCOUNT:
            reason = f"{node.entries[0].key} is known in the account only"
            return Unresolved(path=path, line=node.mark.line, reason=reason)
        value = self.evaluator.settled(node, path)
        if references_in(value):
            raise self._error(f"{path}: a rule cannot depend on a resource", node)
        return value

    def _error(self, message: str, node: Node) -> RefusedTemplateError:
        return RefusedTemplateError(message, file=self.evaluator.document.file, mark=node.mark)


def _undocumented(function: str) -> Callable[[Node, str], Verdict]:
    reason = f"AWS's pages disagree on {function} in Rules"
    return lambda node, path: Unresolved(path=path, line=node.mark.line, reason=reason)


def _set(value: Value) -> frozenset[object]:
    """The members of a list; a single value is a list of one."""
    return frozenset(map(comparable, value if isinstance(value, tuple) else (value,)))


def _entries(node: Node | None) -> Iterator[Entry]:
    """Every entry of every map below a node, parents first."""
    if isinstance(node, Map):
        for entry in node.entries:
            yield entry
            yield from _entries(entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _entries(item)
