"""Vault access policies: who is denied what on a vault, and who may copy into it from another account.

https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html
"""

from __future__ import annotations

import json

from backcheck.sandbox.iam_policy import Decision, Request, decide, statements
from backcheck.sandbox.refusal import Refusal, invalid

COPY_INTO = "backup:CopyIntoBackupVault"


def validate(policy: str) -> None:
    """A policy must be JSON with statements, and 'access policies don't support a wildcard in the Action key'."""
    try:
        found = list(statements(policy))
    except (ValueError, AttributeError):
        invalid("The specified policy is not a valid policy document")
    if not found:
        invalid("The specified policy has no statement")
    for statement in found:
        if "Effect" not in statement or not ({"Principal", "NotPrincipal"} & statement.keys()):
            invalid("A statement of a vault access policy needs Effect and Principal")
        actions = statement.get("Action")
        if any("*" in action for action in (actions if isinstance(actions, list) else [actions or ""])):
            invalid(f"The specified policy has a wildcard in Action: {json.dumps(actions)}")


def check(policy: str | None, *, caller: str, action: str, resource: str) -> None:
    """Raise AccessDeniedException where the policy denies; within the account it takes nothing else to be allowed."""
    if policy is None:
        return
    request = Request(action=action, resource=resource, context=_context(caller), principal=caller)
    if decide([policy], request) is Decision.EXPLICIT_DENY:
        message = f"User: {caller} is not authorized to perform: {action} on resource: {resource} "
        raise Refusal("AccessDeniedException", message + "with an explicit deny in a resource-based policy")


def allows_copy(policy: str | None, *, from_account: str, role_arn: str, vault_arn: str) -> bool:
    """'You must Allow the access policy backup:CopyIntoBackupVault'; without it a copy from elsewhere is denied."""
    request = Request(action=COPY_INTO, resource=vault_arn, context=_context(role_arn), principal=role_arn)
    return policy is not None and decide([policy], request) is Decision.ALLOWED


def _context(caller: str) -> dict[str, tuple[str, ...]]:
    account = caller.split(":")[4] if caller.startswith("arn:") else ""
    return {
        "aws:principalarn": (caller,),
        "aws:principalaccount": (account,),
        "aws:userid": (caller.rsplit("/", 1)[-1] if "/" in caller else account,),
    }
