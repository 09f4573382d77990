"""What a restore leaves behind: AWS lists it, and the inventory knows what of it this table had.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html and
API_RestoreTableFromBackup.html ('You must manually set up the following on the restored table').
"""

from __future__ import annotations

from collections.abc import Iterator

from backcheck.inventory.gap import Gap
from backcheck.inventory.model import Inventory, PitrStatus, Table
from backcheck.recovery.table import Sought, restored_name

BY_HAND = "auto scaling, IAM policies, CloudWatch alarms, tags, stream, TTL, point-in-time recovery"
UNDOCUMENTED = "deletion protection, resource policy, Kinesis destination, Contributor Insights, replicas"
"""In neither of AWS's lists, of what comes back and of what does not: look at each."""


def afterwards(table: Sought, inventory: Inventory) -> Iterator[str]:
    """What to set again, and the command for what is known."""
    yield f"AWS does not bring back: {BY_HAND}"
    yield f"AWS does not say of: {UNDOCUMENTED}"
    if not isinstance(table, Table):
        yield "how this table was set up is not known: look into its template"
        return
    target = f"--region {table.region} --table-name {restored_name(table, table.region, inventory)}"
    if isinstance(table.pitr, Gap):
        yield f"whether it had point-in-time recovery is not known: {table.pitr}"
    elif table.pitr.enabled:
        yield f"aws dynamodb update-continuous-backups {target} {_window(table.pitr)}"
    if table.deletion_protection:
        yield f"aws dynamodb update-table {target} --deletion-protection-enabled"
    if table.replica_regions:
        yield f"it was replicated to {', '.join(table.replica_regions)}: what comes back is one table, alone"
    if not isinstance(table.tags, Gap) and table.tags:
        yield f"its tags were on: {', '.join(sorted(table.tags))}; a selection by tags takes no table without them"


def _window(pitr: PitrStatus) -> str:
    days = f",RecoveryPeriodInDays={pitr.window_days}" if pitr.window_days else ""
    return f"--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true{days}"
