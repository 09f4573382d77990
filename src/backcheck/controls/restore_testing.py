"""AWS's own restore testing: whether a plan restores a table of the policy, and often enough.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RestoreTestingRecoveryPointSelection.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RestoreTestingSelectionForGet.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from backcheck.controls.conditions import matches
from backcheck.controls.control import World
from backcheck.controls.deployment import vault_arn
from backcheck.controls.drills import DrilledScope
from backcheck.controls.key_needs import used_vaults
from backcheck.controls.roles import role_name
from backcheck.cron import Cron, CronError
from backcheck.inventory.backup import RestoreTestingPlan, RestoreTestingPoints, RestoreTestingSelection
from backcheck.inventory.gap import Gap, undecided
from backcheck.inventory.model import RegionInventory
from backcheck.policy.protection import two_years


def lacking(
    plan: RestoreTestingPlan, region: RegionInventory, subject: DrilledScope, world: World
) -> Iterator[str | Gap]:
    """What keeps a plan from being the table's drill; nothing where it is one.

    It takes the table and a point of a vault of the policy in its Region, and runs at least every `max_age_days`.
    """
    name = f"restore testing plan {plan.name}"
    if isinstance(plan.selections, Gap):
        yield plan.selections
    else:
        taking = [one for one in plan.selections if one.resource_type == "DynamoDB" and _takes(one, subject)]
        doubts = [tuple(_doubts(one, plan, region, world)) for one in taking]
        if not taking:
            yield f"{name} does not take the table"
        elif () not in doubts:
            yield from doubts[0]
    if isinstance(plan.takes, Gap):
        yield plan.takes
    else:
        yield from (f"{name} {why}" for why in _without_points(plan.takes, region, world))
    if not _runs_within(timedelta(days=subject.drill.max_age_days), plan, world):
        every = f"{plan.schedule} ({plan.timezone})"
        yield f"{name} runs at {every}: more than max_age_days ({subject.drill.max_age_days}) pass without a restore"


def _takes(chosen: RestoreTestingSelection, subject: DrilledScope) -> bool:
    """`*` or no ARN at all: every protected table, as far as its conditions go."""
    arns = chosen.resource_arns
    return not arns or "*" in arns or subject.resource in arns


def _doubts(
    chosen: RestoreTestingSelection, plan: RestoreTestingPlan, region: RegionInventory, world: World
) -> Iterator[Gap]:
    """Conditions are on the tags of the latest recovery point; IAM-02 judges the policy's restore roles alone."""
    roles = world.policy.roles
    ours = {role_name(one) for one in (roles.restore, roles.restore_dr) if one}
    if chosen.conditional:
        yield _open(f"{chosen.name} has conditions on tags of recovery points", plan, region)
    if ours and role_name(chosen.role_arn) not in ours:
        yield _open(f"it restores as {chosen.role_arn}, which is no restore role of the policy", plan, region)


def _open(why: str, plan: RestoreTestingPlan, region: RegionInventory) -> Gap:
    where = {"account": region.account, "region": region.region}
    return undecided("backup", "GetRestoreTestingSelection", why, resource=plan.name, **where)


def _without_points(takes: RestoreTestingPoints, region: RegionInventory, world: World) -> Iterator[str]:
    """A table's points are snapshots: AWS Backup makes no continuous ones of DynamoDB.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html
    """
    if "SNAPSHOT" not in takes.point_types:
        yield f"takes no snapshots, but {', '.join(takes.point_types) or 'nothing'}"
    arns = [vault_arn(vault, world.policy) for vault in used_vaults(world.policy)]
    here = [arn for arn in arns if arn.split(":")[3:5] == [region.region, region.account]]
    if not any(_any(takes.include_vaults, arn) and not _any(takes.exclude_vaults, arn) for arn in here):
        yield f"takes no recovery point of the policy's vaults in {region.region}"


def _any(patterns: tuple[str, ...], arn: str) -> bool:
    return any(matches(pattern, arn) for pattern in patterns)


def _runs_within(limit: timedelta, plan: RestoreTestingPlan, world: World) -> bool:
    """Over this year and the next; False for a schedule that cannot be read, which AWS would not have taken."""
    start, end = two_years(world.now.year)
    try:
        runs = (start, *Cron.parse(plan.schedule).between(start, end, plan.timezone), end)
    except CronError:
        return False
    return all(later - earlier <= limit for earlier, later in pairwise(runs))
