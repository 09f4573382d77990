"""FEA-02: nothing in a rule is silently ignored."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, sorted_out, unread, verdict
from backcheck.controls.deployment import DeployedRule, copy_lifecycle, deployed_rules
from backcheck.controls.dr_05_dr_restores import NATIVE, advanced
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap

GUIDE = "https://docs.aws.amazon.com/aws-backup/latest/devguide"


@control(
    id="FEA-02",
    title="Nothing in a rule is silently ignored",
    severity=Severity.HIGH,
    reads=BOTH,
    each=deployed_rules,
    in_template={cfn.PLAN: (cfn.BACKUP_RULE,), cfn.SELECTION: ("/BackupSelection",)},
    why="AWS takes a lifecycle or a continuous backup that the type does not have, and does something else.",
    remedy=(
        "Drop EnableContinuousBackup (PITR is set on the table); aws backup update-region-settings "
        "--resource-type-management-preference DynamoDB=true --resource-type-opt-in-preference DynamoDB=true"
    ),
    sources=(
        f"{GUIDE}/advanced-ddb-backup.html",
        f"{GUIDE}/point-in-time-recovery.html",
        f"{GUIDE}/backup-feature-availability.html",
        f"{GUIDE}/API_BackupRule.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "nothing is": examples.world,
        "no cold storage is asked for": lambda: examples.world(
            policy=examples.policy(tiers=(examples.tier(),)),
            primary={"settings": NATIVE, "plans": (examples.plan(rules=(examples.rule(),)),)},
        ),
    },
    fails={
        "continuous backup of a table": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(continuous=True)),)}
        ),
        "cold storage without advanced features": lambda: examples.world(primary={"settings": NATIVE}),
        "cold copies without advanced features there": lambda: examples.world(dr={"settings": NATIVE}),
    },
    unknown={
        "settings not read": lambda: examples.world(primary={"settings": examples.gap("DescribeRegionSettings")}),
    },
)
def nothing_is_ignored(deployed: DeployedRule, world: World) -> Verdict:
    """No continuous backup of DynamoDB; cold storage only where advanced features are on, for backups and copies."""
    problems, gap = sorted_out([*_continuous(deployed), *_cold(deployed, world)])
    if gap:
        return unread(gap, resource=deployed.resource, tier=deployed.tier)
    return verdict(
        not problems,
        expected="nothing that AWS ignores",
        observed="; ".join(problems) or "nothing",
        at=f"GetBackupPlan.Rules[{deployed.rule.name}].EnableContinuousBackup, Lifecycle; DescribeRegionSettings",
        message=f"rule {deployed.rule.name}: {'; '.join(problems) or 'AWS does what it says'}",
    )


def _continuous(deployed: DeployedRule) -> Iterator[str]:
    if deployed.rule.continuous:
        yield "EnableContinuousBackup does nothing for DynamoDB: point-in-time recovery is set on the table"


def _cold(deployed: DeployedRule, world: World) -> Iterator[str | Gap]:
    """Region settings are no part of a template."""
    if Reads.TEMPLATE in world.reads:
        return
    rule, plan = deployed.rule, deployed.plan
    places = [(plan.account, plan.region)] if rule.move_to_cold_after_days is not None else []
    for action in rule.copies:
        parts = action.destination_vault_arn.split(":")
        if copy_lifecycle(action, rule)[1] is not None and len(parts) > 4:
            places.append((parts[4], parts[3]))
    for place in dict.fromkeys(places):
        region = world.index.regions.get(place)
        if region is None:
            continue  # another account's: FEA-01 names it
        if isinstance(region.settings, Gap):
            yield region.settings
        elif not advanced(region.settings):
            yield f"cold storage is ignored in {region.region}: DynamoDB's advanced features are off"
