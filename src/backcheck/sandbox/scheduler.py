"""Fires plans: each firing makes one job for each resource that the plan's selections take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backcheck.sandbox import jobs, tables
from backcheck.sandbox.schedule import Firing, taken
from backcheck.sandbox.world import Region, World
from backcheck.selection import resolve

if TYPE_CHECKING:
    from backcheck.sandbox.plan_document import Version
    from backcheck.sandbox.plans import Plan


def follow(world: World, region: Region, plan: Plan) -> None:
    """Enter the plan's current version into the diary, firing by firing, until it is no longer the current one."""
    version = plan.current
    firings = taken(version.rules, world.clock.now())

    def enter_next() -> None:
        firing = next(firings, None)
        if firing is not None:
            world.clock.at(firing.at, lambda: fire(firing))

    def fire(firing: Firing) -> None:
        if plan.deleted is None and plan.current is version:
            plan.last_execution = world.clock.now()
            _run(world, region, plan, version, firing)
            enter_next()

    enter_next()


def _run(world: World, region: Region, plan: Plan, version: Version, firing: Firing) -> None:
    rule = version.rules[firing.rule]
    for arn, role_arn in _selected(region, plan).items():
        jobs.create(
            world,
            region,
            jobs.Order(
                resource_arn=arn,
                vault_name=rule.vault_name,
                role_arn=role_arn,
                start_window=rule.start_window,
                completion_window=rule.completion_window,
                lifecycle=rule.lifecycle,
                point_tags=rule.point_tags,
                copy_actions=rule.copy_actions,
                created_by=_creator(plan, version, firing),
            ),
        )


def _selected(region: Region, plan: Plan) -> dict[str, str]:
    """Resource ARN to role ARN. A membership that is not known takes nothing: the sandbox does not invent backups."""
    taken_by: dict[str, str] = {}
    for resource in tables.resources(region):
        for chosen in plan.selections.values():
            if resolve(chosen.selection, resource, region.opt_in).selected:
                taken_by.setdefault(resource.arn, chosen.selection.iam_role_arn)
    return taken_by


def _creator(plan: Plan, version: Version, firing: Firing) -> dict[str, str]:
    rule = version.rules[firing.rule]
    return {
        "BackupPlanId": plan.id,
        "BackupPlanArn": plan.arn,
        "BackupPlanName": version.name,
        "BackupPlanVersion": version.id,
        "BackupRuleId": rule.id,
        "BackupRuleName": rule.name,
        "BackupRuleCron": rule.document["ScheduleExpression"],
        "BackupRuleTimezone": rule.zone,
    }
