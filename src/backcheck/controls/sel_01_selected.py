"""SEL-01: each table in scope is selected."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, World, control, not_applicable, unknown, verdict
from backcheck.controls.coverage import Coverage, coverage
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Status, Verdict
from backcheck.selection import TagEquals, matches

GUIDE = "https://docs.aws.amazon.com/aws-backup/latest/devguide"
AT = "GetBackupSelection.Resources, ListOfTags, Conditions, NotResources"
TAGGED = (TagEquals(key="backup", value="yes"),)


def tables_and_empty_scopes(world: World) -> Iterator[ScopedTable | Verdict]:
    """Tables in scope; a scope that means no table is a FAIL, for a promise about nothing is no promise."""
    for subject in tables_in_scope(world):
        if isinstance(subject, Verdict) and subject.status is Status.NOT_APPLICABLE:
            yield verdict(
                False,
                expected="a table",
                observed="none",
                at="ListTables.TableNames",
                message="no table of the account is what this scope names: correct the policy, or find the table",
                resource=subject.resource,
            )
        else:
            yield subject


@control(
    id="SEL-01",
    title="Each table in scope is selected by its plans",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=tables_and_empty_scopes,
    in_template={
        cfn.SELECTION: ("/BackupSelection/Resources", "/BackupSelection"),
        cfn.PLAN: ("/BackupPlan",),
        **cfn.TABLES,
    },
    why="A perfect plan that selects another table backs up nothing of yours, and every job is green.",
    remedy=(
        "aws backup create-backup-selection --backup-plan-id ID --backup-selection "
        'SelectionName=NAME,IamRoleArn=ROLE,Resources="arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE"'
    ),
    sources=(f"{GUIDE}/API_BackupSelection.html", f"{GUIDE}/assigning-resources-json.html"),
    maps_to=("NIST-800-53r5:CP-9", "SOC2:A1.2", "CIS-8.1:11.2"),
    passes={
        "named": examples.world,
        "by its tag": lambda: examples.world(
            primary={
                "tables": (examples.table(tags={"backup": "yes"}),),
                "plans": (examples.plan(selections=(examples.selection(resources=(), list_of_tags=TAGGED),)),),
            }
        ),
    },
    fails={
        "another table": lambda: examples.world(
            primary={
                "plans": (examples.plan(selections=(examples.selection(resources=(examples.TABLE_ARN + "-old",)),)),)
            }
        ),
        "the tag in another case": lambda: examples.world(
            primary={
                "tables": (examples.table(tags={"backup": "Yes"}),),
                "plans": (examples.plan(selections=(examples.selection(resources=(), list_of_tags=TAGGED),)),),
            }
        ),
        "no table of the name": lambda: examples.world(primary={"tables": (), "table_names": ()}),
    },
    unknown={
        "selections not read": lambda: examples.world(
            primary={"plans": (examples.plan(selections=examples.gap("ListBackupSelections")),)}
        ),
        "tags not read": lambda: examples.world(
            primary={
                "tables": (examples.table(tags=examples.gap("GetResources")),),
                "plans": (examples.plan(selections=(examples.selection(resources=(), list_of_tags=TAGGED),)),),
            }
        ),
    },
)
def table_is_selected(subject: ScopedTable, world: World) -> Verdict:
    """For every plan with a tier of the table's, a selection takes it: (Resources or tags), conditions, exclusions."""
    found = tuple(coverage(subject, world))
    if not found:
        return not_applicable("the policy gives this table no tier")
    reason = "; ".join(f"plan {one.wanted.name}: {one.reason}" for one in found)
    answers = {one.covered for one in found}
    if answers == {True, None} or answers == {None}:
        return unknown(f"whether {subject.table.name} is selected is not known: {reason}", at=AT)
    return verdict(
        answers == {True},
        expected="selected",
        observed=reason,
        at=AT,
        message=f"{subject.table.name} is {'selected' if answers == {True} else 'not selected'}: {reason}",
        notes=tuple(dict.fromkeys(_notes(subject, found, world))),
    )


def _notes(subject: ScopedTable, found: tuple[Coverage, ...], world: World) -> Iterator[str]:
    prefix = world.policy.drill.name_prefix if world.policy.drill else ""
    drilled = f"{subject.table.arn.rpartition('/')[0]}/{prefix}x"
    for choice in (choice for one in found for choice in one.choices):
        yield from choice.membership.warnings
        for pattern in choice.selection.resources:
            if prefix and matches(pattern, drilled):
                yield f"{pattern} takes the drills' tables too ({prefix}*): they are backed up until they are removed"
