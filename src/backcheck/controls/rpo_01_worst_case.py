"""RPO-01: how much can be lost at worst, computed for backups and for their copies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from backcheck.controls import cfn, examples
from backcheck.controls.control import Reads, World, control, not_applicable, unknown, verdict
from backcheck.controls.deployment import DeployedPlan, as_tiers, deployed_plans
from backcheck.controls.periods import Protection, protections, schedule_error
from backcheck.finding import Severity, Verdict
from backcheck.policy.calendar import calendar_of
from backcheck.policy.model import Policy
from backcheck.policy.protection import elsewhere, two_years
from backcheck.policy.rpo import spell, worst_case


def promised_and_deployed(world: World) -> Iterator[Protection | Verdict]:
    """The policy's own rules; then, where there is an account or a template, the rules as deployed."""
    yield from protections(world)
    for deployed in deployed_plans(world) if world.inventory else ():
        yield deployed if isinstance(deployed, Verdict) else _as_deployed(deployed, world)


def _as_deployed(deployed: DeployedPlan, world: World) -> Protection | Verdict:
    """A plan's rules all apply to what the plan selects, those that are no tier's as well."""
    tiers = as_tiers(deployed, world)
    if broken := next((why for tier in tiers if (why := schedule_error(tier.schedule, tier.timezone))), ""):
        return unknown(broken, at="GetBackupPlan.Rules[].ScheduleExpression", resource=deployed.resource)
    ids = {tier.id for tier in deployed.wanted.tiers}
    tables = tuple(scope.key for scope in world.policy.tables if ids & set(scope.tiers))
    if not tiers or not tables:
        return not_applicable("the plan has no rule, or protects no table of the policy", resource=deployed.resource)
    calendar = calendar_of(tiers, *two_years(world.now.year))
    return Protection(policy=world.policy, tables=tables, calendar=calendar, plan_arn=deployed.resource)


@control(
    id="RPO-01",
    title="The worst case stays within the RPO, in the primary Region and from the copies",
    severity=Severity.CRITICAL,
    reads=frozenset(Reads),
    each=promised_and_deployed,
    in_template={cfn.PLAN: (cfn.BACKUP_RULES,), cfn.SELECTION: ("/BackupSelection",), **cfn.TABLES},
    why="A daily backup does not mean that a day can be lost at most: windows and overlaps come on top.",
    remedy="Plan more backups, shorter windows or more copies; or state the objective that the plan can keep.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html",),
    maps_to=("NIST-800-53r5:CP-9", "NIST-800-53r5:CP-6(2)", "NIST-800-53r5:CP-10"),
    passes={
        "33 h, and 3 h for the copy": examples.world,
        "nothing promised for DR": lambda: examples.world(policy=_objectives(dr_hours=None)),
    },
    fails={
        "32 h": lambda: examples.world(policy=_objectives(backup_hours=31)),
        "a rule that runs weekly": lambda: examples.world(
            primary={"plans": (examples.plan(rules=examples.rules(schedule="cron(0 1 ? * SUN *)")),)}
        ),
        "no time left for the copy": lambda: examples.world(policy=_objectives(dr_hours=32)),
        "a DR objective without copies": lambda: examples.world(
            policy=examples.policy(tiers=(examples.tier(copies=()),))
        ),
    },
    unknown={
        "plan not read": lambda: examples.world(primary={"plans": (examples.plan(rules=examples.gap()),)}),
        "a schedule that says nothing": lambda: examples.world(
            policy=examples.policy(tiers=(examples.tier(schedule="cron(0 1 * *)"),))
        ),
    },
)
def worst_case_is_within_the_rpo(protection: Protection, world: World) -> Iterator[Verdict]:
    """The longest time between effective firings, with both windows of the later one, is within each objective."""
    policy = world.policy
    primary, dr = policy.objectives.rpo.backup_hours, policy.objectives.rpo.dr_hours
    if primary is None:
        yield not_applicable("the policy states no RPO for backups: objectives.rpo.backup_hours")
    else:
        yield _primary(protection, primary, policy)
    vaults = elsewhere(protection.calendar.tiers, policy)
    if dr is not None:
        yield _from_copies(protection, vaults, dr, policy)
    elif vaults:
        lines = worst_case(protection.calendar, vaults, zone=policy.timezone).lines
        yield not_applicable(
            f"the policy states no RPO for DR (objectives.rpo.dr_hours); it would be: {'; '.join(lines)}"
        )


def _primary(protection: Protection, objective: int, policy: Policy) -> Verdict:
    worst = worst_case(protection.calendar, zone=policy.timezone)
    return verdict(
        worst.within(objective),
        expected=f"at most {objective} h",
        observed="no bound" if worst.total is None else spell(worst.total),
        at="/objectives/rpo/backup_hours",
        message=f"{protection.whom}: {'; '.join(worst.lines)}",
        notes=protection.calendar.notes,
    )


def _from_copies(protection: Protection, vaults: tuple[str, ...], objective: int, policy: Policy) -> Verdict:
    at = "/objectives/rpo/dr_hours"
    if not vaults:
        message = f"{protection.whom}: an objective is stated for DR, and nothing is copied to another Region"
        return verdict(False, expected=f"at most {objective} h", observed="no copies", at=at, message=message)
    worst = worst_case(protection.calendar, vaults, zone=policy.timezone)
    spare = None if worst.total is None else timedelta(hours=objective) - worst.total
    left = f"; {spell(spare)} of {objective} h are left for copying" if spare and spare > timedelta(0) else ""
    return verdict(
        spare is not None and spare > timedelta(0),
        expected=f"less than {objective} h, the rest being for the copy",
        observed="no bound" if worst.total is None else f"{spell(worst.total)} and the copy",
        at=at,
        message=f"{protection.whom}: {'; '.join(worst.lines)}{left}",
        notes=protection.calendar.notes,
    )


def _objectives(**changes: int | None) -> Policy:
    base = examples.policy()
    return replace(base, objectives=replace(base.objectives, rpo=replace(base.objectives.rpo, **changes)))
