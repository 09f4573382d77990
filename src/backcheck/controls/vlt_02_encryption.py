"""VLT-02: the vault's key is whose the policy says, and can be used."""

from collections.abc import Iterator
from datetime import timedelta

from backcheck.controls import cfn, examples
from backcheck.controls.conditions import from_account, holds
from backcheck.controls.control import BOTH, World, control, unknown, unread, verdict
from backcheck.controls.iam_policy import action_matches, resource_matches
from backcheck.controls.key_access import USING
from backcheck.controls.keys import NOT_THERE, find_key, why_unusable
from backcheck.controls.vaults import PresentVault, present_vaults
from backcheck.finding import Severity, Verdict
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, PolicyDocument, Statement
from backcheck.policy.model import KeyKind

OF_THE_ACCOUNT = frozenset({"kms:calleraccount", "aws:principalaccount", "aws:principalorgid"})
AT = "DescribeBackupVault.EncryptionKeyArn, DescribeKey.KeyState, GetKeyRotationStatus"


def _policed(*statements: Statement) -> World:
    """With a policy of these statements for the vault's key."""
    return examples.world(primary={"keys": (examples.key(policy=examples.document(*statements)),)})


@control(
    id="VLT-02",
    title="The vault's key is the right one and works",
    severity=Severity.HIGH,
    reads=BOTH,
    each=present_vaults,
    in_template={
        cfn.VAULT: ("/EncryptionKeyArn",),
        cfn.AIR_GAPPED: ("/EncryptionKeyArn",),
        cfn.KEY: ("/EnableKeyRotation", ""),
    },
    why="With its key disabled or deleted a vault still lists every backup, and none of them can be restored.",
    remedy=(
        "aws kms cancel-key-deletion --key-id KEY; aws kms enable-key --key-id KEY; aws kms enable-key-rotation "
        "--key-id KEY. A vault's key is set at its creation only: for another one make a new vault."
    ),
    sources=(
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
    ),
    maps_to=("NIST-800-53r5:CP-9(8)",),
    passes={
        "a customer's key": examples.world,
        "a policy that denies other accounts": lambda: _policed(
            examples.allow("kms:*", principals=(("AWS", examples.ACCOUNT),)),
            examples.allow(
                "kms:*",
                principals=(("AWS", "*"),),
                effect="Deny",
                conditions=(("StringNotEquals", "aws:PrincipalAccount", (examples.ACCOUNT,)),),
            ),
        ),
    },
    fails={
        "disabled": lambda: examples.world(primary={"keys": (examples.key(state="Disabled"),)}),
        "to be deleted": lambda: examples.world(
            dr={
                "keys": (
                    examples.key(
                        examples.DR_KEY_ARN,
                        state="PendingDeletion",
                        deletion_date=examples.NOW + timedelta(days=7),
                    ),
                )
            }
        ),
        "AWS's key": lambda: examples.world(primary={"keys": (examples.key(manager="AWS"),)}),
        "a policy that lets nobody in": _policed,
        "a policy that denies everybody": lambda: _policed(
            examples.allow("kms:*", principals=(("AWS", examples.ACCOUNT),)),
            examples.allow("kms:Decrypt", principals=(("*", "*"),), effect="Deny"),
        ),
        "a policy that denies all but services, which a role that a service uses is not": lambda: _policed(
            examples.allow("kms:*", principals=(("AWS", examples.ACCOUNT),)),
            examples.allow(
                "kms:Decrypt",
                principals=(("AWS", "*"),),
                effect="Deny",
                conditions=(("Bool", "aws:PrincipalIsAWSService", ("false",)),),
            ),
        ),
        "a policy that lets another account in": lambda: _policed(
            examples.allow(
                "kms:*",
                principals=(("AWS", "*"),),
                conditions=(("StringEquals", "kms:CallerAccount", ("999988887777",)),),
            )
        ),
        "not rotated": lambda: examples.world(primary={"keys": (examples.key(rotation=False),)}),
        "a key of another region": lambda: examples.world(
            primary={"vaults": (examples.vault(key_arn=examples.DR_KEY_ARN),)}
        ),
    },
    unknown={
        "key not read": lambda: examples.world(
            primary={"keys": (examples.gap("DescribeKey", service="kms", resource=examples.KEY_ARN),)}
        ),
        "a policy that lets the account in by another service only": lambda: _policed(
            examples.allow(
                "kms:*",
                principals=(("AWS", examples.ACCOUNT),),
                conditions=(("StringEquals", "kms:ViaService", ("ec2.us-east-1.amazonaws.com",)),),
            )
        ),
        "rotation not read": lambda: examples.world(
            primary={"keys": (examples.key(rotation=examples.gap("GetKeyRotationStatus", service="kms")),)}
        ),
    },
)
def key_is_right_and_works(subject: PresentVault, world: World) -> Verdict:
    """Whose key it is; a customer's is enabled, not on its way out, rotated, and in the vault's own region."""
    vault, wanted = subject.vault, subject.wanted.encryption
    if vault.key_arn is None:
        return _told(
            subject, [] if wanted is KeyKind.AWS_OWNED else [f"no key of its own; the policy says {wanted}"], "none"
        )
    key = find_key(vault.key_arn, world)
    if isinstance(key, Gap):
        gone = [f"key {vault.key_arn} does not exist"] if key.code in NOT_THERE else []
        return _told(subject, gone, "none") if gone else unread(key, resource=vault.arn)
    problems = list(_problems(subject, key))
    if not problems and wanted is KeyKind.CUSTOMER and isinstance(key.rotation, Gap):
        return unread(key.rotation, resource=vault.arn)
    if not problems and isinstance(key.policy, PolicyDocument) and (doubt := next(_doubts(key, key.policy), "")):
        return unknown(f"{vault.name}: {doubt}", at=AT)
    return _told(subject, problems, f"{key.manager} {key.state}")


def _problems(subject: PresentVault, key: Key) -> Iterator[str]:
    wanted = subject.wanted.encryption
    kind = KeyKind.CUSTOMER if key.manager == "CUSTOMER" else KeyKind.AWS_MANAGED
    if kind is not wanted:
        yield f"the key is {kind}; the policy says {wanted}"
    if key.region != subject.vault.region:
        yield f"the key is in {key.region}"
    for problem in why_unusable(key):
        yield f"the key {problem}"
    if isinstance(key.policy, PolicyDocument):
        if not list(_admitting(key, key.policy)):
            yield "its policy lets nobody of the account use it"
        for action, sure in _denying(key, key.policy):
            if sure:
                yield f"its policy denies everybody {action}"
    if wanted is KeyKind.CUSTOMER and key.rotation is False:
        yield "the key is not rotated"


def _admitting(key: Key, policy: PolicyDocument) -> Iterator[Statement]:
    """Without permission from the key policy, IAM policies that allow permissions have no effect (key-policies).

    Whom of the account it lets in, and what their own policies say, is not judged here.
    """
    for statement in policy.statements:
        about = action_matches(statement, "kms:Decrypt") and resource_matches(statement, key.arn)
        met = holds(statement, from_account(key.account)) is not False
        if statement.effect == "Allow" and about and met and _is_about_the_account(key, statement):
            yield statement


def _denying(key: Key, policy: PolicyDocument) -> Iterator[tuple[str, bool]]:
    """A Deny for everybody outweighs whatever allows; False where it hangs on what is not known."""
    for statement in policy.statements:
        met = holds(statement, from_account(key.account))
        if (
            statement.effect == "Deny"
            and met is not False
            and resource_matches(statement, key.arn)
            and _is_about_the_account(key, statement)
        ):
            yield from ((action, met is True) for action in USING if action_matches(statement, action))


def _is_about_the_account(key: Key, statement: Statement) -> bool:
    """An Allow for one principal of the account is one; a Deny must be for everybody, or for all but a few."""
    if statement.not_principals:
        return statement.effect == "Deny"
    named = [who for kind, who in statement.principals if kind in ("AWS", "*")]
    everybody = any(who in ("*", key.account) or who.endswith(f":{key.account}:root") for who in named)
    return everybody or (statement.effect == "Allow" and any(f":{key.account}:" in who for who in named))


def _doubts(key: Key, policy: PolicyDocument) -> Iterator[str]:
    """What hangs on conditions other than those that name the account."""
    for action, sure in _denying(key, policy):
        if not sure:
            yield f"whether its key's policy denies {action} hangs on a condition"
    names = [{name.lower() for _, name, _ in statement.conditions} for statement in _admitting(key, policy)]
    if all(found - OF_THE_ACCOUNT for found in names):
        yield "its key's policy lets the account use it under conditions only"


def _told(subject: PresentVault, problems: list[str], observed: str) -> Verdict:
    vault = subject.vault
    return verdict(
        not problems,
        expected=f"{subject.wanted.encryption} key, enabled and rotated, in {vault.region}",
        observed="; ".join(problems) or observed,
        at=AT,
        message=f"{vault.name}: {'; '.join(problems) or 'its key is the right one and works'}",
    )
