"""SEL-02: DynamoDB is opted in where a selection needs it."""

from collections.abc import Iterator

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unread, verdict
from backcheck.controls.coverage import DYNAMODB
from backcheck.controls.deployment import ExpectedPlan, expected_plans
from backcheck.controls.moments import few
from backcheck.controls.sel_01_selected import TAGGED
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import RegionSettings
from backcheck.inventory.gap import Gap
from backcheck.selection import Selection

AT = "DescribeRegionSettings.ResourceTypeOptInPreference.DynamoDB"

OPTED_OUT = RegionSettings(opt_in={"DynamoDB": False}, management={"DynamoDB": True})


def _by_tag(**changes: object) -> World:
    plan = examples.plan(selections=(examples.selection(resources=(), list_of_tags=TAGGED),))
    return examples.world(primary={"plans": (plan,), "tables": (examples.table(tags={"backup": "yes"}),), **changes})


@control(
    id="SEL-02",
    title="DynamoDB is opted in where selections need it",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=expected_plans,
    why="Selections by tag or `*` leave out every type that the Region has not opted in, without a word.",
    remedy="aws backup update-region-settings --resource-type-opt-in-preference DynamoDB=true",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_UpdateRegionSettings.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={"opted in": _by_tag, "the table is named": lambda: examples.world(primary={"settings": OPTED_OUT})},
    fails={"opted out, selected by tag": lambda: _by_tag(settings=OPTED_OUT)},
    unknown={
        "settings not read": lambda: _by_tag(settings=examples.gap("DescribeRegionSettings")),
        "selections not read": lambda: examples.world(
            primary={"plans": (examples.plan(selections=examples.gap("ListBackupSelections")),)}
        ),
    },
)
def dynamodb_is_opted_in(expected: ExpectedPlan, world: World) -> Iterator[Verdict]:
    """A selection by tag, by service or by `*` takes tables only where DynamoDB is opted in."""
    for plan in expected.found:
        if isinstance(plan.selections, Gap):
            yield unread(plan.selections, resource=plan.arn)
            continue
        hanging = [chosen.selection.name for chosen in plan.selections if not names_a_table(chosen.selection)]
        settings = expected.region.settings
        if hanging and isinstance(settings, Gap):
            yield unread(settings, resource=plan.arn)
            continue
        opted = None if isinstance(settings, Gap) else settings.opt_in.get(DYNAMODB)
        yield verdict(
            not hanging or opted is True,
            expected="opted in, or tables that are named",
            observed="opted in" if opted else "not opted in",
            at=AT,
            message=f"{plan.name} selects by {'tag or service in ' + few(hanging) if hanging else 'table'}; "
            f"DynamoDB is {'' if opted else 'not '}opted in in {plan.region}",
            resource=plan.arn,
        )


def names_a_table(selection: Selection) -> bool:
    """Whether every table that it takes is taken by the type in an ARN, for which no opt-in is asked."""
    named = all(":table/" in pattern for pattern in selection.resources)
    return named and bool(selection.resources) and not selection.list_of_tags
