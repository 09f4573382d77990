"""Where the policy's plans and rules are, as deployed: which plan carries which name, which rule is which tier's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from backcheck.controls.control import World, not_applicable, unread
from backcheck.cron import Cron, CronError
from backcheck.finding import Verdict
from backcheck.inventory.backup import BackupPlan, CopyAction, PlanRule
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import RegionInventory
from backcheck.policy.model import PRIMARY, Copy, Plan, Policy, Tier, Vault

DEFAULT_SCHEDULE = "cron(0 5 ? * * *)"
"""What AWS runs where a rule has no schedule (botocore, BackupRule.ScheduleExpression)."""

FOR_EVER = -1
"""DeleteAfterDays of -1 means the same as none: kept for ever (botocore, Lifecycle.DeleteAfterDays)."""

_PARTITIONS = {
    "cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e", "us-isof-": "aws-iso-f",
}  # fmt: skip
"""Beginnings of Regions' names (botocore, partitions.json: regionRegex)."""

UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/GMT", "GMT", "UCT", "Zulu", "Etc/Zulu", "Universal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An account and a region in which a plan of the policy has tables to protect."""

    account: str
    """Key into Policy.accounts."""
    region: str
    """Key into Policy.regions."""

    def suffix(self) -> str:
        """What tells a place apart in a finding's resource; nothing for the primary one."""
        return "" if (self.account, self.region) == (PRIMARY, PRIMARY) else f"@{self.account}/{self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPlan:
    """A plan of the policy in one place, with the plans of that name which are there."""

    plan: Plan
    place: Place
    region: RegionInventory
    found: tuple[BackupPlan, ...]
    resource: str
    tier: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedPlan:
    """A plan of the account that carries the name of one of the policy's, and could be read."""

    wanted: Plan
    plan: BackupPlan
    rules: tuple[PlanRule, ...]
    tier: None = None

    @property
    def resource(self) -> str:
        """The plan's ARN."""
        return self.plan.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedRule:
    """A rule of a deployed plan, and the tier that it is to fulfil."""

    wanted: Tier
    plan: BackupPlan
    rule: PlanRule

    @property
    def resource(self) -> str:
        """The plan's ARN."""
        return self.plan.arn

    @property
    def tier(self) -> str:
        """`plan/tier`."""
        return self.wanted.id


def places(plan: Plan, policy: Policy) -> tuple[Place, ...]:
    """Where a plan must be: wherever a table scope uses one of its tiers, in the policy's order."""
    ids = {tier.id for tier in plan.tiers}
    used = (Place(account=scope.account, region=scope.region) for scope in policy.tables if ids & set(scope.tiers))
    return tuple(dict.fromkeys(used)) or (Place(account=PRIMARY, region=PRIMARY),)


def expected_plans(world: World) -> Iterator[ExpectedPlan | Verdict]:
    """Every plan of the policy in every place; UNKNOWN where the place's plans could not be listed."""
    for plan in world.policy.plans:
        for place in places(plan, world.policy):
            yield _expected(plan, place, world)


def deployed_plans(world: World) -> Iterator[DeployedPlan | Verdict]:
    """Every plan that carries a name of the policy's. Where there is none, PLN-01 fails that."""
    for expected in expected_plans(world):
        if isinstance(expected, Verdict):
            yield expected
            continue
        if not expected.found:
            yield not_applicable(f"no plan is named {expected.plan.name}: see PLN-01", resource=expected.resource)
        for plan in expected.found:
            if isinstance(plan.rules, Gap):
                yield unread(plan.rules, resource=plan.arn)
            else:
                yield DeployedPlan(wanted=expected.plan, plan=plan, rules=plan.rules)


def deployed_rules(world: World) -> Iterator[DeployedRule | Verdict]:
    """The rule of every tier in every deployed plan. Where there is none, PLN-02 fails that."""
    for deployed in deployed_plans(world):
        if isinstance(deployed, Verdict):
            yield deployed
            continue
        matched = match(deployed.wanted.tiers, deployed.rules)
        for tier in deployed.wanted.tiers:
            rule = matched.get(tier.name)
            if rule is None:
                yield not_applicable(f"no rule is {tier.name}'s: see PLN-02", resource=deployed.resource, tier=tier.id)
            else:
                yield DeployedRule(wanted=tier, plan=deployed.plan, rule=rule)


def match(tiers: tuple[Tier, ...], rules: tuple[PlanRule, ...]) -> dict[str, PlanRule]:
    """The rule of each tier, by the tier's name: the rule of that name, else the only one left with its schedule."""
    by_name = {rule.name: rule for rule in rules}
    matched = {tier.name: by_name[tier.rule] for tier in tiers if tier.rule in by_name}
    taken = {rule.name for rule in matched.values()}
    for tier in tiers:
        if tier.name in matched:
            continue
        same = [rule for rule in rules if rule.name not in taken and same_schedule(tier, rule)]
        if len(same) == 1:
            matched[tier.name] = same[0]
            taken.add(same[0].name)
    return matched


def same_schedule(tier: Tier, rule: PlanRule) -> bool:
    """Whether a rule runs when a tier should: equal meaning, however it is written."""
    if not same_zone(tier.timezone, rule.timezone):
        return False
    try:
        return Cron.parse(tier.schedule) == Cron.parse(rule.schedule or DEFAULT_SCHEDULE)
    except CronError:
        return False


def same_zone(one: str, other: str) -> bool:
    """Equal names, or two names of UTC."""
    return one == other or {one, other} <= UTC_NAMES


def retention(days: int | None) -> int | None:
    """DeleteAfterDays as a number of days; None for ever."""
    return None if days == FOR_EVER else days


def kept_for(days: int | None) -> str:
    """Retention in words."""
    return "for ever" if retention(days) is None else f"{days} days"


def vault_arn(vault: Vault, policy: Policy) -> str:
    """The ARN of a vault of the policy."""
    account, region = policy.account(vault.account), policy.region_of(vault)
    return f"arn:{partition(region)}:backup:{region}:{account.id if account else ''}:backup-vault:{vault.name}"


def partition(region: str) -> str:
    """The partition that a region belongs to (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html)."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def vault_key(arn: str, policy: Policy) -> str:
    """The policy's key of the vault with this ARN; the ARN itself where the policy has none such."""
    return next((vault.key for vault in policy.vaults if vault_arn(vault, policy) == arn), arn)


def lands_in(rule: PlanRule) -> str:
    """The vault that holds the rule's points: an air-gapped one is written straight into (botocore, BackupRule)."""
    return rule.air_gapped_vault_arn.rpartition(":")[2] if rule.air_gapped_vault_arn else rule.target_vault_name


def copy_lifecycle(action: CopyAction, rule: PlanRule) -> tuple[int | None, int | None]:
    """(retention, cold) of a copy: the source's where the action has no lifecycle of its own."""
    if action.has_lifecycle:
        return retention(action.delete_after_days), action.move_to_cold_after_days
    return retention(rule.delete_after_days), rule.move_to_cold_after_days


def as_tier(rule: PlanRule, wanted: Tier, policy: Policy) -> Tier:
    """A deployed rule in the shape that the calendar takes; the policy's windows where the rule states none."""
    return Tier(
        plan=wanted.plan,
        name=wanted.name,
        rule=rule.name,
        schedule=rule.schedule or DEFAULT_SCHEDULE,
        timezone=rule.timezone,
        start_window_minutes=rule.start_window_minutes or wanted.start_window_minutes,
        completion_window_minutes=rule.completion_window_minutes or wanted.completion_window_minutes,
        vault=wanted.vault,
        retention_days=retention(rule.delete_after_days),
        cold_storage_after_days=rule.move_to_cold_after_days,
        copies=tuple(_as_copy(action, rule, policy) for action in rule.copies),
        continuous=rule.continuous,
    )


def as_tiers(deployed: DeployedPlan, world: World) -> tuple[Tier, ...]:
    """Every rule of a deployed plan in the calendar's shape; one that is no tier's under its own name."""
    matched = {rule.id: name for name, rule in match(deployed.wanted.tiers, deployed.rules).items()}
    wanted = {tier.name: tier for tier in deployed.wanted.tiers}
    return tuple(
        as_tier(rule, wanted[matched[rule.id]] if rule.id in matched else _nameless(rule, deployed), world.policy)
        for rule in deployed.rules
    )


def _as_copy(action: CopyAction, rule: PlanRule, policy: Policy) -> Copy:
    days, cold = copy_lifecycle(action, rule)
    return Copy(
        vault=vault_key(action.destination_vault_arn, policy), retention_days=days, cold_storage_after_days=cold
    )


def _expected(plan: Plan, place: Place, world: World) -> ExpectedPlan | Verdict:
    resource = world.policy.resource(f"/plans/{plan.key}{place.suffix()}")
    region = look_up(place, world)
    if isinstance(region, Gap):
        return unread(region, resource=resource)
    if isinstance(region.plans, Gap):
        return unread(region.plans, resource=resource)
    found = tuple(one for one in region.plans if one.name == plan.name)
    return ExpectedPlan(plan=plan, place=place, region=region, found=found, resource=resource)


def look_up(place: Place, world: World) -> RegionInventory | Gap:
    """The inventory of a place; a Gap where it was not looked at."""
    account = world.policy.account(place.account)
    name = world.policy.regions[place.region]
    found = world.index.regions.get((account.id, name)) if account else None
    return found or Gap(
        service="backcheck",
        operation="snapshot",
        region=name,
        account=account.id if account else place.account,
        code="NotLookedAt",
        detail="the snapshot has nothing of this account and region",
    )


def _nameless(rule: PlanRule, deployed: DeployedPlan) -> Tier:
    """A rule that is no tier's, with AWS's console defaults where it states no windows: 8 hours and 7 days."""
    some = deployed.wanted.tiers[0]
    return replace(some, name=rule.name, start_window_minutes=480, completion_window_minutes=10_080)
