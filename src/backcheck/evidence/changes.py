"""What changed since another run, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backcheck.difference import Change
from backcheck.evidence.terminal import LISTED, printable

NAMED = 3
"""Of what a known failure now fails for, too."""


def told(change: Change) -> str:
    """One change on one line, without control characters."""
    control, resource, tier = change.key
    place = f"{resource} ({tier})" if tier else resource
    before, after = (status.value if status else "absent" for status in (change.before, change.after))
    what = f"{before} -> {after}"
    if change.added:
        more = f" and {len(change.added) - NAMED} more" if len(change.added) > NAMED else ""
        what = f"{after}, now also for {', '.join(change.added[:NAMED])}{more}"
    return printable(f"{control} {place}: {what}: {change.message}")


def since_baseline(changes: Iterable[Change]) -> Iterator[str]:
    """What blocks in spite of a baseline: new failures, and known ones that fail for more."""
    worse = [change for change in changes if change.worse]
    yield from (f"NEW     {told(change)}" for change in worse[:LISTED])
    if len(worse) > LISTED:
        yield f"NEW     and {len(worse) - LISTED} more"
