"""SEL-04: no table in scope is excluded, and selections have a role that exists."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, not_applicable, unread, verdict
from backcheck.controls.coverage import plans_of
from backcheck.controls.keys import NOT_THERE
from backcheck.controls.moments import few
from backcheck.controls.roles import find_role
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import BackupPlan
from backcheck.inventory.gap import Gap
from backcheck.selection import Selection, matches

EVERY_TABLE = "arn:aws:dynamodb:*:*:table/*"


def _excluding(*patterns: str) -> World:
    return examples.world(primary={"plans": (examples.plan(selections=(examples.selection(not_resources=patterns),)),)})


@control(
    id="SEL-04",
    title="No table in scope is excluded",
    severity=Severity.MEDIUM,
    reads=BOTH,
    each=tables_in_scope,
    in_template={
        cfn.SELECTION: ("/BackupSelection/NotResources", "/BackupSelection"),
        cfn.PLAN: ("",),
        cfn.ROLE: ("/RoleName",),
        **cfn.TABLES,
    },
    why="NotResources outweighs everything else in a selection; a selection whose role is gone backs up nothing.",
    remedy="Create the selection anew without the pattern, with a role that exists; then delete the old one.",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html",),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={"nothing excluded": examples.world},
    fails={
        "every table excluded": lambda: _excluding(EVERY_TABLE),
        "a role that is gone": lambda: examples.world(
            account={
                "roles": (
                    examples.gap("GetRole", "NoSuchEntity", service="iam", resource="shop-backup"),
                    *examples.roles()[1:],
                )
            }
        ),
    },
    unknown={
        "role not read": lambda: examples.world(
            account={"roles": (examples.gap("GetRole", service="iam", resource="shop-backup"), *examples.roles()[1:])}
        ),
        "selections not read": lambda: examples.world(
            primary={"plans": (examples.plan(selections=examples.gap("ListBackupSelections")),)}
        ),
    },
)
def table_is_not_excluded(subject: ScopedTable, world: World) -> Verdict:
    """No selection of the policy's plans names the table in NotResources; each has a role that exists."""
    plans = subject.region.plans
    if isinstance(plans, Gap):
        return unread(plans, resource=subject.resource)
    names = {plan.name for plan in plans_of(subject, world)}
    ours = [plan for plan in plans if plan.name in names]
    if not ours:
        return not_applicable("no plan of the policy is deployed: see PLN-01")
    problems = [problem for plan in ours for problem in _problems(plan, subject, world)]
    bad = [problem for problem in problems if isinstance(problem, str)]
    gaps = [problem for problem in problems if isinstance(problem, Gap)]
    if gaps and not bad:
        return unread(gaps[0], resource=subject.resource)
    told = few(bad)
    return verdict(
        not bad,
        expected="not excluded, by selections with a role",
        observed=told or "not excluded",
        at="GetBackupSelection.NotResources, IamRoleArn",
        message=f"{subject.table.name}: {told}" if bad else f"{subject.table.name} is not excluded",
        instances=bad,
    )


def _problems(plan: BackupPlan, subject: ScopedTable, world: World) -> Iterator[str | Gap]:
    if isinstance(plan.selections, Gap):
        yield plan.selections
        return
    for chosen in plan.selections:
        selection = chosen.selection
        for pattern in selection.not_resources:
            if matches(pattern, subject.table.arn):
                yield f"selection {selection.name} excludes it by {pattern}"
        yield from _role_problems(selection, plan, world)


def _role_problems(selection: Selection, plan: BackupPlan, world: World) -> Iterator[str | Gap]:
    role = find_role(selection.iam_role_arn, plan.account, world)
    if isinstance(role, Gap):
        yield f"selection {selection.name} has a role that is gone: {role.resource}" if role.code in NOT_THERE else role
