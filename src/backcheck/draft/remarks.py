"""What a draft says beside its keys: where a value comes from, what is left to decide, what could not be said."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

KEY_AT_MOST = 50
"""The longest key that a policy takes (policy.schema.json, key)."""


@dataclass(slots=True)
class Remarks:
    """Collected while a draft is made. Keys are JSON Pointers of the draft."""

    at: dict[str, str] = field(default_factory=dict)
    """Beside a key."""
    left_out: list[str] = field(default_factory=list)
    """What the account has and the draft does not, or what a policy may say and no account does."""

    def decide(self, pointer: str, text: str) -> None:
        """A value that is a guess, or that nobody would want."""
        before = self.at.get(pointer)
        self.at[pointer] = f"{before}; {text}" if before else f"decide: {text}"

    def read(self, pointer: str, text: str) -> None:
        """Where a value was read that no one field of the account states."""
        self.at[pointer] = f"read: {text}"


def key_of(name: str, taken: Collection[str] = ()) -> str:
    """A key made of a name: the letters that a key may have, as many as it may have, and not taken yet."""
    stem = re.sub(r"[^A-Za-z0-9_.-]", "-", name).lstrip("_.-")[:KEY_AT_MOST] or "unnamed"
    key, count = stem, 1
    while key in taken:
        count += 1
        key = f"{stem[: KEY_AT_MOST - 4]}-{count}"
    return key
