"""Two manifests compared: equal, different, or not to be told, and never equal where nothing was compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backcheck.manifest.digest import differing_buckets
from backcheck.manifest.document import FilterState, Manifest, TableRef, Witness, WitnessKind
from backcheck.manifest.rawlines import RawComparison


class Outcome(StrEnum):
    """What a comparison came to."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> int:
        """0 equal, 1 different, 2 could not tell."""
        return {Outcome.EQUAL: 0, Outcome.DIFFERENT: 1, Outcome.UNKNOWN: 2}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two: what it is and how much it holds."""

    table: TableRef
    key: tuple[str, ...] | None
    witness: Witness
    items: int
    digest_id: str | None
    """None where the lines were compared as bytes, without making a manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two manifests say about each other. A is what is expected, B what was found."""

    outcome: Outcome
    reason: str
    a: Side
    b: Side
    buckets: tuple[int, ...] | None
    """The buckets that differ; None where the two are not bucketed by the same thing."""
    notes: tuple[str, ...]


def compare(a: Manifest, b: Manifest) -> Comparison:
    """Compare two manifests, without the data."""
    same_buckets = bucketed_alike(a.key, b.key)
    buckets = differing_buckets(a.digest, b.digest) if same_buckets else None
    same = a.digest.same_content(b.digest)
    side_a, side_b = side(a), side(b)
    outcome, reason = judge(same, side_a, side_b)
    if same and buckets:
        outcome, reason = Outcome.UNKNOWN, "the sums are equal but the buckets are not: one of the manifests was forged"
    return Comparison(outcome=outcome, reason=reason, a=side_a, b=side_b, buckets=buckets, notes=notes(side_a, side_b))


def compare_raw(a: Side, b: Side, raw: RawComparison) -> Comparison:
    """What a comparison of raw lines came to, in the same words."""
    outcome, reason = judge(raw.equal, a, b)
    buckets = differing_buckets(raw.a, raw.b) if bucketed_alike(a.key, b.key) else None
    return Comparison(outcome=outcome, reason=reason, a=a, b=b, buckets=buckets, notes=notes(a, b))


def judge(same: bool, a: Side, b: Side) -> tuple[Outcome, str]:
    """The outcome and why. What is the same may still prove nothing."""
    if not same:
        return Outcome.DIFFERENT, "the content differs"
    if not a.items:
        return Outcome.UNKNOWN, "both are empty: nothing was compared"
    if a.key and b.key and not bucketed_alike(a.key, b.key):
        return Outcome.UNKNOWN, "the items are the same, but the two name different keys: one of the two is wrong"
    unsure = [name for name, one in (("A", a), ("B", b)) if one.witness.filter is FilterState.UNKNOWN]
    if unsure:
        return Outcome.UNKNOWN, (
            f"the items are the same, but that a filter left others out of {' and '.join(unsure)} is not ruled out"
        )
    return Outcome.EQUAL, f"the same {a.items} items"


def bucketed_alike(a: tuple[str, ...] | None, b: tuple[str, ...] | None) -> bool:
    """True if buckets were chosen by the same thing: the same key attributes, or the whole item in both."""
    return (set(a) if a else None) == (set(b) if b else None)


def side(manifest: Manifest) -> Side:
    """What a comparison keeps of a manifest."""
    return Side(
        table=manifest.table,
        key=manifest.key,
        witness=manifest.witness,
        items=manifest.digest.items,
        digest_id=manifest.digest.id,
    )


def notes(a: Side, b: Side) -> tuple[str, ...]:
    """What a reader of the verdict should know of the two witnesses."""
    found = []
    for name, one in (("A", a), ("B", b)):
        found += [f"{name}: {note}" for note in one.witness.notes]
        if one.witness.kind is WitnessKind.SCAN:
            found.append(f"{name}: a scan shows one moment only if nothing was written while it ran")
            if one.witness.consistent is False:
                found.append(f"{name}: the scan's reads were eventually consistent")
        if one.witness.filter is FilterState.STATED and one.witness.kind is WitnessKind.EXPORT:
            found.append(f"{name}: that the export has no filter is the operator's word")
    if a.key is None and b.key is None:
        found.append("without a key, items that differ cannot be paired, nor a key that is there twice be seen")
    return tuple(found)
