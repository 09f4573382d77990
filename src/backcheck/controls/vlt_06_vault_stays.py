"""VLT-06: the vault and its key stay."""

from collections.abc import Iterator

from backcheck.controls import cfn, examples
from backcheck.controls.control import BOTH, Reads, World, control, unread, verdict
from backcheck.controls.iam_policy import action_matches
from backcheck.controls.keys import NOT_THERE, find_key, key_policy
from backcheck.controls.pit_05_table_stays import RETAINING
from backcheck.controls.vaults import PresentVault, present_vaults, strangers
from backcheck.finding import Severity, Verdict
from backcheck.inventory.backup import Vault
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, PolicyDocument, Statement

AT = "DeletionPolicy, UpdateReplacePolicy, GetKeyPolicy.Policy"
ENDING = ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy")
"""What ends the use of a key, or lets somebody allow it."""
DENIED = ENDING[:2]


def _template(kept: str, key_kept: str) -> World:
    def written(policy: str) -> dict[str, object]:
        return {"deletion_policy": policy, "replace_policy": policy}

    return examples.world(
        account={"kind": "template"},
        primary={"vaults": (examples.vault(**written(kept)),), "keys": (examples.key(**written(key_kept)),)},
        dr={
            "vaults": (examples.dr_vault(**written("Retain")),),
            "keys": (examples.key(examples.DR_KEY_ARN, **written("Retain")),),
        },
    )


def _with_key(*statements: Statement) -> World:
    return examples.world(primary={"keys": (examples.key(policy=examples.document(*statements)),)})


@control(
    id="VLT-06",
    title="The vault and its key stay",
    severity=Severity.HIGH,
    reads=BOTH,
    each=present_vaults,
    in_template={cfn.VAULT: ("",), cfn.AIR_GAPPED: ("",), cfn.KEY: ("/KeyPolicy", "")},
    why=(
        "A vault with recovery points in it cannot be deleted; its key can, with its stack or by anybody who may, and "
        "then none of them can ever be read again. An empty vault goes with its stack, and each later backup fails."
    ),
    remedy=(
        "in the template: DeletionPolicy: Retain and UpdateReplacePolicy: Retain on the vault and on its key; in the "
        f"key's policy no stranger, and a Deny of {', '.join(DENIED)} for Principal * but the break-glass role"
    ),
    sources=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-adding-permission.html",
        "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatereplacepolicy.html",
    ),
    maps_to=("NIST-800-53r5:CP-9(8)",),
    passes={
        "nobody from outside": examples.world,
        "a template that retains both": lambda: _template("Retain", "RetainExceptOnCreate"),
        "AWS's key, which nobody can delete": lambda: examples.world(
            primary={"keys": (examples.key(manager="AWS", policy=None),)}
        ),
    },
    fails={
        "a template that deletes the key": lambda: _template("Retain", "Delete"),
        "a template that deletes the vault": lambda: _template("Delete", "Retain"),
        "everybody may end the key": lambda: _with_key(
            examples.allow("kms:*", principals=(("AWS", "*"),)),
        ),
        "everybody outside the account may": lambda: _with_key(
            examples.allow(
                "kms:ScheduleKeyDeletion",
                principals=(("AWS", "*"),),
                conditions=(("StringNotEquals", "kms:CallerAccount", (examples.ACCOUNT,)),),
            ),
        ),
        "another account may": lambda: _with_key(
            examples.allow("kms:ScheduleKeyDeletion", principals=(("AWS", "arn:aws:iam::999988887777:root"),)),
        ),
    },
    unknown={
        "key not read": lambda: examples.world(
            primary={"keys": (examples.gap("DescribeKey", service="kms", resource=examples.KEY_ARN),)}
        ),
        "key policy not read": lambda: examples.world(
            primary={"keys": (examples.key(policy=examples.gap("GetKeyPolicy", service="kms")),)}
        ),
    },
)
def vault_and_key_stay(subject: PresentVault, world: World) -> Verdict:
    """A template retains both; nobody outside the account may end the key's use."""
    key = find_key(subject.vault.key_arn, world) if subject.vault.key_arn else None
    if key is None or (isinstance(key, Gap) and key.code in NOT_THERE):  # VLT-02 judges that
        return _told(subject, list(_dropped(subject.vault, world)))
    policy = key if isinstance(key, Gap) else key_policy(key) if key.manager == "CUSTOMER" else NOBODY
    problems = list(_dropped(subject.vault, world))
    if isinstance(key, Key) and key.manager == "CUSTOMER":
        problems += _dropped(key, world)
    if isinstance(policy, Gap):
        return _told(subject, problems) if problems else unread(policy, resource=subject.resource)
    problems += _strangers(policy, subject)
    return _told(subject, problems, loose=policy is not NOBODY and _is_loose(policy))


NOBODY = PolicyDocument(statements=())
"""'You cannot delete AWS managed keys or AWS owned keys' (deleting-keys)."""
LOOSE = (
    f"whoever has kms:* by IAM may end its key: the key's policy does not deny {' and '.join(DENIED)} to all but a few"
)


def _told(subject: PresentVault, problems: list[str], *, loose: bool = False) -> Verdict:
    return verdict(
        not problems,
        expected="vault and key outlive their stack; no stranger may end the key",
        observed="; ".join(problems) or "as expected",
        at=AT,
        message=f"{subject.vault.name}: {'; '.join(problems) or 'it and its key stay'}",
        notes=(LOOSE,) if loose and not problems else (),
    )


def _dropped(one: Vault | Key, world: World) -> Iterator[str]:
    """What a template does not retain."""
    what = "the vault's" if isinstance(one, Vault) else "its key's"
    for name, value in (("DeletionPolicy", one.deletion_policy), ("UpdateReplacePolicy", one.replace_policy)):
        if Reads.TEMPLATE in world.reads and value not in RETAINING:
            yield f"{what} {name} is {value or 'not set'}"


def _strangers(policy: PolicyDocument, subject: PresentVault) -> Iterator[str]:
    for statement in policy.statements:
        may = [action for action in ENDING if action_matches(statement, action)]
        if statement.effect != "Allow" or not may:
            continue
        yield from (f"its key lets {one} use {', '.join(may)}" for one in strangers(statement, subject))


def _is_loose(policy: PolicyDocument) -> bool:
    """A key whose policy leaves it to IAM who may end it."""
    for_all = [
        one for one in policy.statements if one.effect == "Deny" and any(who == "*" for _, who in one.principals)
    ]
    return not all(any(action_matches(one, action) for one in for_all) for action in DENIED)
