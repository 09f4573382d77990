"""Whether a role may use a key: what its own policies say and what the key's says, taken together.

Within an account a key's policy lets a role in itself, or leaves it to the role's own policies by naming the account;
"without this permission, IAM policies that allow access to the key are ineffective, although IAM policies that deny
access to the key are still effective" (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html).
Into another account's key both must let it
(https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html).
Grants are not read: AWS Backup makes and retires its own, by the rights that are judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backcheck.controls.conditions import Context, any_of, from_account, holds
from backcheck.controls.iam_policy import Says as Own
from backcheck.controls.iam_policy import action_matches, resource_matches, say
from backcheck.controls.keys import key_policy
from backcheck.controls.roles import open_question, role_name
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import Key, NamedPolicy, Role, Statement

CREATE_GRANT = "kms:CreateGrant"
USING = (CREATE_GRANT, "kms:Decrypt", "kms:GenerateDataKey")
"""What backups under a key, their copies and restores take "at a minimum"
(https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html)."""
BACKUP, DYNAMODB = "backup", "dynamodb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A key that a role must be able to use, and for what."""

    key: Key
    of: str
    """What is under the key, such as `vault orders`."""
    actions: tuple[str, ...] = USING
    granted_by: str = BACKUP
    """The service that asks for grants."""
    doubt: str = ""
    """Why it is not certain that the role needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the key's policy says to a role."""

    allowed: bool | None
    """The role itself, or everybody."""
    left_to_iam: bool | None
    denied: bool | None


def refusals(role: Role, policies: Sequence[NamedPolicy], need: Need) -> Iterator[str | Gap]:
    """What a role may not do with a key that it needs, and why; a Gap where that cannot be told."""
    refused: dict[str, list[str]] = {}
    unsure: list[str] = []
    for action in need.actions:
        why = _refusal(role, policies, need, action)
        if why is None:
            unsure.append(action)
        elif why:
            refused.setdefault(why, []).append(action)
    for why, actions in refused.items():
        text = f"it may not {', '.join(actions)} with the key of {need.of}: {why}"
        yield open_question(role, f"{need.doubt}; {text}") if need.doubt else text
    if unsure and not refused:
        yield _unsure(role, need, unsure)


def _refusal(role: Role, policies: Sequence[NamedPolicy], need: Need, action: str) -> str | None:
    """Why a role may not use a key; empty where it may, None where that is not known."""
    contexts = [_context(role, need.key, action, service) for service in _services(need, action)]
    own = _leaning([say(policies, action, need.key.arn, context | _aliases(need.key)) for context in contexts])
    access = _leaning_access([access_of(role.arn, need.key, action, context) for context in contexts])
    let_in = any_of((access.allowed, access.left_to_iam))
    if own.denied:
        return "its own policies deny it"
    if access.denied:
        return "the key's policy denies it"
    if let_in is False:
        return "the key's policy neither allows it nor leaves it to IAM"
    alone = access.allowed if role.account == need.key.account else False
    if own.allowed is False and alone is False:
        return f"none of its policies allows it{_known_as(need.key)}"
    granted = alone or (let_in and own.allowed)
    return "" if granted and own.denied is False and access.denied is False else None


def _services(need: Need, action: str) -> tuple[str, str]:
    """The service that a page says asks for it (kms:ViaService), then the other that may.

    AWS's own policies for AWS Backup, which a custom role must equal (advanced-ddb-backup), give data keys through
    DynamoDB alone; the key policy of the page on encryption gives grants through AWS Backup.
    """
    first = need.granted_by if action == CREATE_GRANT else DYNAMODB
    return (first, DYNAMODB if first == BACKUP else BACKUP)


def _context(role: Role, key: Key, action: str, service: str) -> dict[str, tuple[str, ...]]:
    """What a request that a service makes with a role carries.

    ViaService ends in `.amazonaws.com` in all partitions, and GrantIsForAWSResource is of requests about grants only
    (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html).
    """
    grants = action == CREATE_GRANT
    return {
        **by_itself(role.arn, key),
        "kms:viaservice": (f"{service}.{key.region}.amazonaws.com",),
        "kms:grantisforawsresource": ("true",) if grants else (),
        **({"kms:encryptioncontextkeys": ("aws:backup:backup-vault",)} if grants and service == BACKUP else {}),
    }


def by_itself(arn: str, key: Key) -> dict[str, tuple[str, ...]]:
    """What a request carries that a role or user makes of a key without a service in between."""
    return {
        **from_account(arn.split(":")[4]),
        "kms:viaservice": (),
        "aws:principalarn": (arn,),
        "aws:requestedregion": (key.region,),
        "aws:resourceaccount": (key.account,),
    }


def _aliases(key: Key) -> dict[str, tuple[str, ...]]:
    """The key's aliases, for IAM policies; no page says what kms:ResourceAliases means in a key's own
    (https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html)."""
    return {} if isinstance(key.aliases, Gap) else {"kms:resourcealiases": key.aliases}


def access_of(arn: str, key: Key, action: str, context: Context) -> Access:
    """What a key's policy says to a role or user; one that was not read may say anything.

    AWS's own key lets the account's principals in by a policy that nobody can change.
    """
    if key.manager != "CUSTOMER":
        return Access(allowed=True, left_to_iam=False, denied=False)
    policy = key_policy(key)
    if isinstance(policy, Gap):
        return Access(allowed=None, left_to_iam=None, denied=None)
    about = [
        statement
        for statement in policy.statements
        if action_matches(statement, action) and resource_matches(statement, key.arn)
    ]
    account = arn.split(":")[4]
    return Access(
        allowed=any_of(_for(one, arn, context) for one in about if one.effect == "Allow"),
        left_to_iam=any_of(
            holds(one, context) for one in about if one.effect == "Allow" and names_account(one, account)
        ),
        denied=any_of(
            holds(one, context) if names_account(one, account) else _for(one, arn, context)
            for one in about
            if one.effect == "Deny"
        ),
    )


def names_account(statement: Statement, account: str) -> bool:
    """Whether a statement is about an account, whose IAM then decides."""
    named = [who for kind, who in statement.principals if kind == "AWS"]
    return any(who == account or (who.endswith(":root") and who.split(":")[4:5] == [account]) for who in named)


def _for(statement: Statement, arn: str, context: Context) -> bool | None:
    """Whether a statement is about a role or user itself, or about everybody; what NotPrincipal spares of a role's
    sessions is not judged."""
    named = [who for kind, who in statement.principals if kind in ("AWS", "*")]
    if arn in named or "*" in named:
        return holds(statement, context)
    session = f":assumed-role/{role_name(arn)}/"
    return None if statement.not_principals or any(session in who for who in named) else False


def _leaning(found: Sequence[Own]) -> Own:
    return Own(allowed=_lean([one.allowed for one in found]), denied=_lean([one.denied for one in found]))


def _leaning_access(found: Sequence[Access]) -> Access:
    return Access(
        allowed=_lean([one.allowed for one in found]),
        left_to_iam=_lean([one.left_to_iam for one in found]),
        denied=_lean([one.denied for one in found]),
    )


def _lean(answers: Sequence[bool | None]) -> bool | None:
    """The answer for the service of which a page tells; its no is doubted where the other service's would be a yes."""
    first, other = answers
    return any_of((first, False if other is False else None))


def _known_as(key: Key) -> str:
    if isinstance(key.aliases, Gap):
        return ""
    return f" (the key's aliases: {', '.join(key.aliases) or 'none'})"


def _unsure(role: Role, need: Need, actions: Sequence[str]) -> Gap:
    policy = key_policy(need.key)
    if need.key.manager == "CUSTOMER" and isinstance(policy, Gap):
        return policy
    detail = f"whether it may {', '.join(actions)} with the key of {need.of} hangs on a condition"
    if isinstance(need.key.aliases, Gap):
        detail += f", perhaps on the key's aliases, which were not read ({need.key.aliases.code})"
    return open_question(role, f"{detail}, or on a policy that was not read")
