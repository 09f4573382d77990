"""10,000 tables and 300,000 recovery points: how long every control takes over them, and how much memory.

Run: `python benchmarks/evaluate.py [TABLES]`. Promised for 10,000 tables: under 15 s and 600 MB.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from dataclasses import replace

from backcheck.controls import CONTROLS, examples
from backcheck.controls.control import AnyControl, World
from backcheck.evaluate import evaluate
from backcheck.inventory.backup import ProtectedResource, RecoveryPoint
from backcheck.policy.model import Copy, TableScope

LIMIT_SECONDS = 15.0
LIMIT_MB = 600.0


def main(tables: int) -> None:
    """Build the world, judge it, print what it took."""
    began = time.perf_counter()
    world = shop_of(tables)
    built = time.perf_counter()
    before = _peak_mb()
    findings = evaluate(world, CONTROLS)
    seconds, peak = time.perf_counter() - built, _peak_mb()
    points = sum(1 for _ in world.inventory.recovery_points()) if world.inventory else 0
    print(f"{tables} tables, {points} recovery points, {len(CONTROLS)} controls")
    print(f"built in {built - began:.1f} s, {before:.0f} MB")
    print(f"judged in {seconds:.1f} s, {peak:.0f} MB at the peak: {len(findings)} findings "
          f"(promised for 10,000 tables: under {LIMIT_SECONDS:.0f} s and {LIMIT_MB:.0f} MB)")  # fmt: skip
    print(", ".join(f"{status} {count}" for status, count in sorted(Counter(f.status for f in findings).items())))
    for one, took in slowest(world)[:8]:
        print(f"  {one.id} {took:.2f} s")


def slowest(world: World) -> list[tuple[AnyControl, float]]:
    """Each control alone, once more, longest first."""
    timed = []
    for one in CONTROLS:
        start = time.perf_counter()
        evaluate(world, [one])
        timed.append((one, time.perf_counter() - start))
    return sorted(timed, key=lambda pair: -pair[1])


def shop_of(tables: int) -> World:
    """The example shop with many tables of the daily tier: fifteen points each, and as many copies."""
    copied = examples.copies()[-15:]
    backups, copies = examples.backup_jobs()[:3], examples.copy_jobs()[:3]
    described = examples.table()
    held = [one for one in examples.points() if one.rule_id == "rule-daily"][-15:]
    tier = examples.tier(retention_days=15, copies=(Copy(vault="dr", retention_days=15),))
    scope = TableScope(key="orders", pattern="orders-*", tiers=(tier.id,))
    policy = replace(examples.policy(tiers=(tier,)), tables=(scope,), drill=None)
    names = tuple(f"orders-{number:05d}" for number in range(tables))
    arns = {name: f"{examples.TABLE_ARN}-{name[7:]}" for name in names}
    selection = examples.selection(resources=(f"{examples.TABLE_ARN}-*",))
    rule = examples.rule(delete_after_days=15, copies=(examples.copy_action(delete_after_days=15),))
    return examples.world(
        policy=policy,
        primary={
            "table_names": names,
            "tables": tuple(replace(described, name=name, arn=arns[name]) for name in names),
            "plans": (examples.plan(rules=(rule,), selections=(selection,), preview=_daily_preview()),),
            "vaults": (examples.vault(recovery_points=_many(held, arns)),),
            "protected": tuple(
                ProtectedResource(resource_arn=arn, resource_type="DynamoDB", last_backup=examples.point().created)
                for arn in arns.values()
            ),
            "backup_jobs": tuple(replace(job, resource_arn=arn) for arn in arns.values() for job in backups),
            "copy_jobs": tuple(replace(job, resource_arn=arn) for arn in arns.values() for job in copies),
        },
        dr={"vaults": (examples.dr_vault(recovery_points=_many(list(copied), arns)),)},
    )


def _daily_preview() -> tuple[object, ...]:
    return tuple(run for run in examples.preview() if run.rule_id == "rule-daily")


def _many(points: list[RecoveryPoint], arns: dict[str, str]) -> tuple[RecoveryPoint, ...]:
    return tuple(
        replace(
            point,
            arn=f"{point.arn}-{name}",
            resource_arn=arn,
            delete_after_days=15,
            delete_at=None if point.delete_at is None else point.created + (point.delete_at - point.created) / 2,
        )
        for name, arn in arns.items()
        for point in points
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
