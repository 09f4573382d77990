"""RP-04: each recovery point is encrypted with its vault's key."""

from collections.abc import Iterator

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, not_applicable, unknown, unread, verdict
from backcheck.controls.expected_points import points_in, usable, vault_id
from backcheck.controls.moments import few
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RecoveryPoint
from backcheck.inventory.gap import Gap
from backcheck.policy.model import Vault

AT = "ListRecoveryPointsByBackupVault.IsEncrypted, EncryptionKeyArn"


def vaults_of(subject: ScopedTable, world: World) -> Iterator[Vault]:
    """The policy's vaults that hold a table's backups and copies."""
    keys = [key for tier in subject.tiers for key in (tier.vault, *(copy.vault for copy in tier.copies))]
    yield from (vault for key in dict.fromkeys(keys) if (vault := world.policy.vault(key)) is not None)


def _points(**changes: object) -> World:
    points = examples.points(examples.of_last_night, **changes)
    return examples.world(primary={"vaults": (examples.vault(recovery_points=points),)})


@control(
    id="RP-04",
    title="Each recovery point is encrypted with its vault's key",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=tables_in_scope,
    why="A point under the table's own key goes when that key goes, and cannot be restored where the key is not.",
    remedy="Switch advanced DynamoDB backup on (FEA-02), then back up anew.",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html",
    ),
    maps_to=("NIST-800-53r5:CP-9(8)", "CIS-8.1:11.3"),
    passes={"with the vault's key": examples.world},
    fails={
        "with another key": lambda: _points(key_arn=examples.KEY_ARN + "-of-the-table"),
        "not at all": lambda: _points(encrypted=False, key_arn=None),
    },
    unknown={
        "points not listed": lambda: examples.world(
            dr={"vaults": (examples.dr_vault(recovery_points=examples.gap("ListRecoveryPointsByBackupVault")),)}
        ),
        "no key in the reply": lambda: _points(key_arn=None),
    },
)
def points_are_encrypted(subject: ScopedTable, world: World) -> Verdict:
    """IsEncrypted, with the key of the vault that holds the point."""
    bad: list[str] = []
    unsure: list[str] = []
    gaps: list[Gap] = []
    seen = 0
    for wanted in vaults_of(subject, world):
        points = points_in(wanted, subject, world)
        if isinstance(points, Gap):
            gaps.append(points)
            continue
        place = vault_id(wanted, world.policy)
        key = world.index.vaults[place].key_arn if place and place in world.index.vaults else None
        good = usable(points, world.now)
        seen += len(good)
        bad += [_told(point, wanted) for point in good if _is_wrong(point, key)]
        unsure += [point.arn for point in good if point.encrypted and key is not None and point.key_arn is None]
    if gaps and not bad:
        return unread(gaps[0], resource=subject.resource)
    if unsure and not bad:
        return unknown(f"the reply has no EncryptionKeyArn for {unsure[0]}", at=AT)
    if not seen:
        return not_applicable(f"{subject.table.name} has no usable point yet")
    return verdict(
        not bad,
        expected="encrypted with the vault's key",
        observed=few(bad, 3) or f"{seen} points are",
        at=AT,
        message=f"{subject.table.name}: {few(bad, 3) or f'all {seen} points are encrypted with their vault key'}",
        instances=bad,
    )


def _is_wrong(point: RecoveryPoint, key: str | None) -> bool:
    return not point.encrypted or (key is not None and point.key_arn is not None and point.key_arn != key)


def _told(point: RecoveryPoint, vault: Vault) -> str:
    name = point.arn.rpartition(":")[2]
    return f"{name} in {vault.name} is {f'under {point.key_arn}' if point.encrypted else 'not encrypted'}"
