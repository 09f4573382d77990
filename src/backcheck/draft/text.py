"""The file of a draft: what is wrong and what is open as comments above it, what each guess rests on beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backcheck.draft import Draft
from backcheck.finding import Finding, Status
from backcheck.inventory.gap import Gap
from backcheck.policy.render_yaml import HEADER, write_yaml


def text(draft: Draft, wrong: Iterable[Finding], gaps: Iterable[Gap], source: str) -> str:
    """The whole file."""
    lines = [
        f"# Written down from {_one_line(source)}: what is there, and not what should be.",
        "# Each `decide:` is a guess, or something that nobody would ask for: settle it, then delete the remark.",
        *_listed("Not read, so what hangs on it is missing or guessed", map(str, gaps)),
        *_listed("Left out", draft.left_out),
        *_wrong(wrong),
    ]
    return HEADER + "\n".join(lines) + "\n" + write_yaml(draft.document, lambda at: _beside(draft.marks.get(at)))


def _beside(remark: str | None) -> str:
    return f"  # {_one_line(remark)}" if remark else ""


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    found = [_one_line(item) for item in items]
    if found:
        yield f"# {title} ({len(found)}):"
        yield from (f"#   {item}" for item in found)


def _wrong(findings: Iterable[Finding]) -> Iterator[str]:
    bad = [one for one in findings if one.status in (Status.FAIL, Status.UNKNOWN)]
    yield f"# What is wrong with it ({len(bad)}):" if bad else "# No control objects to it."
    for one in bad:
        tier = f" ({one.tier})" if one.tier else ""
        yield f"#   {one.control} {one.status.value}{tier}: {_one_line(one.message)}"


def _one_line(message: str) -> str:
    """No line break that would end the comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in message).split())
