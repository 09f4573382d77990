"""Plans of the account that the policy does not have, and that back up its tables all the same.

Of rules that overlap AWS's page speaks within one plan, "if you have a backup plan with multiple rules", and says
nothing of the rules of two (https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html).
So each plan's calendar stands alone, and what would be lost if AWS settled both as one is told, not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from backcheck.controls.control import World
from backcheck.controls.coverage import as_resource
from backcheck.controls.deployment import DeployedPlan, as_tiers, kept_for
from backcheck.controls.moments import few
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.cron import CronError
from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.gap import Gap
from backcheck.policy.calendar import calendar_of
from backcheck.policy.model import Tier
from backcheck.selection import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPlan:
    """A plan that is none of the policy's and takes tables which one of them takes."""

    plan: BackupPlan
    tables: tuple[str, ...]
    """Names of the tables that it takes, or may take."""
    rivals: tuple[str, ...]
    """Rules of it that would replace one of the policy's, were both of one plan."""

    def __str__(self) -> str:
        """In words."""
        rules = () if isinstance(self.plan.rules, Gap) else self.plan.rules
        kept = ", ".join(f"{rule.name}, kept {kept_for(rule.delete_after_days)}" for rule in rules)
        return f"plan {self.plan.name} backs up {few(list(self.tables))} too ({kept or 'its rules were not read'})"


def other_plans(deployed: DeployedPlan, start: datetime, world: World) -> Iterator[OtherPlan]:
    """Every plan of the same account and region that the policy does not name; `start` is where calendars begin."""
    region = world.index.regions.get((deployed.plan.account, deployed.plan.region))
    plans = () if region is None or isinstance(region.plans, Gap) else region.plans
    ours = {plan.name for plan in world.policy.plans}
    for plan in plans:
        tables = tuple(_taken(plan, deployed, world)) if plan.name not in ours else ()
        if tables:
            yield OtherPlan(plan=plan, tables=tables, rivals=tuple(_rivals(plan, deployed, start, world)))


def _taken(plan: BackupPlan, deployed: DeployedPlan, world: World) -> Iterator[str]:
    for subject in tables_in_scope(world):
        if not isinstance(subject, ScopedTable) or not set(subject.tiers) & set(deployed.wanted.tiers):
            continue
        place = (subject.table.account, subject.table.region)
        if place != (plan.account, plan.region):
            continue
        opt_in = None if isinstance(subject.region.settings, Gap) else subject.region.settings.opt_in
        chosen = () if isinstance(plan.selections, Gap) else plan.selections
        found = [resolve(one.selection, as_resource(subject.table), opt_in).selected for one in chosen]
        if isinstance(plan.selections, Gap) or any(one is not False for one in found):
            yield subject.table.name


def _rivals(plan: BackupPlan, deployed: DeployedPlan, start: datetime, world: World) -> Iterator[str]:
    """The rules that would win, in the words that AWS has for one plan."""
    if isinstance(plan.rules, Gap):
        return
    own = as_tiers(deployed, world)
    theirs = {
        replace(tier, name=f"{plan.name}/{tier.rule}"): tier.rule
        for tier in as_tiers(DeployedPlan(wanted=deployed.wanted, plan=plan, rules=plan.rules), world)
    }
    try:
        outcomes = calendar_of((*own, *theirs), start).outcomes
    except CronError:
        yield from theirs.values()
        return
    winners: set[Tier] = set()
    for outcome in outcomes:
        if outcome.firing.tier not in theirs:
            winners |= {one.tier for one in (*outcome.superseded_by, *outcome.rivals) if one.tier in theirs}
    yield from (rule for tier, rule in theirs.items() if tier in winners)
