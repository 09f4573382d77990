"""A plan and what applying it came to, for a terminal: counts and digests, no item data."""

from __future__ import annotations

from collections import Counter

from backcheck.reconcile.apply import Tally
from backcheck.reconcile.classify import Class
from backcheck.reconcile.document import Decision, Entry, Plan

SHOWN = 20
"""Items that need a decision listed here; the plan lists all."""

_MEANING = {
    Class.RESTORE: "lost or damaged, untouched since: written back",
    Class.KEEP: "legitimate writes: kept",
    Class.CONFLICT: "damaged, then written: need a decision",
    Class.DELETED: "deleted since: not brought back",
    Class.UNDETERMINED: "the evidence does not tell: need a decision",
}


def plan_text(plan: Plan, place: str) -> str:
    """A plan on about thirty lines."""
    window = f"{plan.bad_from} until {plan.bad_until}" if plan.bad_from else "not given"
    listed = "" if plan.listed_keys is None else f"; {plan.listed_keys} listed keys"
    lines = [
        f"restored  {plan.restored.arn}, as of {plan.restored_at or 'unknown'}",
        f"live      {plan.live.arn}, read {plan.made_at}",
        f"bad       {window}{listed}",
        f"same      {plan.same}",
        *(f"{kind:<13} {plan.counts[kind]:>7}  {_MEANING[kind]}" for kind in Class),
        *(f"note: {note}" for note in plan.notes),
    ]
    undecided = [entry for entry in plan.entries if entry.decision is None]
    lines += [f"  {_named(entry)}: {entry.reason}" for entry in undecided[:SHOWN]]
    if len(undecided) > SHOWN:
        lines.append(f"  and {len(undecided) - SHOWN} more, in the plan")
    return "\n".join([*lines, f"plan: {place}"])


def _named(entry: Entry) -> str:
    return entry.key or f"key {entry.digest.hex()[:16]}"


def tally_text(plan: Plan, tally: Tally) -> str:
    """What applying came to."""
    wanted = sum(entry.decision is Decision.RESTORE for entry in plan.entries)
    lines = [f"to restore {wanted}", *(f"{count:>7}  {outcome}" for outcome, count in _sorted(tally))]
    if tally.source_changed:
        lines.append(f"{tally.source_changed:>7}  skipped: the restored table no longer holds what the plan saw")
    if tally.undecided:
        lines.append(f"{tally.undecided:>7}  not touched: no decision in the plan")
    names = {entry.digest: _named(entry) for entry in plan.entries}
    lines += [f"  {names[digest]}: {outcome}" for digest, outcome in tally.skipped[:SHOWN]]
    if len(tally.skipped) > SHOWN:
        lines.append(f"  and {len(tally.skipped) - SHOWN} more, in the ledger")
    return "\n".join(lines)


def _sorted(tally: Tally) -> list[tuple[str, int]]:
    return sorted(Counter({str(outcome): count for outcome, count in tally.outcomes.items()}).items())
