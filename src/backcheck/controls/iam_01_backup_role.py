"""IAM-01: the role that backs up can."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from backcheck.controls import examples
from backcheck.controls.control import BOTH, World, control, unread, verdict
from backcheck.controls.deployment import deployed_plans, partition
from backcheck.controls.expected_points import vault_id
from backcheck.controls.iam_policy import admits, allows
from backcheck.controls.keys import NOT_THERE
from backcheck.controls.moments import few
from backcheck.controls.roles import find_role, role_name
from backcheck.controls.subjects import ScopedTable, tables_in_scope
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import NamedPolicy, PolicyDocument, Role, Statement
from backcheck.policy.model import PRIMARY

BACKUP = "backup.amazonaws.com"
AWS_POLICIES = "arn:aws:iam::aws:policy/service-role"
FOR_BACKUP = "AWSBackupServiceRolePolicyForBackup"
AT = "GetRole.AssumeRolePolicyDocument, ListAttachedRolePolicies"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRole:
    """A role that the policy or a selection names."""

    name: str
    account: str
    resource: str
    role: Role | Gap
    copies: bool = False
    tier: None = None


def backup_roles(world: World) -> Iterator[NamedRole | Verdict]:
    """The role that the policy names for backups, and those that the selections of its plans use."""
    home = world.policy.account(PRIMARY) or world.policy.accounts[0]
    copies = any(tier.copies for tier in world.policy.tiers)
    found: dict[str, NamedRole] = {}
    if world.policy.roles.backup:
        named = as_named(world.policy.roles.backup, home.id, world, copies=copies)
        found[named.resource] = named
    for deployed in deployed_plans(world):
        if isinstance(deployed, Verdict):
            continue  # PLN-01 and PLN-02 tell
        if isinstance(deployed.plan.selections, Gap):
            yield unread(deployed.plan.selections, resource=deployed.resource)
            continue
        for chosen in deployed.plan.selections:
            named = as_named(chosen.selection.iam_role_arn, deployed.plan.account, world, copies=copies)
            found.setdefault(named.resource, named)
    yield from found.values()


def as_named(name_or_arn: str, account: str, world: World, *, copies: bool = False) -> NamedRole:
    """Look a role up."""
    role = find_role(name_or_arn, account, world)
    region = next((where for _, where in world.index.regions), "")
    written = (
        name_or_arn if name_or_arn.startswith("arn:") else f"arn:{partition(region)}:iam::{account}:role/{name_or_arn}"
    )
    resource = written if isinstance(role, Gap) else role.arn
    return NamedRole(name=role_name(name_or_arn), account=account, resource=resource, role=role, copies=copies)


@control(
    id="IAM-01",
    title="The role that backs up can",
    severity=Severity.CRITICAL,
    reads=BOTH,
    each=backup_roles,
    why="With a role that AWS Backup cannot assume, or that may not back up a table, every job fails.",
    remedy=f"aws iam attach-role-policy --role-name ROLE --policy-arn {AWS_POLICIES}/{FOR_BACKUP}",
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html",
        f"https://docs.aws.amazon.com/aws-managed-policy/latest/reference/{FOR_BACKUP}.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html",
    ),
    maps_to=("NIST-800-53r5:CP-9",),
    passes={
        "AWS's policy": examples.world,
        "its own policy": lambda: examples.world(
            account={
                "roles": examples.roles(
                    "backup",
                    policies=(
                        examples.inline(examples.allow("dynamodb:StartAwsBackupJob", "backup:CopyIntoBackupVault")),
                    ),
                )
            }
        ),
    },
    fails={
        "it trusts another service": lambda: examples.world(
            account={"roles": examples.roles("backup", trust=examples.trust("lambda.amazonaws.com"))}
        ),
        "it may back up another table": lambda: examples.world(
            account={
                "roles": examples.roles(
                    "backup",
                    policies=(
                        examples.inline(
                            examples.allow(
                                "dynamodb:StartAwsBackupJob",
                                resources=(examples.TABLE_ARN.replace("orders", "customers"),),
                            ),
                            examples.allow("backup:CopyIntoBackupVault"),
                        ),
                    ),
                )
            }
        ),
        "it may nothing": lambda: examples.world(account={"roles": examples.roles("backup", policies=())}),
        "it does not exist": lambda: examples.world(
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
        "another policy that was not read": lambda: examples.world(
            account={"roles": examples.roles("backup", policies=(examples.managed(FOR_BACKUP), examples.managed("X")))}
        ),
        "a boundary that was not read": lambda: examples.world(
            account={"roles": examples.roles("backup", boundary_arn="arn:aws:iam::111122223333:policy/boundary")}
        ),
    },
)
def backup_role_works(named: NamedRole, world: World) -> Verdict:
    """It trusts AWS Backup, and may start backups of tables and copy into vaults.

    API_BackupJob wants `AWSBackup` or `AwsBackup` in a role's name; the pages on roles do not, so it is not judged.
    """
    actions = ["dynamodb:StartAwsBackupJob", *(["backup:CopyIntoBackupVault"] if named.copies else [])]
    return judge_role(named, actions, FOR_BACKUP, world)


def judge_role(named: NamedRole, actions: list[str], managed: str, world: World) -> Verdict:
    """Whether AWS Backup can assume a role, and whether it may do what it is for."""
    if isinstance(named.role, Gap):
        if named.role.code not in NOT_THERE:
            return unread(named.role, resource=named.resource)
        return _verdict(named, ["it does not exist"], managed)
    found = [*_trust(named.role), *_permissions(named.role, actions, managed, world)]
    problems = [one for one in found if isinstance(one, str)]
    gaps = [one for one in found if isinstance(one, Gap)]
    if gaps and not problems:
        return unread(gaps[0], resource=named.resource)
    return _verdict(named, problems, managed, tuple(_notes(named.role)))


def _verdict(named: NamedRole, problems: list[str], managed: str, notes: tuple[str, ...] = ()) -> Verdict:
    return verdict(
        not problems,
        expected=f"trusts {BACKUP}, may what {managed} allows",
        observed="; ".join(problems) or "it does",
        at=AT,
        message=f"role {named.name}: {'; '.join(problems) or 'AWS Backup can use it'}",
        notes=notes,
    )


def _trust(role: Role) -> Iterator[str | Gap]:
    if isinstance(role.trust, Gap):
        yield role.trust
    elif not admits(role.trust, BACKUP, "sts:AssumeRole", role.arn)[0]:
        yield f"it does not trust {BACKUP}"


def _permissions(role: Role, actions: list[str], managed: str, world: World) -> Iterator[str | Gap]:
    if isinstance(role.policies, Gap):
        yield role.policies
        return
    policies = tuple(_as_on_its_page(policy, managed, actions) for policy in role.policies)
    for action in actions:
        answers = {resource: allows(policies, action, resource) for resource in _resources(action, role, world)}
        refused = [resource for resource, answer in answers.items() if answer is False]
        if refused:
            yield f"it may not {action} on {few(refused)}"
        elif None in answers.values():
            yield _open(role, f"whether it may {action} hangs on a condition, or on a policy that was not read")
    if role.boundary_arn is not None:
        yield _open(role, f"its permissions boundary {role.boundary_arn} was not read")


def _as_on_its_page(policy: NamedPolicy, managed: str, actions: list[str]) -> NamedPolicy:
    """AWS's own policy for the role, with what its page says that it allows where its text was not read.

    It speaks for itself alone: any other policy, read or not, may take the right away.
    """
    is_theirs = policy.arn is not None and policy.arn.endswith(f":aws:policy/service-role/{managed}")
    if not is_theirs or not isinstance(policy.document, Gap):
        return policy
    allowed = Statement(
        sid=managed,
        effect="Allow",
        actions=tuple(actions),
        not_actions=(),
        resources=("*",),
        not_resources=(),
        principals=(),
        not_principals=(),
        conditions=(),
    )
    return replace(policy, document=PolicyDocument(statements=(allowed,)))


def _resources(action: str, role: Role, world: World) -> tuple[str, ...]:
    """Each table in scope in the role's account, or each vault that copies go to; a stand-in where there is none."""
    if action.startswith("dynamodb:"):
        scoped = (one.table for one in tables_in_scope(world) if isinstance(one, ScopedTable))
        tables = (table.arn for table in scoped if table.account == role.account)
        return tuple(tables) or ("arn:aws:dynamodb:us-east-1:000000000000:table/any",)
    keys = {copy.vault for tier in world.policy.tiers for copy in tier.copies}
    places = {vault_id(vault, world.policy) for vault in world.policy.vaults if vault.key in keys}
    found = (vault.arn for place, vault in world.index.vaults.items() if place in places)
    return tuple(found) or ("arn:aws:backup:us-east-1:000000000000:backup-vault:any",)


def _open(role: Role, why: str) -> Gap:
    return Gap(
        service="iam",
        operation="GetRolePolicy",
        region="",
        account=role.account,
        code="NotDecided",
        detail=why,
        resource=role.name,
    )


def _notes(role: Role) -> Iterator[str]:
    if isinstance(role.trust, Gap):
        return
    for statement in role.trust.statements:
        for _, key, _ in statement.conditions:
            yield f"its trust is conditional on {key}: no page says that AWS Backup sends it"
