"""Every property of our templates that bears on backups, taken away or altered in turn: `python -m tests.gate.sweep`.

Prints each change that no control and no refusal notices, a line each, for docs/gate-survivors.md. An hour of CPU; give
`SHARE SHARES` to spread it over processes, and a pattern such as `primary: . (BackupPlan|Vault)` for a part of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace

from tests.gate.building import CORE, ours, policy
from tests.gate.building import NOW as WHEN

from backcheck.errors import Error
from backcheck.finding import Finding, Status
from backcheck.gate.judge import judge
from backcheck.gate.reads import SLICE
from backcheck.gate.stacks import StackSpec
from backcheck.template.node import Entry, Map, Node, Scalar, Sequence, text_of

Path = tuple[str | int, ...]
WHOLE = frozenset({"Statement", "Policies"})
"""Lists whose items are taken away whole; policies have tests of their own (IAM-01 to IAM-03, VLT-04)."""
SAYS_NOTHING = frozenset({
    "Description", "Sid", "Version", "Tags", "AlarmDescription", "DisplayName", "AttributeDefinitions", "KeySchema",
    "BillingMode", "Id", "CodeUri", "Handler", "Architectures", "MemorySize", "LoggingConfig", "Tracing", "Layers",
    "Environment", "PolicyName", "FunctionName", "OKActions",
})  # fmt: skip
"""Names, texts and what runs the function: nothing about backups hangs on them, or everything (then it is refused)."""
KEPT_ATTRIBUTES = ("Properties", "DeletionPolicy", "UpdateReplacePolicy")
SAM = "AWS::Serverless::Function"


def changes(spec: StackSpec) -> Iterator[tuple[str, StackSpec]]:
    """What is changed, and the stack with that one change."""
    resources = spec.template.section("Resources")
    for entry in resources.entries:
        kind = text_of(entry.value.get("Type")) if isinstance(entry.value, Map) else None
        if not isinstance(entry.value, Map) or (kind not in SLICE and kind != SAM):
            continue
        yield f"- {entry.key}", _with(spec, resources, (entry.key,), None)
        for part in entry.value.entries:
            if part.key in KEPT_ATTRIBUTES:
                for path, node in _nodes(part.value, (entry.key, part.key)):
                    name = "/".join(map(str, path))
                    yield f"- {name}", _with(spec, resources, path, None)
                    other = _altered(node)
                    if other is not None:
                        yield f"~ {name}", _with(spec, resources, path, other)


def _nodes(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    if path[1] != "Properties" or len(path) > 2:
        yield path, node
    if isinstance(node, Map) and not _is_function(node):
        for entry in node.entries:
            if entry.key not in SAYS_NOTHING:
                yield from _nodes(entry.value, (*path, entry.key))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            inside = _nodes(item, (*path, index))
            yield from ((where, one) for where, one in inside if path[-1] not in WHOLE or where == (*path, index))


def _is_function(node: Map) -> bool:
    return len(node.entries) == 1 and (node.entries[0].key == "Ref" or node.entries[0].key.startswith("Fn::"))


def _altered(node: Node) -> Node | None:
    """Another value of the same type; None for maps and lists, whose parts are altered."""
    if isinstance(node, Map):
        return Scalar("altered", "altered", node.mark) if _is_function(node) else None
    if not isinstance(node, Scalar):
        return None
    value = node.value
    if isinstance(value, bool):
        return Scalar(not value, str(not value).lower(), node.mark)
    if isinstance(value, int):
        return Scalar(value + 1, str(value + 1), node.mark)
    return Scalar(f"{node.text}X", f"{node.text}X", node.mark)


def _with(spec: StackSpec, resources: Map, path: Path, node: Node | None) -> StackSpec:
    """The stack with the node at `path` replaced, or taken away."""
    changed = _replaced(resources, path, node)
    root = spec.template.root
    entries = tuple(
        Entry(entry.key, changed, entry.mark) if entry.key == "Resources" else entry for entry in root.entries
    )
    return replace(spec, template=replace(spec.template, root=Map(entries, root.mark)))


def _replaced(node: Node, path: Path, new: Node | None) -> Node:
    head, rest = path[0], path[1:]
    if isinstance(node, Map):
        entries = []
        for entry in node.entries:
            if entry.key != head:
                entries.append(entry)
            elif rest:
                entries.append(Entry(entry.key, _replaced(entry.value, rest, new), entry.mark))
            elif new is not None:
                entries.append(Entry(entry.key, new, entry.mark))
        return Map(tuple(entries), node.mark)
    assert isinstance(node, Sequence)
    items = []
    for index, item in enumerate(node.items):
        if index != head:
            items.append(item)
        elif rest:
            items.append(_replaced(item, rest, new))
        elif new is not None:
            items.append(new)
    return Sequence(tuple(items), node.mark)


def bad(stacks: tuple[StackSpec, ...]) -> frozenset[tuple[str, str, str]]:
    """What is not green, whatever the words."""
    try:
        found: tuple[Finding, ...] = judge(stacks, policy(), WHEN, lint=False).run.findings
    except Error as error:
        return frozenset({("refused", error.message, "")})
    return frozenset(one.key for one in found if one.status in (Status.FAIL, Status.UNKNOWN))


def main(share: int, shares: int, within: str = "") -> None:
    """Print the survivors of this share of the changes, then how many there were; `within` is `stack: - Resource`."""
    stacks = ours(names=CORE)
    before = bad(stacks)
    tried = survived = 0
    every = [
        (index, what, spec)
        for index, one in enumerate(stacks)
        for what, spec in changes(one)
        if not within or re.match(within, f"{one.name}: {what}")
    ]
    for number, (index, what, spec) in enumerate(every):
        if number % shares != share:
            continue
        tried += 1
        if not bad((*stacks[:index], spec, *stacks[index + 1 :])) - before:
            survived += 1
            print(f"{spec.name}: {what}", flush=True)
    print(f"{tried} tried, {survived} survived", flush=True)


if __name__ == "__main__":
    shares = [int(one) for one in sys.argv[1:3]] or [0, 1]
    main(shares[0], shares[1], "".join(sys.argv[3:4]))
