"""IAM-04: few may destroy."""

from collections.abc import Iterator
from dataclasses import dataclass

from backcheck.controls import examples
from backcheck.controls.conditions import any_of
from backcheck.controls.control import ACCOUNT_ONLY, World, control, unread, verdict
from backcheck.controls.key_access import access_of, by_itself
from backcheck.controls.key_needs import vault_keys
from backcheck.controls.keys import find_key, key_policy
from backcheck.controls.moments import few
from backcheck.controls.roles import role_name
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap, undecided
from backcheck.inventory.iam import Key, PolicyDocument, Simulation, Statement
from backcheck.inventory.model import AccountInventory

KEY_ACTIONS = ("kms:DisableKey", "kms:ScheduleKeyDeletion")
"""What ends every backup under a key: what it has encrypted cannot be decrypted any more (deleting-keys, key-state)."""
AT = "SimulatePrincipalPolicy.EvalDecision"
DESTROYING = (
    "backup:DeleteRecoveryPoint",
    "backup:DeleteBackupVault",
    "backup:DeleteBackupVaultLockConfiguration",
    "dynamodb:UpdateContinuousBackups",
    *KEY_ACTIONS,
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


ADMINISTRATOR = (("AWS", f"arn:aws:iam::{examples.ACCOUNT}:role/shop-administrator"),)
ENDING_THE_KEY = examples.simulations("kms:ScheduleKeyDeletion")
ANOTHER_KEY_DENIED = tuple(
    Simulation(principal_arn=who, action=action, resource=examples.DR_KEY_ARN, decision="explicitDeny")
    for _, who in ADMINISTRATOR
    for action in KEY_ACTIONS
)


def _key(*statements: Statement) -> examples.Changes:
    """The vault's key with the policy that KMS gives one, and more."""
    by_default = examples.allow("kms:*", principals=(("AWS", f"arn:aws:iam::{examples.ACCOUNT}:root"),))
    return {"keys": (examples.key(policy=examples.document(by_default, *statements)),)}


def _deny(*conditions: tuple[str, str, tuple[str, ...]]) -> examples.Changes:
    return _key(examples.allow(*KEY_ACTIONS, effect="Deny", principals=(("AWS", "*"),), conditions=conditions))


@control(
    id="IAM-04",
    title="Few may destroy",
    severity=Severity.HIGH,
    reads=ACCOUNT_ONLY,
    each=audited_accounts,
    why="Who takes over one of these roles takes the backups first, and the data after them.",
    remedy=(
        "Take the actions from the role, or deny them in a service control policy for all but the break-glass role; "
        "those on the vault's key in the key's policy."
    ),
    sources=(
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-adding-permission.html",
    ),
    maps_to=("NIST-800-53r5:CP-9", "CIS-8.1:11.3"),
    passes={
        "none of the roles may": examples.world,
        "no policy names the actions": lambda: examples.world(account={"simulations": ()}),
        "break-glass may": lambda: examples.world(
            policy=examples.policy(roles=examples.role_names(break_glass=("shop-drill",))),
            account={"simulations": examples.simulations("backup:DeleteRecoveryPoint")},
        ),
        "the key's policy denies its end to all but break-glass": lambda: examples.world(
            account={"simulations": ENDING_THE_KEY},
            primary=_deny(("ArnNotEquals", "aws:PrincipalArn", (f"arn:aws:iam::{examples.ACCOUNT}:role/break-glass",))),
        ),
    },
    fails={
        "the drill role may delete": lambda: examples.world(
            account={"simulations": examples.simulations("backup:DeleteRecoveryPoint")}
        ),
        "the auditor may switch PITR off": lambda: examples.world(
            account={"simulations": examples.simulations("dynamodb:UpdateContinuousBackups", "auditor")}
        ),
        "the drill role may end the vault's key": lambda: examples.world(account={"simulations": ENDING_THE_KEY}),
        "the key's policy lets an administrator end it": lambda: examples.world(
            primary=_key(examples.allow("kms:Disable*", principals=ADMINISTRATOR))
        ),
        "IAM denies an administrator another key": lambda: examples.world(
            account={"simulations": (*examples.simulations(), *ANOTHER_KEY_DENIED)},
            primary=_key(examples.allow("kms:Disable*", principals=ADMINISTRATOR)),
        ),
    },
    unknown={
        "the key's policy lets everybody but a few end it": lambda: examples.world(
            primary=_key(examples.allow("kms:DisableKey", not_principals=ADMINISTRATOR))
        ),
        "the key's policy not read": lambda: examples.world(
            primary={"keys": (examples.key(policy=examples.gap("GetKeyPolicy", service="kms")),)}
        ),
        "the key's policy denies it under a condition": lambda: examples.world(
            account={"simulations": ENDING_THE_KEY},
            primary=_deny(("NumericLessThanEquals", "kms:TrailingDaysWithoutKeyUsage", ("90",))),
        ),
        "not simulated": lambda: examples.world(
            account={"simulations": examples.gap("SimulatePrincipalPolicy", service="iam")}
        ),
    },
)
def few_may_destroy(subject: AuditedAccount, world: World) -> Verdict:
    """Only break-glass may delete points or vaults, lift locks, switch PITR off, or end a vault's key.

    The simulator is asked about everybody whose policies name one of these actions; the others are allowed none, but by
    a key's own policy, which the simulator does not read. Who may let himself in (kms:PutKeyPolicy) is not judged.
    """
    simulations = subject.account.simulations
    if isinstance(simulations, Gap):
        return unread(simulations, resource=subject.resource)
    exempt = {role_name(name) for name in world.policy.roles.break_glass}
    wanted = {action.lower() for action in DESTROYING}
    about = [one for one in simulations if one.action.lower() in wanted]
    found = list(dict.fromkeys([*_simulated(about, world), *_let_in(about, subject.account.id, world)]))
    able = [one for one in found if isinstance(one, Able) and role_name(one.who) not in exempt]
    gaps = [one for one in found if isinstance(one, Gap)]
    if gaps and not able:
        return unread(gaps[0], resource=subject.resource)
    told = few([f"{role_name(one.who)} may {one.action} on {one.resource}" for one in able])
    roles = {role_name(one.principal_arn) for one in about}
    return verdict(
        not able,
        expected=f"only {few(sorted(exempt)) or 'nobody'}",
        observed=told or "nobody else",
        at=AT,
        message=told or "nobody but break-glass may destroy backups",
        notes=(f"simulated: {few(sorted(roles), 10)}",) if roles else (),
        instances=(f"{one.who} may {one.action} on {one.resource}" for one in able),
    )


@dataclass(frozen=True, slots=True)
class Able:
    """Somebody who may destroy something."""

    who: str
    action: str
    resource: str


def _simulated(about: list[Simulation], world: World) -> Iterator[Able | Gap]:
    """Whom the simulator allows; with keys, as far as their policies leave it to IAM.

    It reads no resource's policy unless one is given, and takes none for a role (API_SimulatePrincipalPolicy).
    """
    for one in about:
        if one.decision != "allowed":
            continue
        stopped = _stopped(one, world) if one.action in KEY_ACTIONS else False
        if isinstance(stopped, Gap):
            yield stopped
        elif not stopped:
            yield Able(one.principal_arn, one.action, one.resource)


def _stopped(one: Simulation, world: World) -> bool | Gap:
    """Whether a key's policy keeps somebody from it whose own policies allow it."""
    key = find_key(one.resource, world)
    if isinstance(key, Gap):
        return key
    policy = key_policy(key)
    if isinstance(policy, Gap):
        return policy
    access = access_of(one.principal_arn, key, one.action, by_itself(one.principal_arn, key))
    let_in = any_of((access.allowed, access.left_to_iam))
    if access.denied is None or let_in is None:
        return _hangs(one.principal_arn, one.action, key)
    return access.denied or not let_in


def _let_in(about: list[Simulation], account: str, world: World) -> Iterator[Able | Gap]:
    """Whom a vault's key lets end it by its own policy, without IAM. VLT-06 tells of those of other accounts."""
    denied = {(one.principal_arn, one.action, one.resource) for one in about if one.decision == "explicitDeny"}
    for _, key in vault_keys(world.policy.vaults, account, world):
        if isinstance(key, Gap):
            yield key
            continue
        if key.manager != "CUSTOMER":  # "You cannot delete AWS managed keys" (deleting-keys)
            continue
        policy = key_policy(key)
        if isinstance(policy, Gap):
            yield policy
            continue
        for who in _named(policy, key.account):
            yield from (
                one
                for action in KEY_ACTIONS
                if (who, action, key.arn) not in denied
                for one in _by_key(who, action, key)
            )


def _by_key(who: str, action: str, key: Key) -> Iterator[Able | Gap]:
    access = access_of(who, key, action, by_itself(who, key))
    if access.allowed is not False and not access.denied:
        sure = access.allowed and access.denied is False
        yield Able(who, action, key.arn) if sure else _hangs(who, action, key)


def _named(policy: PolicyDocument, account: str) -> Iterator[str]:
    """The account's roles and users that a policy allows something, and somebody for everybody (but a few)."""
    for statement in policy.statements:
        if statement.effect == "Allow":
            names = {who for kind, who in statement.principals if kind in ("AWS", "*")}
            yield from (who for who in sorted(names) if f":{account}:" in who and not who.endswith(":root"))
            if "*" in names or statement.not_principals:
                yield f"arn:aws:iam::{account}:role/everybody of the account"


def _hangs(who: str, action: str, key: Key) -> Gap:
    why = f"whether {role_name(who)} may {action} hangs on a condition of the key's policy"
    return undecided("kms", "GetKeyPolicy", why, account=key.account, region=key.region, resource=key.arn)
