"""PLN-04: each rule keeps its backups as long as the policy says."""

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, verdict
from backcheck.controls.deployment import DeployedRule, deployed_rules, kept_for, retention
from backcheck.finding import Severity, Verdict


@control(
    id="PLN-04",
    title="Backups are kept as long as the policy says",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=deployed_rules,
    in_template={cfn.PLAN: (f"{cfn.BACKUP_RULE}/Lifecycle/DeleteAfterDays",)},
    why="Kept too short, the backup is gone when it is needed; kept for ever, it is data that was to be deleted.",
    remedy=(
        "Set Lifecycle.DeleteAfterDays of the rule: "
        "aws backup update-backup-plan --backup-plan-id ID --backup-plan file://plan.json"
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "ISO-27001:2022:A.8.13"),
    passes={"as the policy says": examples.world},
    fails={
        "shorter": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(delete_after_days=7)),)}
        ),
        "not set": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(delete_after_days=None)),)}
        ),
        "-1": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.rules(delete_after_days=-1)),)}),
    },
    unknown={"plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)})},
)
def retention_is_the_policys(deployed: DeployedRule, world: World) -> Verdict:
    """DeleteAfterDays equals the tier's retention; absent or -1 keeps for ever."""
    days, wanted = retention(deployed.rule.delete_after_days), deployed.wanted.retention_days
    return verdict(
        days == wanted,
        expected=kept_for(wanted),
        observed=kept_for(days),
        at=f"GetBackupPlan.Rules[{deployed.rule.name}].Lifecycle.DeleteAfterDays",
        message=f"rule {deployed.rule.name} keeps backups {kept_for(days)}; the policy says {kept_for(wanted)}",
    )
