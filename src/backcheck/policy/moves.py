"""Where the long form of a policy keeps what a file says in a short one, so that findings still find the line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backcheck.policy.document import Document, pointer_to, resolve
from backcheck.policy.scope import tables_of
from backcheck.policy.section import Section
from backcheck.policy.source import Place

_COPY = re.compile(r".*/copies/\d+")


@dataclass(frozen=True, slots=True)
class Moves:
    """Pointers of the file to pointers of the long form."""

    trees: tuple[tuple[str, str], ...]
    """Maps that move with everything below them."""
    leaves: tuple[tuple[str, str], ...]
    """Single values, and what the long form puts around them; the first of several is the nearest to it."""

    @classmethod
    def of(cls, root: Section, name: str) -> Moves:
        """The moves that a file asks for."""
        plan = pointer_to("/plans", name)
        trees = ((("/tiers", f"{plan}/tiers"),)) if "tiers" in root else ()
        around = [("/tiers", plan), ("/tiers", "/plans")] if "tiers" in root else []
        return cls(trees, (*_accounts(root), *_tables(root), *_objectives(root), *around))

    def long(self, pointer: str) -> str:
        """The pointer in the long form."""
        for short, long in self.trees:
            if pointer == short or pointer.startswith(f"{short}/"):
                return long + pointer[len(short) :]
        return next((long for short, long in self.leaves if pointer == short), pointer)

    def places(self, document: Document) -> dict[str, Place]:
        """Places by the pointers of the file, and by those of the long form."""
        places = dict(document.keys)
        for pointer, place in document.keys.items():
            long = self.long(pointer)
            places.setdefault(long, place)
            if _COPY.fullmatch(pointer) and isinstance(resolve(document.value, pointer), str):
                places.setdefault(f"{long}/vault", place)
        for short, long in self.leaves:
            if short in document.keys:
                places.setdefault(long, document.keys[short])
        return places


def _accounts(root: Section) -> list[tuple[str, str]]:
    if "account" in root:
        return [("/account", "/accounts/primary/id"), ("/account", "/accounts/primary"), ("/account", "/accounts")]
    accounts = root.child("accounts")
    return [(accounts.at(key), f"{accounts.at(key)}/id") for key, value in accounts.data.items() if type(value) is str]


def _tables(root: Section) -> list[tuple[str, str]]:
    if not isinstance(root.data["tables"], list):
        return []
    moved = []
    for index, table in enumerate(tables_of(root)):
        long = pointer_to("/tables", table.key)
        kind = "name" if table.name else "pattern" if table.pattern else "arn"
        moved += [(f"/tables/{index}", long), (f"/tables/{index}", f"{long}/{kind}")]
    return moved


def _objectives(root: Section) -> list[tuple[str, str]]:
    hours = [("rpo_hours", "rpo/backup_hours"), ("rpo_hours", "rpo")]
    hours += [("rto_hours", f"rto{way}") for way in ("", "/pitr_minutes", "/backup_minutes", "/dr_minutes")]
    written = root.child("objectives")
    return [(written.at(short), f"{written.pointer}/{long}") for short, long in hours if short in written]
