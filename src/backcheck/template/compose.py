"""YAML events to nodes, without recursion and within limits.

Short tags become the functions they abbreviate:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from backcheck.template.node import Entry, Map, Mark, Node, Scalar, Sequence, TemplateError

MAX_DEPTH = 64
MAX_NODES = 200_000
"""Counted with aliases written out, so that a small file cannot stand for a huge one."""

_SHORT = frozenset(
    {
        "And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "GetAZs",
        "GetAtt", "GetStackOutput", "If", "Implies", "ImportValue", "Join", "Length", "Not", "Or", "RefAll", "Select",
        "Split", "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll",
    }
)  # fmt: skip
"""All but Fn::ForEach, whose name goes on; where each may stand is for the evaluator and `rules` to say."""
_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,37})")  # a leading zero is an account id, not octal
_FLOAT = re.compile(
    r"[-+]?(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?|[-+]?[0-9]{1,38}[eE][-+]?[0-9]{1,3}"
)
_ALIAS_WARNING = (
    "CloudFormation refuses YAML aliases and merges; only a packaged template, with them written out, deploys"
)


def compose(text: str, *, file: str, warnings: list[tuple[Mark, str]]) -> Node | None:
    """The document in `text`, None where there is none; what CloudFormation itself refuses is added to `warnings`.

    Raises TemplateError for a repeated key, an unknown tag, a second document or a limit, yaml.YAMLError for bad YAML.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    composer = _Composer(file=file, warnings=warnings)
    for event in yaml.parse(text, Loader=loader):
        composer.take(event)
    return composer.root


@dataclass(slots=True)
class _Open:
    """A list or map that has not ended; in a map, keys and values alternate in `children`."""

    start: SequenceStartEvent | MappingStartEvent
    mark: Mark
    children: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class _Composer:
    file: str
    warnings: list[tuple[Mark, str]]
    root: Node | None = None
    documents: int = 0
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Node, int] | None] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._error("more than one YAML document in the file", _mark(event))
        elif isinstance(event, ScalarEvent):
            self._add(self._tagged(_scalar(event), event.tag, _mark(event)), 1, event.anchor)
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, (SequenceStartEvent, MappingStartEvent)):
            if len(self.stack) >= MAX_DEPTH:
                raise self._error(f"nested more than {MAX_DEPTH} levels deep", _mark(event))
            if event.anchor:
                self.anchors[event.anchor] = None  # open: an alias to it from inside would never end
            self.stack.append(_Open(event, _mark(event)))
        elif isinstance(event, (SequenceEndEvent, MappingEndEvent)):
            done = self.stack.pop()
            node = self._map(done) if isinstance(event, MappingEndEvent) else Sequence(tuple(done.children), done.mark)
            self._add(self._tagged(node, done.start.tag, done.mark), done.size, done.start.anchor)

    def _add(self, node: Node, size: int, anchor: str | None = None) -> None:
        if anchor:
            self.anchors[anchor] = (node, size)
        if not self.stack:
            self.root = node
            return
        self.stack[-1].children.append(node)
        self.stack[-1].size += size
        if self.stack[-1].size > MAX_NODES:
            raise self._error(f"holds more than {MAX_NODES:,} values", node.mark)

    def _alias(self, event: AliasEvent) -> None:
        known = self.anchors.get(event.anchor or "")
        if known is None:
            problem = "is an alias to itself" if event.anchor in self.anchors else "is an alias to nothing"
            raise self._error(f"*{event.anchor} {problem}", _mark(event))
        self.warnings.append((_mark(event), _ALIAS_WARNING))
        self._add(known[0], known[1])

    def _map(self, done: _Open) -> Map:
        entries: dict[str, Entry] = {}
        merged: list[Entry] = []
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise self._error("a key must be a string", key.mark)
            if key.text == "<<" and isinstance(value, (Map, Sequence)):
                merged.extend(self._merged(value))
            elif key.text in entries:
                raise self._error(f"{key.text} is given twice (first on line {entries[key.text].mark.line})", key.mark)
            else:
                entries[key.text] = Entry(key.text, value, key.mark)
        for entry in merged:
            entries.setdefault(entry.key, entry)
        return Map(tuple(entries.values()), done.mark)

    def _merged(self, value: Map | Sequence) -> list[Entry]:
        sources = value.items if isinstance(value, Sequence) else (value,)
        found: list[Entry] = []
        for source in sources:
            if not isinstance(source, Map):
                raise self._error("<< merges maps only", source.mark)
            found.extend(source.entries)
        return found

    def _tagged(self, node: Node, tag: str | None, mark: Mark) -> Node:
        if tag is None or tag == "!" or tag.startswith("tag:yaml.org,2002:"):
            if tag and tag.rpartition(":")[2] in {"binary", "omap", "pairs", "set", "timestamp"}:
                raise self._error(f"CloudFormation does not support the YAML tag !!{tag.rpartition(':')[2]}", mark)
            return node
        name = tag.removeprefix("!")
        if name in {"Ref", "Condition"}:
            return Map((Entry(name, node, mark),), mark)
        if name not in _SHORT:
            raise self._error(f"unknown tag {tag}", mark)
        if name == "GetAtt" and isinstance(node, Scalar) and "." in node.text:
            resource, attribute = node.text.split(".", 1)
            node = Sequence((Scalar(resource, resource, mark), Scalar(attribute, attribute, mark)), mark)
        return Map((Entry(f"Fn::{name}", node, mark),), mark)

    def _error(self, message: str, mark: Mark) -> TemplateError:
        return TemplateError(message, file=self.file, mark=mark)


def _mark(event: Event) -> Mark:
    at = event.start_mark
    return Mark(line=at.line + 1, column=at.column + 1) if at else Mark()


def _scalar(event: ScalarEvent) -> Scalar:
    plain_style = event.implicit[0] and (event.tag is None or event.tag == "!")
    value = _typed(event.value) if plain_style else event.value
    return Scalar(value, event.value, _mark(event))


def _typed(text: str) -> str | int | float | bool | None:
    """YAML 1.1's plain scalars, but dates, sexagesimals and numbers with a leading zero stay text."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
