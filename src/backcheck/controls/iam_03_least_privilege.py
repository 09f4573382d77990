"""IAM-03: who validates and drills may not harm production."""

from collections.abc import Iterator
from dataclasses import replace

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, not_applicable, unread, verdict
from backcheck.controls.iam_policy import action_matches, admits, resource_matches
from backcheck.controls.keys import NOT_THERE
from backcheck.controls.moments import few
from backcheck.controls.resource_levels import ITEM_WRITES, WITHOUT_RESOURCE
from backcheck.controls.service_roles import NamedRole, as_named
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Status, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import NamedPolicy, Role, Statement

AT = "GetRolePolicy, GetPolicyVersion"


LAMBDA = "lambda.amazonaws.com"


def working_roles(world: World) -> Iterator[NamedRole]:
    """The roles that audit and drill, and those of a template's functions, which restore and validate.

    AWS Backup's own restore role writes by its nature; IAM-02 judges it. An account has functions of other kinds, whose
    roles are not the policy's business; a template that is gated has none but what it brings along.
    """
    for name in (world.policy.roles.auditor, world.policy.roles.drill):
        if name:
            yield as_named(name, world.policy.home.id, world)
    if Reads.TEMPLATE in world.reads:
        named = {world.policy.roles.auditor, world.policy.roles.drill}
        for (account, name), role in sorted(world.index.roles.items()):
            if isinstance(role, Role) and name not in named and _runs_functions(role):
                yield as_named(role.arn, account, world)


def _runs_functions(role: Role) -> bool:
    return not isinstance(role.trust, Gap) and admits(role.trust, LAMBDA, "sts:AssumeRole", role.arn)[0]


def _drill(*statements: Statement) -> World:
    return examples.world(account={"roles": examples.roles("drill", policies=(examples.inline(*statements),))})


@control(
    id="IAM-03",
    title="Who validates and drills cannot harm production",
    severity=Severity.HIGH,
    reads=BOTH,
    each=working_roles,
    in_template={cfn.ROLE: ("/Policies", "/ManagedPolicyArns"), **cfn.ROLES, **cfn.TABLES},
    why="The restore test that may write to production tables is how a drill becomes the incident.",
    remedy="Name the resources of each action; limit writes to tables with the drills' prefix.",
    sources=(
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    ),
    maps_to=("NIST-800-53r5:CP-9", "CIS-8.1:11.3"),
    passes={"their own tables only": examples.world},
    fails={
        "everything": lambda: _drill(examples.allow("*")),
        "any recovery point": lambda: _drill(examples.allow("backup:StartRestoreJob")),
        "all recovery points but one": lambda: _drill(
            examples.allow(
                "backup:StartRestoreJob",
                resources=(),
                not_resources=("arn:aws:backup:us-east-1:111122223333:recovery-point:one",),
            )
        ),
        "writes to production": lambda: _drill(
            examples.allow("dynamodb:PutItem", resources=(f"arn:aws:dynamodb:*:{examples.ACCOUNT}:table/*",))
        ),
    },
    unknown={
        "role not read": lambda: examples.world(
            account={"roles": (*examples.roles()[:3], examples.gap("GetRole", service="iam", resource="shop-auditor"))}
        ),
        "a table in scope not read": lambda: examples.world(
            primary={"tables": (examples.gap("DescribeTable", service="dynamodb", resource=examples.TABLE_ARN),)}
        ),
        "a policy's text not read": lambda: examples.world(
            account={"roles": examples.roles("auditor", policies=(examples.managed("ReadOnlyAccess"),))}
        ),
    },
)
def role_is_narrow(named: NamedRole, world: World) -> Verdict:
    """`*` only for actions that take no resource; no write to a table in scope."""
    role = named.role
    if isinstance(role, Gap):
        if role.code in NOT_THERE:
            return not_applicable(f"role {named.name} does not exist, and may nothing")
        return unread(role, resource=named.resource)
    if isinstance(role.policies, Gap):
        return unread(role.policies, resource=named.resource)
    scope = tuple(tables_in_scope(world))
    tables = [one.table.arn for one in scope if isinstance(one, ScopedTable)]
    problems = [problem for policy in role.policies for problem in _problems(policy, tables)]
    gaps = [policy.document for policy in role.policies if isinstance(policy.document, Gap)]
    if gaps and not problems:
        return unread(gaps[0], resource=named.resource)
    hidden = next((one for one in scope if isinstance(one, Verdict) and one.status is Status.UNKNOWN), None)
    if hidden is not None and not problems and any(map(_writes, role.policies)):
        return replace(hidden, resource=named.resource)
    return verdict(
        not problems,
        expected="named resources, no write to tables in scope",
        observed=few(problems) or "as expected",
        at=AT,
        message=f"role {named.name}: {few(problems) or 'it cannot harm the tables in scope'}",
        instances=problems,
    )


def _is_harmless(action: str) -> bool:
    """It takes no resource, or writes logs and traces, which every function does (AWSLambdaBasicExecutionRole)."""
    return action in WITHOUT_RESOURCE or action.startswith(("logs:", "xray:"))


def _writes(policy: NamedPolicy) -> bool:
    """Whether it allows to write items of any table at all."""
    statements = () if isinstance(policy.document, Gap) else policy.document.statements
    return any(one.effect == "Allow" and action_matches(one, write) for one in statements for write in ITEM_WRITES)


def _problems(policy: NamedPolicy, tables: list[str]) -> Iterator[str]:
    for statement in () if isinstance(policy.document, Gap) else policy.document.statements:
        if statement.effect != "Allow":
            continue
        wide = [action for action in statement.actions if not _is_harmless(action.lower())]
        everything = "*" in statement.resources or bool(statement.not_resources)
        if everything and (wide or statement.not_actions):
            but = "all but a few resources" if statement.not_resources else "*"
            yield f"{policy.name} allows {few(wide) or 'all but a few actions'} on {but}"
        for write in ITEM_WRITES:
            able = action_matches(statement, write)
            hit = next((arn for arn in tables if resource_matches(statement, arn)), None) if able else None
            if hit is not None:
                yield f"{policy.name} allows {write} on {hit}"
