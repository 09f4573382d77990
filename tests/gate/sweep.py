"""Every property of our templates that bears on backups, taken away or altered in turn: `python -m tests.gate.sweep`.

Each change goes through the gate with all our templates, and is noticed where something that was green is not any more.
What is not noticed must be in survivors.yaml, with the reason; exit 1 on a difference in either direction. Some twenty
minutes of CPU: results are written as they come, and a run that was stopped goes on where it was, as long as neither
code nor templates have changed. `python -m tests.gate.sweep PATTERN` tries the changes that match only, and
`--document` writes docs/gate-survivors.md anew.
"""

from __future__ import annotations

import gc
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml
from tests.gate.building import EVERY, ROOT, Key, ours, policy
from tests.gate.building import NOW as WHEN

from backcheck.errors import Error
from backcheck.finding import Status
from backcheck.gate.judge import judge
from backcheck.gate.reads import SLICE
from backcheck.gate.stacks import StackSpec
from backcheck.template.node import Entry, Map, Node, Scalar, Sequence, text_of

NodePath = tuple[str | int, ...]
SAM = "AWS::Serverless::Function"
IDENTITIES = frozenset({"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", SAM})
WHOLE = frozenset({"Statement", "Policies"})
"""Lists of what somebody may do, whose items are taken away whole: which single actions are enough is held elsewhere
(tests/templates, tests/functions). Policies of vaults, topics and keys, and trust policies, are taken apart."""
TRUST = "AssumeRolePolicyDocument"
SAYS_NOTHING = frozenset({
    "Description", "Sid", "Version", "Tags", "AlarmDescription", "DisplayName", "AttributeDefinitions", "KeySchema",
    "BillingMode", "Id", "CodeUri", "Handler", "Architectures", "MemorySize", "LoggingConfig", "Tracing", "Layers",
    "Environment", "PolicyName", "FunctionName", "OKActions",
})  # fmt: skip
"""Names, texts and what runs the function: nothing about backups hangs on them, or everything (then it is refused)."""
KEPT_ATTRIBUTES = ("Properties", "DeletionPolicy", "UpdateReplacePolicy")
RESULTS = ROOT / ".cache" / "gate-sweep.jsonl"
SURVIVORS = Path(__file__).parent / "survivors.yaml"
DOCUMENT = ROOT / "docs" / "gate-survivors.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change to one of our templates."""

    name: str
    """`dr: - Vault/Properties/EncryptionKeyArn` takes away, `dr: ~ ...` alters."""
    stack: int
    """Which of the stacks."""
    spec: StackSpec
    """The stack with that one change."""


def changes(stacks: tuple[StackSpec, ...]) -> Iterator[Change]:
    """Every change to every stack, in the order of the templates."""
    for index, spec in enumerate(stacks):
        for what, changed in _changes(spec):
            yield Change(name=f"{spec.name}: {what}", stack=index, spec=changed)


def _changes(spec: StackSpec) -> Iterator[tuple[str, StackSpec]]:
    resources = spec.template.section("Resources")
    for entry in resources.entries:
        kind = text_of(entry.value.get("Type")) if isinstance(entry.value, Map) else None
        if not isinstance(entry.value, Map) or (kind not in SLICE and kind != SAM):
            continue
        yield f"- {entry.key}", _with(spec, resources, (entry.key,), None)
        for part in entry.value.entries:
            if part.key in KEPT_ATTRIBUTES:
                for path, node in _nodes(part.value, (entry.key, part.key), whole=kind in IDENTITIES):
                    name = "/".join(map(str, path))
                    yield f"- {name}", _with(spec, resources, path, None)
                    other = _altered(node)
                    if other is not None:
                        yield f"~ {name}", _with(spec, resources, path, other)


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


def _with(spec: StackSpec, resources: Map, path: NodePath, node: Node | None) -> StackSpec:
    """The stack with the node at `path` replaced, or taken away."""
    changed = _replaced(resources, path, node)
    root = spec.template.root
    entries = tuple(
        Entry(entry.key, changed, entry.mark) if entry.key == "Resources" else entry for entry in root.entries
    )
    return replace(spec, template=replace(spec.template, root=Map(entries, root.mark)))


def _replaced(node: Node, path: NodePath, new: Node | None) -> Node:
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


APART = {"drill": "restore-testing", "restore-testing": "drill"}
"""Either is a schedule that tests restores (RST-01): together each hides what the other lacks."""


@cache
def our_stacks() -> tuple[StackSpec, ...]:
    """All our templates, unchanged."""
    return ours(names=EVERY)


@cache
def every_change() -> tuple[Change, ...]:
    """Every change to them."""
    return tuple(changes(our_stacks()))


def noticed(change: Change) -> tuple[str, ...]:
    """The controls that turn from green with this change; nothing where it survives."""
    stacks = our_stacks()
    try:
        with_it = _bad((*stacks[: change.stack], change.spec, *stacks[change.stack + 1 :]), change.spec.name)
    except Error as error:
        return (f"refused: {error.message}",)
    return tuple(sorted({control for control, _, _ in with_it - _bad_before(change.spec.name)}))


def _bad(stacks: tuple[StackSpec, ...], changed: str) -> frozenset[Key]:
    line_up = tuple(one for one in stacks if one.name != APART.get(changed))
    found = judge(line_up, policy(), WHEN, lint=False).run.findings
    return frozenset(one.key for one in found if one.status in (Status.FAIL, Status.UNKNOWN))


@cache
def _bad_before(changed: str) -> frozenset[Key]:
    """Nothing, but that IAM-02 misses the drill role where drill.yaml stands apart."""
    return _bad(our_stacks(), changed)


def listed() -> Mapping[str, str]:
    """The survivors that survivors.yaml lists, each with the reason. Raises AssertionError for one listed twice."""
    found: dict[str, str] = {}
    for entry in yaml.safe_load(SURVIVORS.read_text()):
        for name in entry["changes"]:
            assert name not in found, f"{name} is listed twice"
            found[name] = " ".join(entry["why"].split())
    return found


def document() -> str:
    """docs/gate-survivors.md."""
    survivors = listed()
    reasons: dict[str, list[str]] = {}
    for name, why in survivors.items():
        reasons.setdefault(why, []).append(name)
    tried = len(every_change())
    head = f"""# Changes to our templates that the gate does not notice
`python -m tests.gate.sweep` takes away (`-`) or alters (`~`) each property of `templates/*.yaml` that bears on backups,
one at a time, and asks the gate, given all the templates together (drill.yaml and restore-testing.yaml without each
other, since either tests restores), whether anything that was green is not any more. Of
{tried} changes it notices {tried - len(survivors)}; {len(survivors)} are below, each with the reason. They are kept
in `tests/gate/survivors.yaml`; the sweep fails on a survivor that is not in it, and on one that no longer survives, and
`tests/gate/test_sweep.py` tries a sample each time. Linters are left out: what only cfn-lint would refuse is below too.
"""
    parts = [f"\n{why}\n\n" + "".join(f"- `{name}`\n" for name in names) for why, names in reasons.items()]
    return head + "".join(parts)


def _digest() -> str:
    """Of everything that a result hangs on."""
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "templates").glob("*.yaml"), ROOT / "policies" / "techmoda.yaml"]
    told = hashlib.sha256(Path(__file__).read_bytes())
    for file in sorted(files):
        told.update(file.read_bytes())
    return told.hexdigest()


def _earlier(digest: str) -> dict[str, tuple[str, ...]]:
    """Results of a run that was stopped; none where something has changed since."""
    lines = RESULTS.read_text().splitlines() if RESULTS.is_file() else []
    if not lines or json.loads(lines[0]) != digest:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(digest) + "\n")
        return {}
    return {name: tuple(by) for name, by in map(json.loads, lines[1:])}


def swept(wanted: Iterable[Change]) -> Mapping[str, tuple[str, ...]]:
    """What notices each change, by its name."""
    done = _earlier(_digest())
    found = {}
    with RESULTS.open("a") as file:
        for change in wanted:
            if change.name not in done:
                done[change.name] = noticed(change)
                file.write(json.dumps([change.name, done[change.name]]) + "\n")
                file.flush()
            found[change.name] = done[change.name]
    return found


def main(pattern: str = "") -> int:
    """Sweep, compare with what is listed, and say what differs."""
    if pattern == "--document":
        DOCUMENT.write_text(document())
        return 0
    gc.freeze()
    names = {change.name for change in every_change()}
    found = swept(change for change in every_change() if re.search(pattern, change.name))
    survivors = {name for name, by in found.items() if not by}
    expected = {name for name in listed() if name in found or name not in names}
    for name in sorted(survivors - expected):
        print(f"survives, and is not listed: {name}")
    for name in sorted(expected - survivors):
        print(f"listed, and {'noticed by ' + ', '.join(found[name]) if name in found else 'no change'}: {name}")
    print(f"{len(found)} of {len(names)} changes tried, {len(survivors)} survived")
    return int(survivors != expected)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
