"""Which keys a role of AWS Backup must be able to use: its vaults', and those of the tables.

With DynamoDB's advanced features a backup is under the key of its vault, a copy under that of its own, and without them
under the table's; and "your IAM role must have access to the KMS key being used to back up and restore the object.
Otherwise the job is successful but the objects are not backed up or restored"
(https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from backcheck.controls.control import Reads, World
from backcheck.controls.dr_05_dr_restores import advanced
from backcheck.controls.expected_points import vault_id
from backcheck.controls.key_access import CREATE_GRANT, DYNAMODB, Need
from backcheck.controls.keys import NOT_THERE, find_key
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.controls.vaults import find_vault
from backcheck.finding import Status, Verdict
from backcheck.inventory.backup import Vault
from backcheck.inventory.gap import Gap, undecided
from backcheck.inventory.iam import Key
from backcheck.policy.model import KeyKind, Policy
from backcheck.policy.model import Vault as PolicyVault

READING = ("kms:Decrypt", "kms:GenerateDataKey")
"""What backing up a table under a customer's key takes of its key (encryption, the row of DynamoDB)."""
WRITING = (
    CREATE_GRANT,
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What DynamoDB needs "at a minimum" of whoever puts a table under a customer's key
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html)."""

PAGES_DIFFER = (
    "AWS's pages differ on whether a restored table gets its source's key where none is named (advanced-ddb-backup, "
    "restoring-dynamodb)"
)

THE_CHOICE = "which key a table restored from a copy gets, is chosen when it is restored"


def used_vaults(policy: Policy) -> tuple[PolicyVault, ...]:
    """The vaults that the policy's tiers back up and copy into."""
    used = {name for tier in policy.tiers for name in (tier.vault, *(copy.vault for copy in tier.copies))}
    return tuple(vault for vault in policy.vaults if vault.key in used)


def vaults_away(policy: Policy) -> tuple[PolicyVault, ...]:
    """Those that a tier copies into, out of the Region or the account of its own vault."""
    vaults = {vault.key: vault for vault in policy.vaults}
    away = {
        copy.vault
        for tier in policy.tiers
        for copy in tier.copies
        if _place(vaults.get(copy.vault), policy) != _place(vaults.get(tier.vault), policy)
    }
    return tuple(vault for vault in policy.vaults if vault.key in away)


def vaults_at_home(policy: Policy) -> tuple[PolicyVault, ...]:
    """Those of tables' own Regions: a tier's own vault, and those beside it that it copies into."""
    vaults = {vault.key: vault for vault in policy.vaults}
    home = {
        name
        for tier in policy.tiers
        for name in (tier.vault, *(copy.vault for copy in tier.copies))
        if _place(vaults.get(name), policy) == _place(vaults.get(tier.vault), policy)
    }
    return tuple(vault for vault in policy.vaults if vault.key in home)


def _place(vault: PolicyVault | None, policy: Policy) -> tuple[str, str] | None:
    return (vault.account, policy.region_of(vault)) if vault else None


def accounts_of(vaults: Iterable[PolicyVault], policy: Policy) -> Iterator[str]:
    """The ids of the accounts that vaults are in."""
    for wanted in vaults:
        if place := vault_id(wanted, policy):
            yield place[0]


def vault_needs(vaults: Iterable[PolicyVault], account: str, world: World) -> Iterator[Need | Gap]:
    """The keys of vaults that the policy's tiers back up and copy into, those in one account.

    Into another account "the act of copying is performed by your destination account's service linked role"
    (https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html).
    """
    for vault, key in vault_keys(vaults, account, world):
        if isinstance(key, Gap):
            yield key
        elif vault is not None and _is_used(vault, world):
            yield Need(key=key, of=f"vault {vault.name}")


def vault_keys(vaults: Iterable[PolicyVault], account: str, world: World) -> Iterator[tuple[Vault | None, Key | Gap]]:
    """The keys of vaults of the policy, those in one account; VLT-01 and VLT-02 tell of what does not exist."""
    for wanted in vaults:
        place = vault_id(wanted, world.policy)
        vault = find_vault(wanted, world) if place is not None and place[0] == account else None
        if isinstance(vault, Gap):
            yield None, vault
        elif vault is not None and vault.key_arn is not None:
            key = find_key(vault.key_arn, world)
            if isinstance(key, Key) or key.code not in NOT_THERE:
                yield vault, key


def _is_used(vault: Vault, world: World) -> bool:
    """Without advanced features nothing is under the vault's key. A template does not show them."""
    region = world.index.regions[(vault.account, vault.region)]
    return Reads.TEMPLATE in world.reads or isinstance(region.settings, Gap) or advanced(region.settings)


def source_needs(account: str, world: World) -> Iterator[Need | Gap]:
    """The keys of the tables in scope, for the role that backs them up: those of one account."""
    yield from _unread_tables(account, world)
    for scoped, key in _table_keys(account, world):
        yield key if isinstance(key, Gap) else Need(key=key, of=f"table {scoped.table.name}", actions=READING)


def restored_needs(account: str, world: World) -> Iterator[Need | Gap]:
    """The keys of the tables in scope, for the role that restores into new ones: those of one account.

    AWS's pages differ on the key of a table that is restored without naming one; where the policy asks for a customer's
    key, the restored table must have it.
    """
    yield from _unread_tables(account, world)
    for scoped, key in _table_keys(account, world):
        if isinstance(key, Gap):
            yield key
            continue
        doubt = "" if scoped.scope.encryption is KeyKind.CUSTOMER else PAGES_DIFFER
        yield Need(key=key, of=f"table {scoped.table.name}", actions=WRITING, granted_by=DYNAMODB, doubt=doubt)


def away_needs(account: str, world: World) -> Iterator[Need | Gap]:
    """The keys of the vaults that copies go to away from home, for the role that restores there: it reads the copies
    with them, and puts the restored tables under them.

    "When restoring a cross-Region backup, to encrypt your restored table using the same key you used to encrypt your
    original table, your key must be a multi-Region key" (restoring-dynamodb): drills of tables under a customer's key
    take the vault's, which is there.
    """
    surely = any(_asks_for_a_key(one) for one in tables_in_scope(world) if isinstance(one, ScopedTable))
    for need in vault_needs(vaults_away(world.policy), account, world):
        yield need
        if isinstance(need, Need):
            filling = tuple(action for action in WRITING if action not in need.actions)
            doubt = "" if surely else THE_CHOICE
            yield replace(need, of=f"{need.of}, for restored tables", actions=filling, doubt=doubt)


def _asks_for_a_key(scoped: ScopedTable) -> bool:
    return scoped.scope.encryption is KeyKind.CUSTOMER or scoped.table.encryption_key_arn is not None


def _unread_tables(account: str, world: World) -> Iterator[Gap]:
    """A table in scope that was not read may have a key of its own."""
    for scoped in tables_in_scope(world):
        if isinstance(scoped, Verdict) and scoped.status is Status.UNKNOWN:
            yield undecided(
                "dynamodb",
                "DescribeTable",
                f"{scoped.resource} {scoped.message}, and may be under a key of its own",
                account=account,
                resource=scoped.resource,
            )


def _table_keys(account: str, world: World) -> Iterator[tuple[ScopedTable, Key | Gap]]:
    """PIT-05 tells of a key that does not exist."""
    for scoped in tables_in_scope(world):
        if isinstance(scoped, ScopedTable) and scoped.table.account == account and scoped.table.encryption_key_arn:
            key = find_key(scoped.table.encryption_key_arn, world)
            if isinstance(key, Key) or key.code not in NOT_THERE:
                yield scoped, key
