"""YAML to a Document: a small, strict part of YAML 1.2, since a policy must mean the same to every reader of it.

`NO` and `on` are text, `030` is refused, there is one document, no key comes twice, and no anchors, aliases, merge keys
or tags: a finding points at the one line that says a thing. https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf, isfinite

import yaml

from backcheck.errors import Problem
from backcheck.policy.document import Document, Json, pointer_to
from backcheck.policy.source import Place

MAX_DEPTH = 12
"""Lists and maps within each other; the format needs 7."""

MAX_DIGITS = 30

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?|[-+]?\.[0-9]+")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

# libyaml where PyYAML has it: ten times as fast, and the wheels of every platform do.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableError(Exception):
    """The text is no document at all; `problems` says why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


@dataclass(slots=True)
class _Open:
    """A list or a map whose end has not been read yet."""

    pointer: str
    value: list[Json] | dict[str, Json]
    flow: bool
    key: str | None = None
    """A map's key that waits for its value."""


@dataclass(slots=True)
class _Builder:
    """What has been read so far."""

    root: Json = None
    open: list[_Open] = field(default_factory=list)
    keys: dict[str, Place] = field(default_factory=dict)
    values: dict[str, Place] = field(default_factory=dict)
    unquoted: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, message: str, place: Place, *, pointer: str = "", hint: str = "") -> None:
        self.problems.append(Problem(message=message, path=pointer, line=place.line, column=place.column, hint=hint))

    def expects_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.open[-1].key is None

    def add(self, value: Json, place: Place) -> str:
        """Put a value where it belongs; return its pointer."""
        if not self.open:
            self.root = value
            pointer = ""
        else:
            parent = self.open[-1]
            if isinstance(parent.value, list):
                pointer = pointer_to(parent.pointer, len(parent.value))
                parent.value.append(value)
                self.keys[pointer] = place
            else:
                key = parent.key or ""
                pointer = pointer_to(parent.pointer, key)
                parent.value[key] = value
                parent.key = None
        self.values[pointer] = place
        return pointer

    def add_key(self, key: str, place: Place) -> None:
        parent = self.open[-1]
        pointer = pointer_to(parent.pointer, key)
        assert isinstance(parent.value, dict)
        if key in parent.value:
            first = self.keys[pointer]
            self.complain(
                f"this key came before, on line {first.line}", place, pointer=pointer, hint="keep one of them"
            )
        elif key == "<<":
            self.complain("merge keys are not supported", place, pointer=pointer, hint="write the keys out")
        self.keys.setdefault(pointer, place)
        parent.key = key


def read_yaml(text: str) -> tuple[Document, list[Problem]]:
    """The document, and what is wrong with it that still left one to read. Raises UnreadableError."""
    builder = _Builder()
    try:
        for event in _events(text):
            _take(builder, event)
    except yaml.MarkedYAMLError as error:
        raise UnreadableError([*builder.problems, _syntax_problem(error, text)]) from error
    except yaml.reader.ReaderError as error:
        raise UnreadableError([*builder.problems, _character_problem(error, text)]) from error
    document = Document(value=builder.root, keys=builder.keys, values=builder.values, unquoted=builder.unquoted)
    return document, builder.problems


def _events(text: str) -> Iterator[yaml.Event]:
    return iter(yaml.parse(text, Loader=_LOADER))


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(line=mark.line + 1, column=mark.column + 1) if mark else Place(line=1, column=1)


def _take(builder: _Builder, event: yaml.Event) -> None:
    place = _place(event)
    match event:
        case yaml.DocumentStartEvent() if builder.values:
            problem = "a second document begins here; a policy file holds one"
            raise UnreadableError([*builder.problems, _at(place, problem, hint="give each policy a file of its own")])
        case yaml.AliasEvent():
            problem = f"the alias `*{event.anchor}` is not supported: each thing is said in one place"
            raise UnreadableError([*builder.problems, _at(place, problem, hint="write it out")])
        case yaml.ScalarEvent():
            _refuse_extras(builder, event, place)
            _take_scalar(builder, event, place)
        case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
            _refuse_extras(builder, event, place)
            _open(builder, event, place)
        case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
            builder.open.pop()
        case _:
            pass


def _open(builder: _Builder, event: yaml.SequenceStartEvent | yaml.MappingStartEvent, place: Place) -> None:
    if builder.expects_key():
        raise UnreadableError(
            [*builder.problems, _at(place, "a key must be text", hint="no `?`, list or map as a key")]
        )
    if len(builder.open) >= MAX_DEPTH:
        raise UnreadableError(
            [*builder.problems, _at(place, f"more than {MAX_DEPTH} lists and maps within each other")]
        )
    value: list[Json] | dict[str, Json] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
    pointer = builder.add(value, place)
    builder.open.append(_Open(pointer=pointer, value=value, flow=bool(event.flow_style)))


def _take_scalar(builder: _Builder, event: yaml.ScalarEvent, place: Place) -> None:
    if builder.expects_key():
        builder.add_key(event.value, place)
        return
    plain = event.style in (None, "")
    value = _plain_value(event.value) if plain else event.value
    flow = bool(builder.open) and builder.open[-1].flow
    pointer = builder.add(value, place)
    if plain:
        builder.unquoted[pointer] = event.value
        _refuse_ambiguous(builder, event.value, place, pointer, flow=flow)


def _plain_value(text: str) -> Json:
    """What an unquoted scalar means. Whatever is not plainly a number, a boolean or empty is text."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _FLOAT.fullmatch(text) else inf
    return number if isfinite(number) else text


def _refuse_ambiguous(builder: _Builder, text: str, place: Place, pointer: str, *, flow: bool) -> None:
    if _LEADING_ZERO.fullmatch(text):
        number = text.lstrip("+-").lstrip("0") or "0"
        message = f"{text} means different numbers to different readers of YAML"
        hint = f'put it in quotes where it is text, such as an account id: "{text}"; as a number write {number}'
        builder.complain(message, place, pointer=pointer, hint=hint)
    elif flow and text.startswith("cron("):
        hint = f'"{text}"' if text.endswith(")") else '"cron(...)"'
        message = "a schedule within { } must stand in quotes: a comma, ? or * in it means something else there"
        builder.complain(message, place, pointer=pointer, hint=hint)


def _refuse_extras(builder: _Builder, event: yaml.NodeEvent, place: Place) -> None:
    anchor = event.anchor
    if anchor is not None:
        message = f"the anchor `&{anchor}` is not supported: each thing is said in one place"
        raise UnreadableError([*builder.problems, _at(place, message, hint="write it out")])
    tag = getattr(event, "tag", None)
    if tag is not None:
        short = tag.replace("tag:yaml.org,2002:", "!!")
        builder.complain(f"the tag `{short}` is not supported", place, hint="remove it; quotes make text of anything")


def _at(place: Place, message: str, *, hint: str = "") -> Problem:
    return Problem(message=message, line=place.line, column=place.column, hint=hint)


_SYNTAX: tuple[tuple[str, str, str], ...] = (
    # (part of the parser's own words, ours, what to try)
    (
        "mapping values are not allowed",
        "a second `:` on this line, or a line that is indented too far",
        "put text with `: ` in it in quotes",
    ),
    ("unexpected end of stream", "a quote is opened and never closed", "close it, or remove it"),
    ("unknown escape character", "a backslash in double quotes begins an escape", "use single quotes"),
    ("expected ',' or '}'", "a `{` is never closed, or a comma is missing", ""),
    ("expected ',' or ']'", "a `[` is never closed, or a comma is missing", ""),
    ("node content", "a value is missing, or a bracket is never closed", ""),
    ("expected '-' indicator", "a list ends here without a less indented line", "begin it with `- `, or indent less"),
    ("expected key", "this line is indented differently from those before it", "give keys of one map one indentation"),
    ("<block end>", "this line is indented differently from those before it", "give keys of one map one indentation"),
    ("could not find expected ':'", "a line that is neither `key: value` nor `- item`", ""),
    ("undefined alias", "an alias, and aliases are not supported", "write it out"),
    ("nesting", f"more than {MAX_DEPTH} lists and maps within each other", ""),
)


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines() or [""]
    written = lines[line] if line < len(lines) else ""
    words = error.problem or str(error)
    message, hint = f"not YAML: {words}", ""
    if "cannot start any token" in words:
        message, hint = _bad_start(written[column : column + 1], written)
    else:
        for part, ours, advice in _SYNTAX:
            if part in words:
                message, hint = f"not YAML: {ours}", advice
                break
    opened = error.context_mark
    if opened is not None and opened.line < line:
        message += f" (what it belongs to begins on line {opened.line + 1})"
    return Problem(message=message, line=line + 1, column=column + 1, hint=hint)


def _bad_start(character: str, written: str) -> tuple[str, str]:
    if character == "\t" or "\t" in written[: len(written) - len(written.lstrip())]:
        return "not YAML: a tab; YAML is indented with spaces", "replace each tab by two spaces"
    return f"not YAML: unquoted text cannot begin with `{character}`", "put it in quotes"


def _character_problem(error: yaml.reader.ReaderError, text: str) -> Problem:
    code = error.character if isinstance(error.character, int) else ord(error.character)
    # libyaml counts bytes and PyYAML characters: look for the character itself.
    before = text[: max(text.find(chr(code)), 0)]
    line = before.count("\n") + 1
    column = len(before.rpartition("\n")[2]) + 1
    return Problem(
        message=f"the character U+{code:04X} is not allowed in YAML", line=line, column=column, hint="remove it"
    )
