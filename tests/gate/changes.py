"""Every change to our templates that the sweep tries: what is taken away, altered, or added.

`-` and `~` come from the templates themselves: each property that bears on backups is taken away, and altered. `+`
comes from additions.yaml: what AWS lets a template say that silences, forbids, excludes or shortens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.gate.building import EVERY, ours

from backcheck.gate.reads import SLICE
from backcheck.gate.stacks import StackSpec
from backcheck.template.compose import compose
from backcheck.template.node import Entry, Map, Node, Scalar, Sequence, text_of

NodePath = tuple[str | int, ...]
SAM = "AWS::Serverless::Function"
LEFT_WHOLE = frozenset({"AuditorRole", "CanaryRole"})
"""No backup and no restore needs these roles: their statements are taken away whole. What is in them is held to what
`backcheck permissions` prints, and to what a canary does (tests/templates)."""
WHOLE = frozenset({"Statement", "Policies"})
TRUST = "AssumeRolePolicyDocument"
NAMES = ("Sid", "RuleName", "PolicyName", "Id")
"""What an item of a list is called by, where it has one of them: an index says nothing, and others move it."""
SAYS_NOTHING = frozenset({
    "Description", "Sid", "Version", "Tags", "AlarmDescription", "DisplayName", "AttributeDefinitions", "KeySchema",
    "BillingMode", "Id", "CodeUri", "Handler", "Architectures", "MemorySize", "LoggingConfig", "Tracing", "Layers",
    "Environment", "PolicyName", "FunctionName", "OKActions",
})  # fmt: skip
"""Names, texts and what runs the function: nothing about backups hangs on them, or everything (then it is refused)."""
KEPT_ATTRIBUTES = ("Properties", "DeletionPolicy", "UpdateReplacePolicy")
OTHERS = {
    "Allow": "Deny", "Deny": "Allow", "ENABLED": "DISABLED", "true": "false", "false": "true",
    "breaching": "notBreaching",
}  # fmt: skip
"""Where AWS takes a few words only, another of them: any other text would be refused."""
ELSEWHERE = "arn:aws:sqs:us-east-1:123456789012:altered"
"""In the place of a statement's resource: IAM refuses what is no ARN."""
ADDITIONS = Path(__file__).parent / "additions.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change to one of our templates."""

    name: str
    """`dr: - Vault/Properties/EncryptionKeyArn` takes away, `dr: ~ ...` alters, `dr: + ...` adds."""
    stack: int
    """Which of the stacks."""
    path: NodePath
    """What is changed, below Resources."""
    spec: StackSpec
    """The stack with that one change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What additions.yaml adds in one place: an item to a list, keys to a map, or a value where there is none."""

    label: str
    to: str
    """A resource type, `*` for all that bear on backups, or a stack's name for new resources."""
    at: NodePath
    """Below the resource; `*` is each item of a list."""
    node: Node


@cache
def our_stacks() -> tuple[StackSpec, ...]:
    """All our templates, unchanged."""
    return ours(names=EVERY)


@cache
def every_change() -> tuple[Change, ...]:
    """Every change to every stack, in the order of the templates."""
    return tuple(
        Change(name=f"{spec.name}: {what}", stack=index, path=path, spec=_with(spec, resources))
        for index, spec in enumerate(our_stacks())
        for what, path, resources in (*_less_or_other(spec), *_more(spec))
    )


def _resources(spec: StackSpec) -> Iterator[tuple[str, str, Map]]:
    """Those that bear on backups: name, type, node."""
    for entry in spec.template.section("Resources").entries:
        kind = text_of(entry.value.get("Type")) if isinstance(entry.value, Map) else None
        if isinstance(entry.value, Map) and kind is not None and (kind in SLICE or kind == SAM):
            yield entry.key, kind, entry.value


def _less_or_other(spec: StackSpec) -> Iterator[tuple[str, NodePath, Map]]:
    resources = spec.template.section("Resources")
    for logical_id, _, resource in _resources(spec):
        yield f"- {logical_id}", (logical_id,), _changed(resources, (logical_id,), None)
        for part in resource.entries:
            if part.key in KEPT_ATTRIBUTES:
                for path, node in _nodes(part.value, (logical_id, part.key), whole=logical_id in LEFT_WHOLE):
                    name = _spelt(resources, path)
                    yield f"- {name}", path, _changed(resources, path, None)
                    other = _altered(node, path)
                    if other is not None:
                        yield f"~ {name}", path, _changed(resources, path, other)


def _spelt(node: Node | None, path: NodePath) -> str:
    """A path as people read it: items of lists by what they are called, or by what they say, else by their index."""
    words: list[str] = []
    for step in path:
        if isinstance(node, Sequence):
            called = [_called(item) for item in node.items]
            own = called[int(step)]
            words.append(own if own and called.count(own) == 1 else str(step))
        else:
            words.append(str(step))
        node = _at(node, (step,))
    return "/".join(words)


def _called(item: Node) -> str:
    if isinstance(item, Scalar):
        return "" if "/" in item.text else item.text
    if isinstance(item, Sequence):
        return next(filter(None, map(_called, (one for one in item.items if isinstance(one, Map)))), "")
    names = (text_of(item.get(name)) for name in NAMES)
    inside = (_called(entry.value) for entry in item.entries if entry.key == "Fn::If")
    return next(filter(None, (*names, *inside)), "")


def _nodes(node: Node, path: NodePath, *, whole: bool) -> Iterator[tuple[NodePath, Node]]:
    if path[1] != "Properties" or len(path) > 2:
        yield path, node
    if isinstance(node, Map) and not _is_function(node):
        for entry in node.entries:
            if entry.key not in SAYS_NOTHING:
                yield from _nodes(entry.value, (*path, entry.key), whole=whole and entry.key != TRUST)
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            inside = _nodes(item, (*path, index), whole=whole)
            atom = whole and path[-1] in WHOLE
            yield from ((where, one) for where, one in inside if not atom or where == (*path, index))


def _is_function(node: Map) -> bool:
    return len(node.entries) == 1 and (node.entries[0].key == "Ref" or node.entries[0].key.startswith("Fn::"))


def _altered(node: Node, path: NodePath) -> Node | None:
    """Another value of the same type; None for maps and lists, whose parts are altered."""
    if isinstance(node, Sequence) or (isinstance(node, Map) and not _is_function(node)):
        return None
    if "Statement" in path and "Resource" in path[-2:]:
        return Scalar(ELSEWHERE, ELSEWHERE, node.mark)
    if isinstance(node, Map):
        return Scalar("altered", "altered", node.mark)
    value = node.value
    if isinstance(value, bool):
        return Scalar(not value, str(not value).lower(), node.mark)
    if isinstance(value, int):
        return Scalar(value + 1, str(value + 1), node.mark)
    text = OTHERS.get(node.text, f"{node.text}X")
    return Scalar(text, text, node.mark)


@cache
def additions() -> tuple[Addition, ...]:
    """What additions.yaml says."""
    root = compose(ADDITIONS.read_text(), file=ADDITIONS.name, warnings=[])
    assert isinstance(root, Sequence)
    return tuple(map(_addition, root.items))


def _addition(item: Node) -> Addition:
    assert isinstance(item, Map)
    label, to, at, node = text_of(item.get("label")), text_of(item.get("to")), text_of(item.get("at")), item.get("add")
    assert label
    assert to
    assert node
    assert text_of(item.get("why"))
    return Addition(label=label, to=to, at=tuple(at.split("/")) if at else (), node=node)


def _more(spec: StackSpec) -> Iterator[tuple[str, NodePath, Map]]:
    resources = spec.template.section("Resources")
    for one in additions():
        if one.to == spec.name:
            yield f"+ {one.label}", (), _changed(resources, (), _joined(resources, one.node))
    for logical_id, kind, resource in _resources(spec):
        for one in additions():
            if one.to in (kind, "*"):
                for below in _places(resource, one.at):
                    path = (logical_id, *below)
                    there = _at(resources, path)
                    node = _joined(there, one.node)
                    if node is not None and node != there:
                        yield f"+ {_spelt(resources, path)} {one.label}", path, _changed(resources, path, node)


def _places(node: Node | None, at: NodePath) -> Iterator[NodePath]:
    """Where `at` leads below a node; nowhere into functions, and not below what is not there."""
    if not at:
        yield ()
    elif at[0] == "*" and isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from ((index, *rest) for rest in _places(item, at[1:]))
    elif isinstance(node, Map) and not _is_function(node) and (len(at) == 1 or str(at[0]) in node.names):
        yield from ((at[0], *rest) for rest in _places(node.get(str(at[0])), at[1:]))


def _at(node: Node | None, path: NodePath) -> Node | None:
    for step in path:
        if isinstance(node, Map):
            node = node.get(str(step))
        elif isinstance(node, Sequence):
            node = node.items[int(step)]
    return node


def _joined(there: Node | None, more: Node) -> Node | None:
    """A list with an item more, a map with keys more, or what was not there; None where something else is."""
    if there is None:
        return more
    if isinstance(there, Sequence):
        items = more.items if isinstance(more, Sequence) else (more,)
        return Sequence((*there.items, *items), there.mark)
    if isinstance(there, Map) and isinstance(more, Map) and not _is_function(there):
        kept = tuple(entry for entry in there.entries if entry.key not in more.names)
        same = {entry.key: entry.value for entry in there.entries}
        added = (Entry(e.key, _joined(same.get(e.key), e.value) or e.value, e.mark) for e in more.entries)
        return Map((*kept, *added), there.mark)
    return None


def _changed(node: Node, path: NodePath, new: Node | None) -> Map:
    """Resources with what is at `path` put there, or taken away."""
    changed = _replaced(node, path, new)
    assert isinstance(changed, Map)
    return changed


def _replaced(node: Node, path: NodePath, new: Node | None) -> Node | None:
    if not path:
        return new
    head, rest = path[0], path[1:]
    if isinstance(node, Map):
        found = node.entry(str(head))
        if found is None:
            assert new is not None
            assert not rest
            return Map((*node.entries, Entry(str(head), new, node.mark)), node.mark)
        value = _replaced(found.value, rest, new)
        changed = () if value is None else (Entry(found.key, value, found.mark),)
        at = node.entries.index(found)
        return Map((*node.entries[:at], *changed, *node.entries[at + 1 :]), node.mark)
    assert isinstance(node, Sequence)
    item = _replaced(node.items[int(head)], rest, new)
    kept = () if item is None else (item,)
    return Sequence((*node.items[: int(head)], *kept, *node.items[int(head) + 1 :]), node.mark)


NEVER = compose("Never: !Equals [never, always]", file="", warnings=[])


def _with(spec: StackSpec, resources: Map) -> StackSpec:
    """The stack with these resources, and with a condition that never holds, which additions.yaml names."""
    assert isinstance(NEVER, Map)
    root = spec.template.root
    conditions = spec.template.section("Conditions")
    entries = (
        *(entry for entry in root.entries if entry.key not in ("Resources", "Conditions")),
        Entry("Conditions", Map((*conditions.entries, *NEVER.entries), conditions.mark), conditions.mark),
        Entry("Resources", resources, resources.mark),
    )
    return replace(spec, template=replace(spec.template, root=Map(entries, root.mark)))
