"""PLN-02: each tier has its rule."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, verdict
from backcheck.controls.deployment import DeployedPlan, deployed_plans, lands_in, match
from backcheck.controls.moments import few
from backcheck.finding import Severity, Verdict


@control(
    id="PLN-02",
    title="Each tier has its rule",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=deployed_plans,
    in_template={cfn.PLAN: (cfn.BACKUP_RULES,)},
    why="A tier without a rule is a promise that nothing keeps; a rule into another vault keeps it where nobody looks.",
    remedy="Add the rule: aws backup update-backup-plan --backup-plan-id ID --backup-plan file://plan.json",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html",),
    maps_to=("NIST-800-53r5:CP-9", "CIS-8.1:11.2"),
    passes={
        "a rule each": examples.world,
        "found by its schedule": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(name="EveryNight")),)}
        ),
    },
    fails={
        "no daily rule": lambda: examples.world(primary={"plans": (examples.plan(rules=(examples.rule("Monthly"),)),)}),
        "into another vault": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(target_vault_name="Default")),)}
        ),
    },
    unknown={"plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)})},
)
def each_tier_has_its_rule(deployed: DeployedPlan, world: World) -> Iterator[Verdict]:
    """A rule by the tier's name, else by its schedule, that puts backups into the tier's vault."""
    matched = match(deployed.wanted.tiers, deployed.rules)
    known = {rule.name for rule in matched.values()}
    extra = [rule.name for rule in deployed.rules if rule.name not in known]
    notes = (f"rules that the policy does not have: {few(extra)}",) if extra else ()
    for tier in deployed.wanted.tiers:
        vault = world.policy.vault(tier.vault)
        wanted, rule = vault.name if vault else tier.vault, matched.get(tier.name)
        found = lands_in(rule) if rule else None
        if rule is None:
            message = f"no rule of {deployed.plan.name} is named {tier.rule} or runs when {tier.name} should"
        elif found == wanted:
            message = f"rule {rule.name} backs up into {found}"
        else:
            message = f"rule {rule.name} backs up into {found}; the policy says {wanted}"
        yield verdict(
            found == wanted,
            expected=f"a rule {tier.rule} into {wanted}",
            observed=f"{rule.name} into {found}" if rule else "no such rule",
            at="GetBackupPlan.Rules[].RuleName, TargetBackupVaultName",
            message=message,
            notes=notes,
            tier=tier.id,
        )
