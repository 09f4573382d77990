"""DRF-01: the account is what the policy says, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, verdict
from backcheck.controls.deployment import (
    DEFAULT_SCHEDULE,
    DeployedPlan,
    copy_lifecycle,
    deployed_plans,
    kept_for,
    lands_in,
    match,
    retention,
    same_schedule,
    vault_key,
)
from backcheck.controls.lifecycle import cold
from backcheck.controls.moments import few, told
from backcheck.controls.vaults import PresentVault, present_vaults
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import PlanRule
from backcheck.inventory.gap import Gap
from backcheck.inventory.watch import Change
from backcheck.policy.model import LockMode, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field with its two values, which may be equal."""

    field: str
    policy: str
    account: str

    def __str__(self) -> str:
        """As a verdict shows it."""
        return f"{self.field}: {self.policy} in the policy, {self.account} in the account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A plan or a vault that the policy names."""

    what: DeployedPlan | PresentVault
    tier: None = None

    @property
    def resource(self) -> str:
        """Its ARN."""
        return self.what.resource


def parts(world: World) -> Iterator[Part | Verdict]:
    """The plans and the vaults that the policy names, as far as they are there."""
    for found in (*deployed_plans(world), *present_vaults(world)):
        yield found if isinstance(found, Verdict) else Part(what=found)


@control(
    id="DRF-01",
    title="The account is what the policy says",
    severity=Severity.HIGH,
    reads=BOTH,
    each=parts,
    in_template={cfn.PLAN: ("/BackupPlan",), cfn.VAULT: ("/LockConfiguration",), cfn.AIR_GAPPED: ("",)},
    why="What was changed by hand is undone by the next deployment, or outlives it: either way nobody decided it.",
    remedy="Deploy again, or change the policy; aws cloudtrail lookup-events says who changed the plan.",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupPlan.html",
        "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "equal": examples.world,
        "changed in a way that CloudTrail tells of": lambda: examples.world(primary={"changes": (examples.change(),)}),
    },
    fails={
        "another retention": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(delete_after_days=31)),)}
        ),
        "a rule more": lambda: examples.world(
            primary={
                "plans": (
                    examples.plan(
                        rules=(
                            *examples.rules(),
                            examples.rule(id="rule-x", name="Hourly", schedule="cron(0 * * * ? *)"),
                        )
                    ),
                )
            }
        ),
        "another lock": lambda: examples.world(dr={"vaults": (examples.dr_vault(max_retention_days=399),)}),
    },
    unknown={
        "plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)}),
        "vaults not listed": lambda: examples.world(dr={"vaults": examples.gap("ListBackupVaults")}),
    },
)
def account_is_as_written(subject: Part, world: World) -> Verdict:
    """No field of a plan's rules or of a vault's lock differs; the template joins in where a gate has one."""
    part = subject.what
    found = [one for one in fields(subject, world) if one.policy != one.account]
    name = part.plan.name if isinstance(part, DeployedPlan) else part.vault.name
    shown = few([str(one) for one in found], 8)
    return verdict(
        not found,
        expected="; ".join(f"{one.field} {one.policy}" for one in found) or "as in the policy",
        observed="; ".join(f"{one.field} {one.account}" for one in found) or "as in the policy",
        at="GetBackupPlan.Rules" if isinstance(part, DeployedPlan) else "DescribeBackupVault",
        message=f"{name}: {shown or 'no field differs from the policy'}",
        notes=tuple(_changes(part, world)) if isinstance(part, DeployedPlan) else (),
        instances=map(str, found),
    )


def fields(subject: Part, world: World) -> Iterator[Difference]:
    """Every field of a plan's rules or of a vault's lock, equal or not; a rule that one side lacks is one field."""
    part = subject.what
    yield from _plan(part, world) if isinstance(part, DeployedPlan) else _vault(part)


def _plan(part: DeployedPlan, world: World) -> Iterator[Difference]:
    matched = match(part.wanted.tiers, part.rules)
    for tier in part.wanted.tiers:
        rule = matched.get(tier.name)
        if rule is None:
            yield Difference(field=f"rule {tier.rule}", policy="wanted", account="absent")
        else:
            yield from _rule(tier, rule, world)
    for rule in part.rules:
        if rule.id not in {one.id for one in matched.values()}:
            yield Difference(field=f"rule {rule.name}", policy="absent", account="present")


def _rule(tier: Tier, rule: PlanRule, world: World) -> Iterator[Difference]:
    vault = world.policy.vault(tier.vault)
    shown = (f"{tier.schedule} {tier.timezone}", f"{rule.schedule or DEFAULT_SCHEDULE} {rule.timezone}")
    if same_schedule(tier, rule):
        shown = (shown[0], shown[0])
    pairs = {
        "name": (tier.rule, rule.name),
        "schedule": shown,
        "start window": (tier.start_window_minutes, rule.start_window_minutes),
        "completion window": (tier.completion_window_minutes, rule.completion_window_minutes),
        "vault": (vault.name if vault else tier.vault, lands_in(rule)),
        "retention": (kept_for(tier.retention_days), kept_for(retention(rule.delete_after_days))),
        "cold storage": (cold(tier.cold_storage_after_days), cold(rule.move_to_cold_after_days)),
        "continuous": (tier.continuous, rule.continuous),
        "copies": (_wanted_copies(tier), _deployed_copies(rule, world)),
    }
    for field, (policy, account) in pairs.items():
        yield Difference(field=f"{rule.name} {field}", policy=str(policy), account=str(account))


def _wanted_copies(tier: Tier) -> str:
    found = (f"{c.vault} {kept_for(c.retention_days)} {cold(c.cold_storage_after_days)}" for c in tier.copies)
    return ", ".join(sorted(found)) or "none"


def _deployed_copies(rule: PlanRule, world: World) -> str:
    found = []
    for action in rule.copies:
        days, cold_days = copy_lifecycle(action, rule)
        found.append(f"{vault_key(action.destination_vault_arn, world.policy)} {kept_for(days)} {cold(cold_days)}")
    return ", ".join(sorted(found)) or "none"


def _vault(part: PresentVault) -> Iterator[Difference]:
    lock, vault = part.wanted.lock, part.vault
    if lock is None:
        if vault.locked and not part.wanted.air_gapped:
            yield Difference(field="lock", policy="none", account="locked")
        return
    mode = "none" if not vault.locked else LockMode.GOVERNANCE if vault.lock_date is None else LockMode.COMPLIANCE
    pairs = {
        "lock": (str(lock.mode), str(mode)),
        "minimum retention": (lock.min_retention_days, vault.min_retention_days),
        "maximum retention": (lock.max_retention_days, vault.max_retention_days),
    }
    for field, (policy, account) in pairs.items():
        yield Difference(field=field, policy=str(policy), account=str(account))


def _changes(part: DeployedPlan, world: World) -> Iterator[str]:
    """Whether a change was a deployment only people can say: the policy does not name who deploys."""
    region = world.index.regions.get((part.plan.account, part.plan.region))
    if region is None:
        return
    if isinstance(region.changes, Gap):
        yield f"who changed it could not be read: {region.changes}"
        return
    yield from (_told(change) for change in region.changes if not change.read_only)


def _told(change: Change) -> str:
    return (
        f"{change.event} of {change.resource or 'something'} by {change.principal or 'somebody'} at {told(change.time)}"
    )
