"""How large an account may be: 10,000 tables and 300,000 recovery points, audited from a snapshot.

`python -m benchmarks.scale [TABLES]` prints seconds and peak memory of reading and judging alone, and of a whole
`backcheck check` with its file sizes.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from backcheck.accounts import Choice, take
from backcheck.controls import CONTROLS
from backcheck.controls.control import World
from backcheck.evaluate import evaluate
from backcheck.inventory import snapshot
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, RegionInventory, Table
from backcheck.policy.load import load

POLICY = Path("policies/techmoda.yaml")

TABLES = 10_000

POINTS_A_TABLE = 30


def grown(inventory: Inventory, count: int) -> Inventory:
    """The compliant account with its one table, and its points, many times over."""
    account = inventory.accounts[0]
    return replace(inventory, accounts=(replace(account, regions=tuple(_grown(r, count) for r in account.regions)),))


def _grown(region: RegionInventory, count: int) -> RegionInventory:
    tables = [table for table in region.tables if isinstance(table, Table)]
    more = tuple(
        replace(table, name=f"{table.name}-{i}", arn=f"{table.arn}-{i}") for i in range(count) for table in tables
    )
    vaults = region.vaults
    if not isinstance(vaults, Gap):
        vaults = tuple(
            vault
            if isinstance(vault.recovery_points, Gap)
            else replace(vault, recovery_points=_points(vault.recovery_points, count))
            for vault in vaults
        )
    protected = region.protected
    if not isinstance(protected, Gap):
        protected = tuple(
            replace(one, resource_arn=f"{one.resource_arn}-{i}") for i in range(count) for one in protected
        )
    names = region.table_names
    if not isinstance(names, Gap):
        names = tuple(f"{name}-{i}" for i in range(count) for name in names)
    return replace(region, table_names=names, tables=more, vaults=vaults, protected=protected)


def _points(points: tuple[RecoveryPoint, ...], count: int) -> tuple[RecoveryPoint, ...]:
    newest = points[-POINTS_A_TABLE // 2 :]
    return tuple(
        replace(point, arn=f"{point.arn}-{i}", resource_arn=f"{point.resource_arn}-{i}")
        for i in range(count)
        for point in newest
    )


def wide(text: str) -> str:
    """The policy for many tables: by pattern instead of by name, and without the copies that the points lack."""
    return text.replace("name: techmoda-products\n", 'pattern: "techmoda-products-*"\n')


def evaluated(policy_file: Path, file: Path) -> None:
    """Reading and judging alone, in this process: no pytest, no report."""
    began = time.perf_counter()
    policy, inventory = load(policy_file), snapshot.read(file)
    read, cpu = time.perf_counter(), time.process_time()
    findings = evaluate(World(policy=policy, now=inventory.taken_at, inventory=inventory), CONTROLS)
    judged, cpu = time.perf_counter(), time.process_time() - cpu
    points = sum(1 for _ in inventory.recovery_points())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{sum(1 for _ in inventory.tables())} tables, {points} recovery points, {len(findings)} findings")
    print(f"snapshot read in {read - began:.1f} s, {peak:.0f} MB at most")
    print(f"evaluated in {judged - read:.1f} s, {cpu:.1f} s CPU")


def main() -> None:
    """Make the account, audit it in a process of its own, print the figures."""
    if sys.argv[1:2] == ["--evaluate"]:
        evaluated(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TABLES
    with tempfile.TemporaryDirectory(prefix="backcheck-scale-") as folder:
        policy_file, out = Path(folder) / "policy.yaml", Path(folder) / "out"
        policy_file.write_text(wide(POLICY.read_text()))
        file = Path(folder) / "snapshot.json.gz"
        snapshot.write(grown(take(Choice(sandbox="techmoda"), load(POLICY)).inventory, count), file)
        alone = [sys.executable, "-m", "benchmarks.scale", "--evaluate", str(policy_file), str(file)]
        print(subprocess.run(alone, capture_output=True, text=True, check=True).stdout)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "backcheck", "check", "--policy", policy_file, "--snapshot", file, "--out", out],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(done.stdout[-1500:], done.stderr[-500:])
        print(f"exit {done.returncode}: {seconds:.1f} s wall, {usage.ru_utime:.1f} s CPU")
        print(f"{usage.ru_maxrss / 1024:.0f} MB at most, of both")
        for path in (file, *sorted(out.iterdir())):
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
        print(json.loads((out / "findings.json").read_bytes())["summary"])


if __name__ == "__main__":
    main()
