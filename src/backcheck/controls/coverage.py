"""Which selections of the policy's plans take a table, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls.control import World
from backcheck.controls.subjects import ScopedTable
from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.gap import Gap, known
from backcheck.inventory.model import RegionInventory, Table
from backcheck.policy.model import Plan
from backcheck.selection import Membership, Resource, Selection, resolve

DYNAMODB = "DynamoDB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one selection says of one table."""

    plan: BackupPlan
    selection: Selection
    membership: Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the deployed plans of one name say of a table."""

    wanted: Plan
    deployed: tuple[BackupPlan, ...]
    choices: tuple[Choice, ...]
    gaps: tuple[Gap, ...]

    @property
    def covered(self) -> bool | None:
        """One selection that takes the table is enough; None where it hangs on what is not known."""
        answers = {choice.membership.selected for choice in self.choices}
        if True in answers:
            return True
        return None if self.gaps or None in answers else False

    @property
    def reason(self) -> str:
        """Why, in the selections' own words."""
        if not self.deployed and not self.gaps:
            return f"no plan is named {self.wanted.name}"
        ranked = sorted(
            self.choices, key=lambda choice: (choice.membership.selected is not True, choice.selection.name)
        )
        told = [f"selection {one.selection.name}: {one.membership.reason}" for one in ranked]
        if self.covered:
            told = told[:1]
        return "; ".join([*told, *map(str, self.gaps)]) or f"plan {self.wanted.name} has no selection"


def coverage(subject: ScopedTable, world: World) -> Iterator[Coverage]:
    """One for each plan that holds a tier of the table's."""
    for plan in plans_of(subject, world):
        yield _coverage(plan, subject.table, subject.region)


def plans_of(subject: ScopedTable, world: World) -> tuple[Plan, ...]:
    """The plans whose tiers protect a table."""
    wanted = {tier.plan for tier in subject.tiers}
    return tuple(plan for plan in world.policy.plans if plan.key in wanted)


def as_resource(table: Table) -> Resource:
    """A table as the resolver takes it."""
    return Resource(arn=table.arn, type=DYNAMODB, tags=known(table.tags))


def _coverage(plan: Plan, table: Table, region: RegionInventory) -> Coverage:
    if isinstance(region.plans, Gap):
        return Coverage(wanted=plan, deployed=(), choices=(), gaps=(region.plans,))
    deployed = tuple(one for one in region.plans if one.name == plan.name)
    opt_in = None if isinstance(region.settings, Gap) else region.settings.opt_in
    resource = as_resource(table)
    gaps, choices = [], []
    for one in deployed:
        if isinstance(one.selections, Gap):
            gaps.append(one.selections)
            continue
        for chosen in one.selections:
            membership = resolve(chosen.selection, resource, opt_in)
            choices.append(Choice(plan=one, selection=chosen.selection, membership=membership))
    return Coverage(wanted=plan, deployed=deployed, choices=tuple(choices), gaps=tuple(gaps))
