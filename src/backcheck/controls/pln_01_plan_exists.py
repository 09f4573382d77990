"""PLN-01: the plan exists."""

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, verdict
from backcheck.controls.deployment import ExpectedPlan, expected_plans
from backcheck.finding import Severity, Verdict


@control(
    id="PLN-01",
    title="The backup plan exists",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=expected_plans,
    in_template={cfn.PLAN: ("/BackupPlan/BackupPlanName",)},
    why="Without the plan nothing is backed up; with two of a name nobody knows which one is being changed.",
    remedy="Deploy the plan, or: aws backup create-backup-plan --backup-plan file://plan.json",
    sources=("https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupPlans.html",),
    maps_to=("NIST-800-53r5:CP-9", "SOC2:PI1.5", "CIS-8.1:11.2"),
    passes={"one plan of the name": examples.world},
    fails={
        "no plan": lambda: examples.world(primary={"plans": ()}),
        "another name": lambda: examples.world(primary={"plans": (examples.plan(name="shop-plan-old"),)}),
        "two of the name": lambda: examples.world(
            primary={"plans": (examples.plan(), examples.plan(arn=examples.PLAN_ARN + "b", id="plan-1b"))}
        ),
    },
    unknown={
        "plans not listed": lambda: examples.world(primary={"plans": examples.gap("ListBackupPlans")}),
    },
)
def one_plan_has_the_name(expected: ExpectedPlan, world: World) -> Verdict:
    """Exactly one plan of the region carries the policy's name for it."""
    found = len(expected.found)
    name, where = expected.plan.name, expected.region.region
    messages = {0: f"no plan in {where} is named {name}: nothing runs", 1: f"{name} is in {where}"}
    return verdict(
        found == 1,
        expected=f"one plan named {name} in {where}",
        observed=", ".join(plan.arn for plan in expected.found) or "none",
        at="ListBackupPlans.BackupPlanName",
        message=messages.get(found, f"{found} plans in {where} are named {name}: remove those that are not deployed"),
    )
