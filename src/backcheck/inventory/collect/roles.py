"""IAM: every role and user in one paged call, and AWS's own simulator asked about those who could destroy backups."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from backcheck.inventory.collect.calls import Calls
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.collect.reply import Reply
from backcheck.inventory.gap import Gap, undecided
from backcheck.inventory.iam import NamedPolicy, PolicyDocument, Role, Simulation, Statement

VAULT_ACTIONS = ("backup:DeleteBackupVault", "backup:DeleteBackupVaultLockConfiguration")
POINT_ACTIONS = ("backup:DeleteRecoveryPoint",)
TABLE_ACTIONS = ("dynamodb:UpdateContinuousBackups",)
KEY_ACTIONS = ("kms:DisableKey", "kms:ScheduleKeyDeletion")

FILTER = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A role, user or group as the account's authorization details have it."""

    kind: str
    name: str
    arn: str
    inline: tuple[NamedPolicy, ...]
    attached: tuple[tuple[str, str], ...]
    """(name, ARN) of the managed policies."""
    groups: tuple[str, ...] = ()
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """A managed policy with its default version."""

    arn: str
    document: PolicyDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Principals:
    """Everyone who can act in the account."""

    everyone: tuple[Principal, ...]
    managed: Mapping[str, PolicyDocument] = field(default_factory=dict)

    def policies(self, principal: Principal, calls: Calls, region: str) -> tuple[NamedPolicy, ...]:
        """Inline and managed; a managed policy that was not given is a Gap."""
        attached = (
            NamedPolicy(name=name, arn=arn, document=self.managed.get(arn) or _untold(calls, region, arn))
            for name, arn in principal.attached
        )
        return (*principal.inline, *attached)

    def role_names(self) -> frozenset[str]:
        """The name of every role."""
        return frozenset(one.name for one in self.everyone if one.role)


async def principals(calls: Calls, region: str) -> Principals | Gap:
    """Every role, user and group with its policies."""
    found = await calls.pages("iam", "GetAccountAuthorizationDetails", region, _page, Filter=FILTER)
    if isinstance(found, Gap):
        return found
    return Principals(
        everyone=tuple(one for one in found if isinstance(one, Principal)),
        managed={one.arn: one.document for one in found if isinstance(one, Managed)},
    )


def roles_of(found: Principals, names: frozenset[str], calls: Calls, region: str) -> tuple[Role, ...]:
    """The roles of those names or ARNs, in order of name; one that does not exist is not among them."""
    return tuple(
        Role(
            name=one.name,
            arn=one.arn,
            account=calls.account,
            created=one.role.created,
            trust=one.role.trust,
            policies=found.policies(one, calls, region),
            boundary_arn=one.role.boundary_arn,
        )
        for one in sorted(found.everyone, key=lambda one: one.name)
        if one.role and (one.name in names or one.arn in names)
    )


async def simulations(
    calls: Calls, region: str, found: Principals, resources: Mapping[tuple[str, ...], tuple[str, ...]]
) -> tuple[Simulation, ...] | Gap:
    """What AWS's simulator says of everyone whose policies name a destroying action. `resources` is by actions."""
    asked = [
        (one, actions, arns)
        for actions, arns in resources.items()
        for one in found.everyone
        if arns and one.kind != "group" and _could(found, one, actions, calls, region)
    ]
    told: list[Simulation] = []
    for reply in await asyncio.gather(*(_simulate(calls, region, one.arn, a, arns) for one, a, arns in asked)):
        if isinstance(reply, Gap):
            return reply
        told += reply
    return tuple(sorted(told, key=lambda one: (one.principal_arn, one.action, one.resource)))


async def _simulate(
    calls: Calls, region: str, arn: str, actions: tuple[str, ...], resources: tuple[str, ...]
) -> tuple[Simulation, ...] | Gap:
    found = await calls.pages(
        "iam",
        "SimulatePrincipalPolicy",
        region,
        lambda page: tuple(one for part in page.parts("EvaluationResults") for one in _simulated(part, arn, resources)),
        about=arn,
        PolicySourceArn=arn,
        ActionNames=list(actions),
        ResourceArns=list(resources),
    )
    if isinstance(found, Gap):
        return found
    told = Counter(one.action.lower() for one in found)
    if silent := [action for action in actions if told[action.lower()] < len(resources)]:
        why = f"it does not say of every resource whether {arn} may {', '.join(silent)}"
        return undecided("iam", "SimulatePrincipalPolicy", why, account=calls.account, resource=arn)
    return found


def _simulated(reply: Reply, arn: str, resources: tuple[str, ...]) -> Iterator[Simulation]:
    """What is said of each resource: the decision at the top is one for all of them, and its EvalResourceName a
    template. "To find the decision for a specific resource, use ResourceSpecificResults" (botocore, EvaluationResult).
    """
    action, named = reply.text("EvalActionName"), reply.maybe_text("EvalResourceName")
    specific = reply.optional_parts("ResourceSpecificResults")
    decisions = [(one.text("EvalResourceName"), one.text("EvalResourceDecision")) for one in specific]
    if not decisions and (named in resources or len(resources) == 1):  # some emulators: a result for each resource
        decisions = [(named if named in resources else resources[0], reply.text("EvalDecision"))]
    for resource, decision in decisions:
        yield Simulation(principal_arn=arn, action=action, resource=resource, decision=decision)


def _could(found: Principals, one: Principal, actions: tuple[str, ...], calls: Calls, region: str) -> bool:
    """Whether any statement allows any of the actions on anything; the simulator then decides. Never a false no."""
    groups = [group for group in found.everyone if group.kind == "group" and group.name in one.groups]
    for holder in (one, *groups):
        for policy in found.policies(holder, calls, region):
            if isinstance(policy.document, Gap) or _allows(policy.document.statements, actions):
                return True
    return False


def _allows(statements: Iterable[Statement], actions: tuple[str, ...]) -> bool:
    for statement in statements:
        if statement.effect != "Allow":
            continue
        if statement.not_actions or any(_covers(p, action) for p in statement.actions for action in actions):
            return True
    return False


def _covers(pattern: str, action: str) -> bool:
    """IAM's actions are not case sensitive; `*` and `?` are its wildcards. A `[` is no wildcard there."""
    return fnmatchcase(action.lower(), pattern.lower().replace("[", "[[]"))


def _untold(calls: Calls, region: str, arn: str) -> Gap:
    return calls.missing("iam", "GetAccountAuthorizationDetails", region, "the policy's document is not given", arn)


def _page(page: Reply) -> tuple[Principal | Managed, ...]:
    found: list[Principal | Managed] = [_role(part) for part in page.parts("RoleDetailList")]
    found += [_user(part) for part in page.parts("UserDetailList")]
    found += [_group(part) for part in page.parts("GroupDetailList")]
    found += [one for part in page.parts("Policies") if (one := _managed(part))]
    return tuple(found)


def _role(reply: Reply) -> Principal:
    name, arn = reply.text("RoleName"), reply.text("Arn")
    boundary = reply.maybe_part("PermissionsBoundary")
    role = Role(
        name=name,
        arn=arn,
        account=arn.split(":")[4],
        created=reply.maybe_time("CreateDate"),
        trust=parse_document(reply.document("AssumeRolePolicyDocument")),
        policies=(),
        boundary_arn=boundary.maybe_text("PermissionsBoundaryArn") if boundary else None,
    )
    return Principal(
        kind="role",
        name=name,
        arn=arn,
        inline=_inline(reply, "RolePolicyList"),
        attached=_attached(reply),
        role=role,
    )


def _user(reply: Reply) -> Principal:
    return Principal(
        kind="user",
        name=reply.text("UserName"),
        arn=reply.text("Arn"),
        inline=_inline(reply, "UserPolicyList"),
        attached=_attached(reply),
        groups=reply.optional_texts("GroupList"),
    )


def _group(reply: Reply) -> Principal:
    return Principal(
        kind="group",
        name=reply.text("GroupName"),
        arn=reply.text("Arn"),
        inline=_inline(reply, "GroupPolicyList"),
        attached=_attached(reply),
    )


def _inline(reply: Reply, key: str) -> tuple[NamedPolicy, ...]:
    return tuple(
        NamedPolicy(name=part.text("PolicyName"), arn=None, document=parse_document(part.document("PolicyDocument")))
        for part in reply.optional_parts(key)
    )


def _attached(reply: Reply) -> tuple[tuple[str, str], ...]:
    parts = reply.optional_parts("AttachedManagedPolicies")
    return tuple((part.text("PolicyName"), part.text("PolicyArn")) for part in parts)


def _managed(reply: Reply) -> Managed | None:
    """The default version; None where it is not among those given, so that who uses it shows a Gap."""
    for version in reply.optional_parts("PolicyVersionList"):
        if version.flag("IsDefaultVersion"):
            return Managed(arn=reply.text("Arn"), document=parse_document(version.document("Document")))
    return None
