"""How large an account may be: 10,000 tables and 300,000 recovery points, audited from a snapshot.

`python -m benchmarks.scale [TABLES]` prints seconds, peak memory and file sizes of a whole `backcheck check`.
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


def main() -> None:
    """Make the account, audit it in a process of its own, print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TABLES
    with tempfile.TemporaryDirectory(prefix="backcheck-scale-") as folder:
        policy_file, out = Path(folder) / "policy.yaml", Path(folder) / "out"
        policy_file.write_text(wide(POLICY.read_text()))
        file = Path(folder) / "snapshot.json.gz"
        snapshot.write(grown(take(Choice(sandbox="techmoda"), load(POLICY)).inventory, count), file)
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
        print(f"{usage.ru_maxrss / 1024:.0f} MB at most")
        for path in (file, *sorted(out.iterdir())):
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
        print(json.loads((out / "findings.json").read_bytes())["summary"])


if __name__ == "__main__":
    main()
