"""POL-02: cold storage is possible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, not_applicable, verdict
from backcheck.controls.subjects import TierSubject, tiers
from backcheck.finding import Severity, Verdict
from backcheck.policy.model import Copy, Tier

COLD_MINIMUM_DAYS = 90
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html"""


@control(
    id="POL-02",
    title="What moves to cold storage can stay there 90 days",
    severity=Severity.CRITICAL,
    reads=POLICY_ONLY,
    each=tiers,
    why="AWS refuses such a rule, and with it the whole plan: nothing is backed up at all.",
    remedy="Drop cold_storage_after_days, or make retention_days at least 90 days longer than it.",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "cold at 90 of 365 days": examples.world,
        "cold at 30 of 120 days": lambda: _world(retention_days=120, cold_storage_after_days=30),
    },
    fails={
        "cold at 30 of 90 days, as the lab had it": lambda: _world(retention_days=90, cold_storage_after_days=30),
        "one day short": lambda: _world(retention_days=119, cold_storage_after_days=30),
        "the copy": lambda: _world(copies=(Copy(vault="dr", retention_days=30, cold_storage_after_days=1),)),
        "a continuous rule": lambda: _world(retention_days=365, cold_storage_after_days=90, continuous=True),
        "without the advanced features": lambda: examples.world(
            policy=examples.policy(advanced_features_required=False)
        ),
    },
    no_unknown="the policy alone is read",
)
def cold_storage_is_possible(subject: TierSubject, world: World) -> Iterator[Verdict]:
    """Retention is at least 90 days longer than the move to cold, for the tier and for each of its copies."""
    tier = subject.rule
    stored: list[tuple[str, Tier | Copy]] = [(tier.pointer, tier)]
    stored += [(f"{tier.pointer}/copies/{index}", copy) for index, copy in enumerate(tier.copies)]
    cold = [(pointer, one, one.cold_storage_after_days) for pointer, one in stored if one.cold_storage_after_days]
    for pointer, one, days in cold:
        yield _long_enough(pointer, one.retention_days, days, tier)
        yield from _taken_note_of(pointer, tier, world)
    if not cold:
        yield not_applicable(f"{tier.id} uses no cold storage")


def _long_enough(pointer: str, retention_days: int | None, cold_days: int, tier: Tier) -> Verdict:
    least = cold_days + COLD_MINIMUM_DAYS
    sum_ = f"cold after {cold_days} days + {COLD_MINIMUM_DAYS} days in cold storage = {least} days"
    kept = "for ever" if retention_days is None else f"{retention_days} days"
    holds = retention_days is None or retention_days >= least
    what = "its copy" if "/copies/" in pointer else "it"
    return verdict(
        holds,
        expected=f"kept at least {least} days: {sum_}",
        observed=f"kept {kept}",
        at=f"{pointer}/retention_days",
        message=f"{tier.id}: {sum_}, {what} is kept {kept}" + ("" if holds else ": AWS refuses the plan"),
    )


def _taken_note_of(pointer: str, tier: Tier, world: World) -> Iterator[Verdict]:
    at = f"{pointer}/cold_storage_after_days"
    if tier.continuous:
        yield verdict(
            False,
            expected="no cold storage in a continuous rule",
            observed="continuous: true",
            at=at,
            message=f"{tier.id} is continuous and uses cold storage: AWS has no cold storage for continuous backups",
        )
    if not world.policy.advanced_features_required:
        yield verdict(
            False,
            expected="dynamodb_advanced_features: required",
            observed="not-required",
            at=at,
            message=f"{tier.id} uses cold storage, which DynamoDB has with advanced features only: AWS would ignore it",
        )


def _world(**daily: Any) -> World:
    return examples.world(policy=examples.policy(tiers=(examples.tier(**daily),)))
