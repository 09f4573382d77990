"""DR-01: each rule copies where the policy says."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, not_applicable, verdict
from backcheck.controls.deployment import DeployedRule, deployed_rules, vault_arn, vault_key
from backcheck.controls.moments import few
from backcheck.finding import Severity, Verdict

ELSEWHERE = f"arn:aws:backup:{examples.HERE}:{examples.ACCOUNT}:backup-vault:shop-vault-dr"


def _copying_to(*arns: str) -> World:
    copies = tuple(examples.copy_action(destination_vault_arn=arn) for arn in arns)
    return examples.world(primary={"plans": (examples.plan(rules=examples.rules(copies=copies)),)})


@control(
    id="DR-01",
    title="Rules copy where the policy says",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=deployed_rules,
    in_template={cfn.PLAN: (f"{cfn.BACKUP_RULE}/CopyActions",)},
    why="Without the copy the backup is lost with the region that it is to protect from.",
    remedy="Add CopyActions with the vault's ARN to the rule: aws backup update-backup-plan --backup-plan-id ID ...",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CopyAction.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html",
    ),
    maps_to=("NIST-800-53r5:CP-6", "NIST-800-53r5:CP-6(1)", "CIS-8.1:11.4"),
    passes={"to the DR vault": examples.world},
    fails={
        "no copy": _copying_to,
        "within its own region": lambda: _copying_to(ELSEWHERE),
        "to the DR vault of another partition": lambda: _copying_to(
            examples.DR_VAULT_ARN.replace("arn:aws:", "arn:aws-cn:")
        ),
        "to a vault that nobody named": lambda: _copying_to(
            examples.DR_VAULT_ARN, "arn:aws:backup:us-west-2:999988887777:backup-vault:theirs"
        ),
    },
    unknown={"plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)})},
)
def rule_copies_where_it_should(deployed: DeployedRule, world: World) -> Verdict:
    """A copy action to each of the tier's vaults, by account, region and name; none to a vault outside the policy."""
    wanted = {copy.vault for copy in deployed.wanted.copies}
    found = {vault_key(action.destination_vault_arn, world.policy) for action in deployed.rule.copies}
    problems = list(_problems(wanted, found, world))
    if not wanted and not found:
        return not_applicable("the policy asks for no copy of this tier")
    extra = sorted(key for key in found - wanted if world.policy.vault(key))
    arns = [action.destination_vault_arn for action in deployed.rule.copies]
    return verdict(
        not problems,
        expected=few([vault_arn(vault, world.policy) for key in sorted(wanted) if (vault := world.policy.vault(key))])
        or "no copy",
        observed=few(arns) or "no copy",
        at=f"GetBackupPlan.Rules[{deployed.rule.name}].CopyActions[].DestinationBackupVaultArn",
        message=f"rule {deployed.rule.name} {'; '.join(problems) or 'copies where the policy says'}",
        notes=(f"copies to {few(extra)} too, which the policy does not ask of this tier",) if extra else (),
    )


def _problems(wanted: set[str], found: set[str], world: World) -> Iterator[str]:
    for key in sorted(wanted - found):
        vault = world.policy.vault(key)
        name = f"{vault.name} in {world.policy.region_of(vault)}" if vault else key
        yield f"makes no copy to {name}"
    for arn in sorted(key for key in found if world.policy.vault(key) is None):
        yield f"copies to {arn}, which is no vault of the policy"
