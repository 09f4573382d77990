"""What a drill may cost at most: an estimate before anything is begun, held against the policy's ceiling. Pure.

The prices are list prices that were not verified: no copy of https://aws.amazon.com/dynamodb/pricing/ with its figures
could be read. So they decide one thing, that a drill above the ceiling is not begun, and every plan says what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

GB = 1 << 30
READ_UNIT_BYTES = 4096
"""A strongly consistent read of up to 4 KB is one unit (developer guide, read and write operations)."""
HOURS_A_MONTH = 730
EXPORTS_AT_MOST = 3
"""At T, and a minute before and after it where there are differences to explain."""
SCANS_AT_MOST = 4
"""Source before and after, restored table, and once more where there are differences to list."""


NOT_VERIFIED = "list prices of 2026-11-22 that were not verified, doubled"
"""What a plan says of its prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """USD in us-east-1, not verified; no API of ours asks for them."""

    restore_gb: float = 0.15
    cold_restore_gb: float = 0.20
    export_gb: float = 0.10
    storage_gb_month: float = 0.25
    million_reads: float = 0.125
    margin: float = 2.0
    """Other Regions cost more, prices change, and these were not checked: what is stated here is multiplied."""


def estimate(size_bytes: int, *, hours: int, cold: bool, exported: bool, prices: Prices) -> float:
    """USD for one restore of `size_bytes` that lives for `hours`, and for its witness; rounded up to a cent.

    >>> estimate(0, hours=24, cold=False, exported=False, prices=Prices())
    0.01
    """
    size_gb = size_bytes / GB
    restore = size_gb * (prices.cold_restore_gb if cold else prices.restore_gb)
    storage = size_gb * prices.storage_gb_month * hours / HOURS_A_MONTH
    reads = SCANS_AT_MOST * size_bytes / READ_UNIT_BYTES / 1_000_000 * prices.million_reads
    exports = size_gb * prices.export_gb * EXPORTS_AT_MOST if exported else 0.0
    cents = int((restore + storage + reads + exports) * prices.margin * 100) + 1
    return cents / 100
