"""VLT-03: the vault is locked, within bounds that fit."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, not_applicable, verdict
from backcheck.controls.vaults import PresentVault, present_vaults, retentions_in
from backcheck.finding import Severity, Verdict
from backcheck.policy.model import Lock


@control(
    id="VLT-03",
    title="The vault is locked within bounds that fit",
    severity=Severity.HIGH,
    reads=BOTH,
    each=present_vaults,
    in_template={cfn.VAULT: ("/LockConfiguration",), cfn.AIR_GAPPED: ("/MinRetentionDays", "/MaxRetentionDays")},
    why="Without the lock an attacker shortens retention; with bounds that do not fit, AWS fails every job.",
    remedy=(
        "aws backup put-backup-vault-lock-configuration --backup-vault-name NAME "
        "--min-retention-days MIN --max-retention-days MAX"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_PutBackupVaultLockConfiguration.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "locked": examples.world,
        "a stricter lock that fits": lambda: examples.world(
            primary={"vaults": (examples.vault(min_retention_days=14),)}
        ),
    },
    fails={
        "not locked": lambda: examples.world(
            primary={"vaults": (examples.vault(locked=False, min_retention_days=None, max_retention_days=None),)}
        ),
        "a minimum above the daily tier": lambda: examples.world(
            primary={"vaults": (examples.vault(min_retention_days=60),)}
        ),
        "a maximum below the monthly tier": lambda: examples.world(
            dr={"vaults": (examples.dr_vault(max_retention_days=90),)}
        ),
        "a weaker minimum": lambda: examples.world(primary={"vaults": (examples.vault(min_retention_days=1),)}),
    },
    unknown={"vaults not listed": lambda: examples.world(dr={"vaults": examples.gap("ListBackupVaults")})},
)
def lock_fits(subject: PresentVault, world: World) -> Verdict:
    """Locked as strictly as the policy says, and every retention of tiers and copies lies within its bounds."""
    wanted, vault = subject.wanted.lock, subject.vault
    if wanted is None:
        return not_applicable("the policy asks for no lock on this vault")
    asked = retentions_in(subject.wanted.key, world.policy)
    bad = ["it is not locked"] if not vault.locked else list(_problems(subject, wanted, asked))
    shown = f"{vault.min_retention_days} to {vault.max_retention_days} days" if vault.locked else "not locked"
    bounds = (wanted.min_retention_days, wanted.max_retention_days)
    differs = vault.locked and (vault.min_retention_days, vault.max_retention_days) != bounds
    return verdict(
        not bad,
        expected=f"locked, {bounds[0]} to {bounds[1]} days",
        observed=shown,
        at="DescribeBackupVault.Locked, MinRetentionDays, MaxRetentionDays",
        message=f"{vault.name}: {'; '.join(bad) or 'locked'}",
        notes=("its bounds are stricter than the policy's",) if differs and not bad else (),
    )


def _problems(subject: PresentVault, wanted: Lock, asked: tuple[int, ...]) -> Iterator[str]:
    low, high = subject.vault.min_retention_days, subject.vault.max_retention_days
    if low is None or low < wanted.min_retention_days:
        yield f"its minimum is {low or 'not set'}; the policy says {wanted.min_retention_days} days"
    elif asked and low > asked[0]:
        yield f"its minimum of {low} days fails every job that is kept for {asked[0]}"
    if high is None or high > wanted.max_retention_days:
        yield f"its maximum is {high or 'not set'}; the policy says {wanted.max_retention_days} days"
    elif asked and high < asked[-1]:
        yield f"its maximum of {high} days fails every job that is kept for {asked[-1]}"
