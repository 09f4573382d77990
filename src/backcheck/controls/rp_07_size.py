"""RP-07: the newest backup is as large as backups are."""

from collections.abc import Iterator
from statistics import median

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unknown, unread, verdict
from backcheck.controls.expected_points import points_in, usable
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap

AT = "ListRecoveryPointsByBackupVault.BackupSizeInBytes"
COMPARED = 7
LEAST_SHARE = 0.5


def _points(**changes: object) -> World:
    points = examples.points(examples.of_last_night, **changes)
    return examples.world(primary={"vaults": (examples.vault(recovery_points=points),)})


@control(
    id="RP-07",
    title="The newest backup is as large as backups are",
    severity=Severity.MEDIUM,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="The job that faithfully backs up a table that somebody emptied is green too.",
    remedy="Look at the table before the older backups expire: who deleted, and when? PITR can go back to before that.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RecoveryPointByBackupVault.html",),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "as ever": examples.world,
        "the table is empty and always was": lambda: examples.world(
            primary={
                "tables": (examples.table(item_count=0),),
                "vaults": (examples.vault(recovery_points=examples.points(lambda _: True, size_bytes=0)),),
            }
        ),
    },
    fails={
        "a tenth": lambda: _points(size_bytes=100_000),
        "nothing": lambda: _points(size_bytes=0),
        "empty copies": lambda: examples.world(
            dr={"vaults": (examples.dr_vault(recovery_points=examples.copies(lambda _: True, size_bytes=0)),)}
        ),
    },
    unknown={
        "no size in the reply": lambda: _points(size_bytes=None),
        "points not listed": lambda: examples.world(
            primary={"vaults": (examples.vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
    },
)
def size_is_plausible(subject: ScopedTable, world: World) -> Iterator[Verdict]:
    """More than nothing, and at least half of the median of the seven before it: of the backups, and of the copies."""
    own = dict.fromkeys(tier.vault for tier in subject.tiers)
    copied = dict.fromkeys(copy.vault for tier in subject.tiers for copy in tier.copies)
    yield _of(subject, "backup", tuple(own), world)
    if copied:
        yield _of(subject, "copy", tuple(copied), world)


def _of(subject: ScopedTable, what: str, vaults: tuple[str, ...], world: World) -> Verdict:
    points: list[RecoveryPoint] = []
    for key in vaults:
        found = points_in(world.policy.vault(key), subject, world)
        if isinstance(found, Gap):
            return unread(found, resource=subject.resource)
        points += usable(found, world.now)
    points.sort(key=lambda point: point.created)
    if not points:
        return not_applicable(f"{subject.table.name} has no usable {what} yet")
    size, before = points[-1].size_bytes, [p.size_bytes for p in points[-1 - COMPARED : -1] if p.size_bytes is not None]
    if size is None:
        return unknown(f"the reply has no BackupSizeInBytes for {points[-1].arn}", at=AT)
    usual, empty = median(before) if before else size, before.count(0)
    if size == usual == 0 and subject.table.item_count == 0:
        return verdict(
            True,
            expected="0 bytes of an empty table",
            observed="0 bytes",
            at=AT,
            message=f"{subject.table.name} is empty",
            notes=("an empty backup of an empty table proves nothing",),
        )
    return verdict(
        size > 0 and size >= LEAST_SHARE * usual,
        expected=f"more than 0, at least half of {usual:.0f} bytes",
        observed=f"{size} bytes",
        at=AT,
        message=f"the newest {what} of {subject.table.name} has {size} bytes; the {len(before)} before it {usual:.0f}",
        notes=(f"{empty} of the {len(before)} before the newest {what} have 0 bytes",) if empty else (),
    )
