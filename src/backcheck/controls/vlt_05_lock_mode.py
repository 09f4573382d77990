"""VLT-05: the lock is of the mode that the policy says."""

from datetime import timedelta

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, expect, not_applicable
from backcheck.controls.moments import told
from backcheck.controls.vaults import PresentVault, present_vaults
from backcheck.finding import Severity, Verdict
from backcheck.policy.model import Lock, LockMode, Policy


def _compliance() -> Policy:
    lock = Lock(mode=LockMode.COMPLIANCE, min_retention_days=7, max_retention_days=400, changeable_for_days=3)
    return examples.policy(vaults=(examples.policy_vault(lock=lock), examples.policy_vault("dr")))


@control(
    id="VLT-05",
    title="The lock is immutable when due",
    severity=Severity.MEDIUM,
    reads=BOTH,
    each=present_vaults,
    in_template={cfn.VAULT: ("/LockConfiguration/ChangeableForDays", "/LockConfiguration"), cfn.AIR_GAPPED: ("",)},
    why="A governance lock can be lifted by whoever has the permission; a compliance lock by nobody, after its date.",
    remedy=(
        "aws backup put-backup-vault-lock-configuration --backup-vault-name NAME --min-retention-days MIN "
        "--max-retention-days MAX --changeable-for-days 3 (for ever after three days: think first)"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeBackupVault.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "CIS-8.1:11.3"),
    passes={
        "governance as the policy says": examples.world,
        "compliance": lambda: examples.world(
            policy=_compliance(),
            primary={"vaults": (examples.vault(lock_date=examples.NOW - timedelta(days=30)),)},
        ),
        "compliance soon": lambda: examples.world(
            policy=_compliance(),
            primary={"vaults": (examples.vault(lock_date=examples.NOW + timedelta(days=2)),)},
        ),
    },
    fails={
        "governance where compliance is due": lambda: examples.world(policy=_compliance()),
        "compliance that nobody asked for": lambda: examples.world(
            primary={"vaults": (examples.vault(lock_date=examples.NOW),)}
        ),
    },
    unknown={"vaults not listed": lambda: examples.world(dr={"vaults": examples.gap("ListBackupVaults")})},
)
def lock_mode_is_the_policys(subject: PresentVault, world: World) -> Verdict:
    """A LockDate means compliance mode, from that date on; a lock without one is governance mode."""
    vault, wanted = subject.vault, subject.wanted.lock
    if wanted is None:
        return not_applicable("the policy asks for no lock on this vault")
    if not vault.locked:
        return not_applicable("the vault is not locked: see VLT-03")
    mode = LockMode.GOVERNANCE if vault.lock_date is None else LockMode.COMPLIANCE
    open_still = vault.lock_date is not None and vault.lock_date > world.now
    return expect(
        str(mode),
        equals=str(wanted.mode),
        at="DescribeBackupVault.LockDate",
        message=f"{vault.name} is locked in {mode} mode; the policy says {wanted.mode}",
        notes=(f"the lock can still be lifted until {told(vault.lock_date)}",)
        if open_still and vault.lock_date
        else (),
    )
