"""PLN-05: backups go to cold storage when the policy says."""

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, verdict
from backcheck.controls.deployment import DeployedRule, deployed_rules, retention
from backcheck.controls.lifecycle import MINIMUM_COLD_DAYS, cold, long_enough_in_cold
from backcheck.finding import Severity, Verdict


@control(
    id="PLN-05",
    title="Backups go to cold storage when the policy says",
    severity=Severity.HIGH,
    reads=BOTH,
    each=deployed_rules,
    in_template={cfn.PLAN: (f"{cfn.BACKUP_RULE}/Lifecycle/MoveToColdStorageAfterDays",)},
    why="Too early it delays restores and stops copies; never, it costs. AWS refuses what is not cold for 90 days.",
    remedy=(
        "Set Lifecycle.MoveToColdStorageAfterDays, at least 90 less than DeleteAfterDays: "
        "aws backup update-backup-plan --backup-plan-id ID --backup-plan file://plan.json"
    ),
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html",),
    passes={"as the policy says": examples.world},
    fails={
        "cold where it should not be": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(move_to_cold_after_days=7, delete_after_days=97)),)}
        ),
        "not 90 days": lambda: examples.world(
            policy=examples.policy(tiers=(examples.tier(cold_storage_after_days=10), examples.tier("monthly"))),
            primary={"plans": (examples.plan(rules=examples.rules(move_to_cold_after_days=10)),)},
        ),
    },
    unknown={"plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)})},
)
def cold_storage_is_the_policys(deployed: DeployedRule, world: World) -> Verdict:
    """MoveToColdStorageAfterDays equals the tier's, and what is moved stays cold for 90 days."""
    rule, wanted = deployed.rule, deployed.wanted.cold_storage_after_days
    days = rule.move_to_cold_after_days
    lasting = long_enough_in_cold(retention(rule.delete_after_days), days)
    message = f"rule {rule.name}: {cold(days)}; the policy says {cold(wanted)}"
    if not lasting:
        message += f"; and AWS asks for {MINIMUM_COLD_DAYS} days in cold storage, so it refuses the whole plan"
    return verdict(
        days == wanted and lasting,
        expected=f"{cold(wanted)}, {MINIMUM_COLD_DAYS} days or more in cold storage",
        observed=f"{cold(days)}, deleted after {rule.delete_after_days} days",
        at=f"GetBackupPlan.Rules[{rule.name}].Lifecycle.MoveToColdStorageAfterDays",
        message=message,
    )
