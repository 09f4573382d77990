"""SimulatePrincipalPolicy: what a role's or a user's identity policies allow.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html. Evaluated: the principal's inline
and attached policies, a user's groups, its permissions boundary, PolicyInputList, and the caller's context entries.
Not evaluated: service control policies, session policies and resource policies; a request that passes one of those is
refused as unsupported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends

from backcheck.sandbox import roles
from backcheck.sandbox.iam_policy import Decision, Request, decide
from backcheck.sandbox.operations import Call, Reply, operation
from backcheck.sandbox.refusal import Refusal, Unsupported

PAGE = 100
RESTRICTIVE_FIRST = (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY, Decision.ALLOWED)


@operation("iam", "SimulatePrincipalPolicy")
def simulate_principal_policy(call: Call) -> Reply:
    """One result for each action, and in it one for each resource that was named."""
    params = call.params
    if params.get("ResourcePolicy") or params.get("PermissionsBoundaryPolicyInputList"):
        raise Unsupported("resource policies and boundaries as input of a simulation")
    principal = _principal(call, params["PolicySourceArn"])
    documents = [*_identity_documents(call, principal), *(params.get("PolicyInputList") or ())]
    boundary = _boundary(call, principal)
    context = _context(call, principal.arn)
    resources = params.get("ResourceArns") or ["*"]
    results = [
        _result(
            action,
            {
                resource: _decision(documents, boundary, Request(action=action, resource=resource, context=context))
                for resource in resources
            },
        )
        for action in params["ActionNames"]
    ]
    start = int(params.get("Marker") or 0)
    end = start + (params.get("MaxItems") or PAGE)
    reply: dict[str, Any] = {"EvaluationResults": results[start:end], "IsTruncated": end < len(results)}
    return {**reply, "Marker": str(end)} if end < len(results) else reply


def _decision(documents: list[str], boundary: str | None, request: Request) -> Decision:
    decision = decide(documents, request)
    if boundary is not None and decision is Decision.ALLOWED:
        decision = decide([boundary], request)
    return decision


def _result(action: str, decisions: Mapping[str, Decision]) -> dict[str, Any]:
    """At the top the most restrictive of all, without the resource: AWS has a template there (EvaluationResult)."""
    worst = next(one for one in RESTRICTIVE_FIRST if one in decisions.values())
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalDecision": str(worst),
        "MatchedStatements": [],
        "MissingContextValues": [],
    }
    if list(decisions) == ["*"]:
        return {**result, "EvalResourceName": "*"}
    specific = [{"EvalResourceName": name, "EvalResourceDecision": str(one)} for name, one in decisions.items()]
    return {**result, "ResourceSpecificResults": specific}


def _principal(call: Call, arn: str) -> Any:
    backend = iam_backends[call.region.account]["aws"]
    every: tuple[Any, ...] = (*backend.roles.values(), *backend.users.values(), *backend.groups.values())
    found = next((principal for principal in every if principal.arn == arn), None)
    if found is None:
        raise Refusal("NoSuchEntity", f"The principal {arn} cannot be found")
    return found


def _identity_documents(call: Call, principal: Any) -> list[str]:
    documents = roles.policies_of(principal)
    if ":user/" in principal.arn:
        for group in iam_backends[call.region.account]["aws"].get_groups_for_user(principal.name):
            documents += roles.policies_of(group)
    return documents


def _boundary(call: Call, principal: Any) -> str | None:
    arn = getattr(principal, "permissions_boundary_arn", None)
    if arn is None:
        return None
    return roles.default_document(iam_backends[call.region.account]["aws"].get_policy(arn))


def _context(call: Call, arn: str) -> dict[str, tuple[str, ...]]:
    given = {
        entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues") or ())
        for entry in call.params.get("ContextEntries") or ()
    }
    return {"aws:principalarn": (arn,), "aws:principalaccount": (arn.split(":")[4],), **given}
