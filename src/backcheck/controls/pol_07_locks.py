"""POL-07: what the tiers ask for fits the vaults' locks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from backcheck.controls import examples
from backcheck.controls.control import POLICY_ONLY, World, control, not_applicable, verdict
from backcheck.controls.subjects import TierSubject, tiers
from backcheck.finding import Severity, Verdict
from backcheck.policy.model import Policy, Vault

AIR_GAPPED_LEAST_DAYS = 7
"""botocore, CreateLogicallyAirGappedBackupVaultInput.MinRetentionDays: 'The minimum value accepted is 7 days.'"""


@control(
    id="POL-07",
    title="Every retention fits the lock of its vault",
    severity=Severity.CRITICAL,
    reads=POLICY_ONLY,
    each=tiers,
    why="AWS accepts such a rule, and then fails every job of it.",
    remedy="Change retention_days, or the lock's min_retention_days and max_retention_days.",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_PutBackupVaultLockConfiguration.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateLogicallyAirGappedBackupVault.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={"within": examples.world, "exactly the bounds": lambda: examples.world(policy=_locked("main", 30, 365))},
    fails={
        "below the least": lambda: examples.world(policy=_locked("main", 31, 365)),
        "above the most": lambda: examples.world(policy=_locked("main", 30, 364)),
        "a copy": lambda: examples.world(policy=_locked("dr", 90, 365)),
        "air-gapped, below 7 days": lambda: examples.world(policy=_locked("dr", 6, 400, air_gapped=True)),
    },
    no_unknown="the policy alone is read",
)
def retention_fits_the_locks(subject: TierSubject, world: World) -> Iterator[Verdict]:
    """The tier's retention, and that of each copy, lies within the lock of the vault that takes it."""
    policy, tier = subject.policy, subject.rule
    stored = [(tier.vault, tier.retention_days, f"{tier.pointer}/retention_days")]
    for index, copy in enumerate(tier.copies):
        stored.append((copy.vault, copy.retention_days, f"{tier.pointer}/copies/{index}/retention_days"))
    locked = [(vault, days, at) for key, days, at in stored if (vault := policy.vault(key)) and vault.lock]
    for vault, days, at in locked:
        yield _fits(vault, days, at, tier.id)
    if not locked:
        yield not_applicable(f"{tier.id} stores in no vault with a lock")


def _fits(vault: Vault, days: int | None, at: str, who: str) -> Verdict:
    assert vault.lock is not None
    least, most = vault.lock.min_retention_days, vault.lock.max_retention_days
    if vault.air_gapped and least < AIR_GAPPED_LEAST_DAYS:
        return verdict(
            False,
            expected=f"an air-gapped vault's min_retention_days is {AIR_GAPPED_LEAST_DAYS} or more",
            observed=f"{least} days",
            at=f"/vaults/{vault.key}/lock",
            message=f"{vault.key} is air-gapped with a least retention of {least} days: AWS does not create it",
        )
    observed = "for ever" if days is None else f"{days} days"
    return verdict(
        days is not None and least <= days <= most,
        expected=f"{least} to {most} days, the lock of {vault.key}",
        observed=observed,
        at=at,
        message=f"{who}: kept {observed} in {vault.key}, whose lock takes {least} to {most} days",
    )


def _locked(key: str, least: int, most: int, *, air_gapped: bool = False) -> Policy:
    base = examples.policy()
    vaults = tuple(
        replace(
            vault,
            air_gapped=air_gapped,
            lock=replace(vault.lock, min_retention_days=least, max_retention_days=most),
        )
        if vault.key == key and vault.lock
        else vault
        for vault in base.vaults
    )
    return replace(base, vaults=vaults)
