"""The Rules section: not evaluated, but a function that CloudFormation takes nowhere in it refuses the template."""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.template.node import Entry, Map, Node, RefusedTemplateError, Sequence

FUNCTIONS = frozenset(
    {
        "Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::If", "Fn::Implies",
        "Fn::Not", "Fn::Or", "Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll",
    }
)  # fmt: skip
"""'Ref' and 'other rule-specific intrinsic functions':
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html

Fn::If is in older lists and not in today's, Fn::Implies in AWS's language server only
(https://github.com/aws-cloudformation/cloudformation-languageserver): both are let pass.
"""
_UNDOCUMENTED = frozenset({"Fn::If", "Fn::Implies"})


def check_rules(section: Node | None, *, file: str) -> None:
    """Raises RefusedTemplateError for a function in Rules that CloudFormation refuses there."""
    for entry in _entries(section):
        if entry.key.startswith("Fn::") and entry.key not in FUNCTIONS:
            raise RefusedTemplateError(
                f"CloudFormation takes no {entry.key} in Rules",
                file=file,
                mark=entry.mark,
                hint=f"Ref, {', '.join(sorted(FUNCTIONS - _UNDOCUMENTED))}",
            )


def _entries(node: Node | None) -> Iterator[Entry]:
    """Every entry of every map below a node, parents first."""
    if isinstance(node, Map):
        for entry in node.entries:
            yield entry
            yield from _entries(entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _entries(item)
