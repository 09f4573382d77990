"""DR-02: copies are kept as long as the policy says."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, not_applicable, verdict
from backcheck.controls.deployment import DeployedRule, copy_lifecycle, deployed_rules, kept_for, vault_key
from backcheck.controls.lifecycle import cold, long_enough_in_cold
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import CopyAction
from backcheck.policy.model import Copy


def _copying(**changes: object) -> World:
    rules = examples.rules(copies=(examples.copy_action(**changes),))
    return examples.world(primary={"plans": (examples.plan(rules=rules),)})


@control(
    id="DR-02",
    title="Copies are kept as long as the policy says",
    severity=Severity.HIGH,
    reads=BOTH,
    each=deployed_rules,
    in_template={cfn.PLAN: (f"{cfn.BACKUP_RULE}/CopyActions", f"{cfn.BACKUP_RULE}/Lifecycle")},
    why="A copy without a lifecycle takes the source's: where the vault's lock forbids that, it fails each night.",
    remedy="Set CopyActions[].Lifecycle of the rule: aws backup update-backup-plan --backup-plan-id ID ...",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CopyAction.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",
    ),
    maps_to=("NIST-800-53r5:CP-6", "NIST-800-53r5:CP-9"),
    passes={
        "as the policy says": examples.world,
        "the source's, which is the same": lambda: _copying(has_lifecycle=False, delete_after_days=None),
    },
    fails={
        "shorter": lambda: _copying(delete_after_days=7),
        "for ever": lambda: _copying(delete_after_days=None),
        "cold where it should not be": lambda: _copying(delete_after_days=30, move_to_cold_after_days=1),
    },
    unknown={"plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)})},
)
def copies_are_kept_as_promised(deployed: DeployedRule, world: World) -> Verdict:
    """Retention and cold storage of each copy that the tier asks for; absent means the source's."""
    actions = {vault_key(action.destination_vault_arn, world.policy): action for action in deployed.rule.copies}
    pairs = [(copy, actions[copy.vault]) for copy in deployed.wanted.copies if copy.vault in actions]
    if not pairs:
        return not_applicable("the tier has no copy, or it is not deployed: see DR-01")
    problems = [problem for copy, action in pairs for problem in _problems(copy, action, deployed)]
    return verdict(
        not problems,
        expected="; ".join(_shown(copy.retention_days, copy.cold_storage_after_days) for copy, _ in pairs),
        observed="; ".join(_shown(*copy_lifecycle(action, deployed.rule)) for _, action in pairs),
        at=f"GetBackupPlan.Rules[{deployed.rule.name}].CopyActions[].Lifecycle",
        message=f"rule {deployed.rule.name}: {'; '.join(problems) or 'its copies are kept as the policy says'}",
    )


def _problems(copy: Copy, action: CopyAction, deployed: DeployedRule) -> Iterator[str]:
    days, cold_days = copy_lifecycle(action, deployed.rule)
    if days != copy.retention_days:
        yield f"copies to {copy.vault} are kept {kept_for(days)}; the policy says {kept_for(copy.retention_days)}"
    if cold_days != copy.cold_storage_after_days:
        yield f"copies to {copy.vault}: {cold(cold_days)}; the policy says {cold(copy.cold_storage_after_days)}"
    if not long_enough_in_cold(days, cold_days):
        yield f"copies to {copy.vault} would be less than 90 days in cold storage, which AWS refuses"


def _shown(days: int | None, cold_days: int | None) -> str:
    return f"{kept_for(days)}, {cold(cold_days)}"
