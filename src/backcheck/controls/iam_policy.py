"""What a policy document allows: three-valued, for conditions and unread documents leave it open.

An explicit deny outweighs any allow, and nothing is allowed that no statement allows:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backcheck.controls.conditions import BY_A_SERVICE, NOTHING_KNOWN, Context, all_of, any_of, holds, matches
from backcheck.inventory.gap import Gap
from backcheck.inventory.iam import NamedPolicy, PolicyDocument, Statement

ANYONE = (("*", "*"), ("AWS", "*"))


def action_matches(statement: Statement, action: str) -> bool:
    """Whether a statement is about an action; names are case-insensitive (IAM, Action element)."""
    wanted = action.lower()
    if statement.not_actions:
        return not any(matches(pattern.lower(), wanted) for pattern in statement.not_actions)
    return any(matches(pattern.lower(), wanted) for pattern in statement.actions)


def resource_matches(statement: Statement, resource: str) -> bool:
    """Whether a statement is about a resource. A trust or topic policy without Resource is about its own."""
    if statement.not_resources:
        return not any(matches(pattern, resource) for pattern in statement.not_resources)
    return not statement.resources or any(matches(pattern, resource) for pattern in statement.resources)


def principal_matches(statement: Statement, kind: str, value: str) -> bool:
    """Whether a statement of a resource's policy is about a principal such as (`Service`, `backup.amazonaws.com`)."""
    if statement.not_principals:
        return (kind, value) not in statement.not_principals
    if statement.effect == "Deny" and any(who in ANYONE for who in statement.principals):
        return True  # services too: a Deny that is to spare them says so by aws:PrincipalIsAWSService
    return any(
        (found, who) in ANYONE[:1] or (found, who) == (kind, value) or (found == kind == "AWS" and who == "*")
        for found, who in statement.principals
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What policies say of a request; None: it hangs on what a condition asks, or on a text that was not read."""

    allowed: bool | None
    denied: bool | None

    @property
    def verdict(self) -> bool | None:
        """Whether it is let through: an explicit deny outweighs any allow."""
        return all_of((self.allowed, None if self.denied is None else not self.denied))


def say(policies: Sequence[NamedPolicy], action: str, resource: str, context: Context = NOTHING_KNOWN) -> Says:
    """What a role's own policies say of an action on a resource."""
    documents = [policy.document for policy in policies]
    unread = [None for document in documents if isinstance(document, Gap)]
    about = [
        statement
        for document in documents
        if not isinstance(document, Gap)
        for statement in document.statements
        if action_matches(statement, action) and resource_matches(statement, resource)
    ]
    return Says(
        allowed=any_of([*unread, *(holds(one, context) for one in about if one.effect == "Allow")]),
        denied=any_of([*unread, *(holds(one, context) for one in about if one.effect == "Deny")]),
    )


def allows(
    policies: Sequence[NamedPolicy], action: str, resource: str, context: Context = NOTHING_KNOWN
) -> bool | None:
    """Whether a role's own policies allow an action on a resource; None where a text was not read."""
    return say(policies, action, resource, context).verdict


def admits(document: PolicyDocument, service: str, action: str, resource: str) -> tuple[bool, tuple[Statement, ...]]:
    """Whether a resource's policy has a statement that lets a service in, and those statements.

    Conditions on the source (aws:SourceArn, aws:SourceAccount) are what AWS recommends there, so they do not count
    against it; the caller may look at them. An explicit deny without conditions does, and `denials` gives the others.
    """
    about = [
        statement
        for statement in document.statements
        if principal_matches(statement, "Service", service)
        and action_matches(statement, action)
        and resource_matches(statement, resource)
    ]
    if any(statement.effect == "Deny" and not statement.conditions for statement in about):
        return False, ()
    allowing = tuple(statement for statement in about if statement.effect == "Allow")
    return bool(allowing), allowing


def denials(document: PolicyDocument, service: str, action: str, resource: str) -> tuple[Statement, ...]:
    """Statements that deny a service under conditions of which it is not known that a service's call never meets them.

    A Deny for what comes without TLS, or from anybody but a service, spares it.
    """
    return tuple(
        statement
        for statement in document.statements
        if statement.effect == "Deny"
        and statement.conditions
        and principal_matches(statement, "Service", service)
        and action_matches(statement, action)
        and resource_matches(statement, resource)
        and holds(statement, BY_A_SERVICE) is not False
    )
