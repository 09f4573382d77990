"""IAM-04: few may destroy."""

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls import examples
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unread, verdict
from backcheck.controls.moments import few
from backcheck.controls.roles import role_name
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.model import AccountInventory

AT = "SimulatePrincipalPolicy.EvalDecision"
DESTROYING = (
    "backup:DeleteRecoveryPoint",
    "backup:DeleteBackupVault",
    "backup:DeleteBackupVaultLockConfiguration",
    "dynamodb:UpdateContinuousBackups",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAccount:
    """An account of the policy."""

    account: AccountInventory
    resource: str
    tier: None = None


def audited_accounts(world: World) -> Iterator[AuditedAccount]:
    """Every account of the policy that was looked at."""
    for account in world.policy.accounts:
        found = world.inventory.account(account.id) if world.inventory else None
        if found is not None:
            yield AuditedAccount(account=found, resource=world.policy.resource(f"/accounts/{account.key}"))


@control(
    id="IAM-04",
    title="Few may destroy",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=audited_accounts,
    why="Who takes over one of these roles takes the backups first, and the data after them.",
    remedy="Take the actions from the role, or deny them in a service control policy for all but the break-glass role.",
    sources=(
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "CIS-8.1:11.3"),
    passes={
        "none of the roles may": examples.world,
        "no policy names the actions": lambda: examples.world(account={"simulations": ()}),
        "break-glass may": lambda: examples.world(
            policy=examples.policy(roles=examples.role_names(break_glass=("shop-drill",))),
            account={"simulations": examples.simulations("backup:DeleteRecoveryPoint")},
        ),
    },
    fails={
        "the drill role may delete": lambda: examples.world(
            account={"simulations": examples.simulations("backup:DeleteRecoveryPoint")}
        ),
        "the auditor may switch PITR off": lambda: examples.world(
            account={"simulations": examples.simulations("dynamodb:UpdateContinuousBackups", "auditor")}
        ),
    },
    unknown={
        "not simulated": lambda: examples.world(
            account={"simulations": examples.gap("SimulatePrincipalPolicy", service="iam")}
        ),
    },
)
def few_may_destroy(subject: AuditedAccount, world: World) -> Verdict:
    """Only break-glass may delete points or vaults, lift locks, or switch PITR off.

    The simulator is asked about everybody whose policies name one of these actions; the others are allowed none.
    """
    simulations = subject.account.simulations
    if isinstance(simulations, Gap):
        return unread(simulations, resource=subject.resource)
    exempt = {role_name(name) for name in world.policy.roles.break_glass}
    wanted = {action.lower() for action in DESTROYING}
    about = [one for one in simulations if one.action.lower() in wanted]
    able = [one for one in about if one.decision == "allowed" and role_name(one.principal_arn) not in exempt]
    told = few([f"{role_name(one.principal_arn)} may {one.action} on {one.resource}" for one in able])
    roles = {role_name(one.principal_arn) for one in about}
    return verdict(
        not able,
        expected=f"only {few(sorted(exempt)) or 'nobody'}",
        observed=told or "nobody else",
        at=AT,
        message=told or "nobody but break-glass may destroy backups",
        notes=(f"simulated: {few(sorted(roles), 10)}",) if roles else (),
        instances=(f"{one.principal_arn} may {one.action} on {one.resource}" for one in able),
    )
