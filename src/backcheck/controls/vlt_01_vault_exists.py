"""VLT-01: the vault exists and is available."""

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, unknown, verdict
from backcheck.controls.vaults import ExpectedVault, expected_vaults
from backcheck.finding import Severity, Verdict

AIR_GAPPED = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
STANDARD = "BACKUP_VAULT"
AT = "DescribeBackupVault.VaultState, VaultType"


@control(
    id="VLT-01",
    title="The vault exists and is available",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=expected_vaults,
    in_template=dict(cfn.VAULTS),
    why="A plan may name a vault that is not there: AWS takes the plan, and every job into that vault fails.",
    remedy="aws backup create-backup-vault --backup-vault-name NAME --encryption-key-arn KEY --region REGION",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeBackupVault.html",),
    maps_to=("NIST-800-53r5:CP-9", "NIST-800-53r5:CP-6"),
    passes={"both vaults": examples.world},
    fails={
        "no DR vault": lambda: examples.world(dr={"vaults": ()}),
        "not created": lambda: examples.world(primary={"vaults": (examples.vault(state="FAILED"),)}),
        "not air-gapped": lambda: examples.world(
            policy=examples.policy(
                vaults=(examples.policy_vault(), examples.policy_vault("dr", air_gapped=True)),
            )
        ),
    },
    unknown={
        "vaults not listed": lambda: examples.world(dr={"vaults": examples.gap("ListBackupVaults")}),
        "no state in the reply": lambda: examples.world(primary={"vaults": (examples.vault(state=None),)}),
    },
)
def vault_is_available(expected: ExpectedVault, world: World) -> Verdict:
    """A vault of the name in its region, AVAILABLE and of the policy's type; templates show no state."""
    vault, wanted = expected.vault, expected.wanted
    kind = AIR_GAPPED if wanted.air_gapped else STANDARD
    if vault is None:
        return verdict(
            False,
            expected=f"{wanted.name} in {expected.where}",
            observed="none",
            at="ListBackupVaults.BackupVaultName",
            message=f"there is no vault {wanted.name} in {expected.where}: every job into it fails",
        )
    written = Reads.TEMPLATE in world.reads
    state, type_ = (vault.state or "AVAILABLE", vault.type or STANDARD) if written else (vault.state, vault.type)
    if (state is None and type_ in (kind, None)) or (type_ is None and state == "AVAILABLE"):
        return unknown(f"the reply has no {'VaultState' if state is None else 'VaultType'} for {vault.name}", at=AT)
    return verdict(
        (state, type_) == ("AVAILABLE", kind),
        expected=f"AVAILABLE, {kind}",
        observed=f"{state}, {type_}",
        at=AT,
        message=f"{vault.name} in {vault.region} is {state}, of type {type_}",
    )
