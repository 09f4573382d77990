"""A policy back to YAML: every key written out; with `explain`, what the file left to a default is marked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from backcheck.policy.document import Json, pointer_to
from backcheck.policy.long_form import long_form
from backcheck.policy.model import Policy

HEADER = "# yaml-language-server: $schema=policy.schema.json\n"

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9._/@-]*( [A-Za-z0-9._/@-]+)*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""What some reader of YAML takes for something else than text."""

_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

Mark = Callable[[str], str]
"""What to write behind a key, given its pointer."""


def to_yaml(policy: Policy) -> str:
    """The whole policy; loading it gives the same policy, but for its source."""
    return HEADER + write_yaml(long_form(policy))


def write_yaml(data: dict[str, Json], mark: Mark = lambda _: "") -> str:
    """Any data as YAML that every reader understands alike."""
    return "".join(_map(data, "", 0, mark))


def explain(policy: Policy) -> str:
    """The whole policy, with `# default` behind each key that its file does not say."""
    places = policy.source.places

    def mark(pointer: str) -> str:
        around = pointer.rpartition("/")[0]
        return "  # default" if pointer not in places and (not around or around in places) else ""

    return HEADER + "".join(_map(long_form(policy), "", 0, mark))


def _map(data: dict[str, Json], pointer: str, indent: int, mark: Mark) -> Iterator[str]:
    for key, value in data.items():
        at = pointer_to(pointer, key)
        yield f"{' ' * indent}{_text(key)}:"
        yield from _value(value, at, indent, mark)


def _value(value: Json, pointer: str, indent: int, mark: Mark) -> Iterator[str]:
    """What comes after `key:`, to the end of the line or of the block."""
    if isinstance(value, dict) and value:
        yield f"{mark(pointer)}\n"
        yield from _map(value, pointer, indent + 2, mark)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield f"{mark(pointer)}\n"
        for index, item in enumerate(value):
            yield from _item(item, pointer_to(pointer, index), indent + 2, mark)
    else:
        yield f" {_scalar(value)}{mark(pointer)}\n"


def _item(item: Json, pointer: str, indent: int, mark: Mark) -> Iterator[str]:
    if not isinstance(item, dict) or not item:
        yield f"{' ' * indent}- {_scalar(item)}{mark(pointer)}\n"
        return
    lines = "".join(_map(item, pointer, indent + 2, mark))
    yield f"{' ' * indent}- {lines[indent + 2 :]}"


def _scalar(value: Json) -> str:
    match value:
        case str():
            return _text(value)
        case list():
            return "[" + ", ".join(_scalar(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{_text(key)}: {_scalar(item)}" for key, item in value.items()) + "}"
        case float() if "." not in repr(value):
            return repr(value).replace("e", ".0e")  # 1e-07 is text to readers of YAML 1.1
        case _:
            return json.dumps(value)


def _text(text: str) -> str:
    """Text as YAML: plain where no reader could take it for something else, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
