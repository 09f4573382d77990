"""The least IAM policy that an audit of a policy needs, and what of it a caller lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backcheck.inventory.operations import OPERATIONS, Need, Operation
from backcheck.inventory.regions import regions_of
from backcheck.policy.model import Account, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An action that the caller may not perform."""

    action: str
    resource: str
    decision: str


def needs(policy: Policy) -> frozenset[Need]:
    """What a policy asks for. Tags always: a selection of the account may be by tags, which nobody knows beforehand."""
    found = {Need.ALWAYS, Need.TAGS}
    if policy.validation is not None:
        found.add(Need.ALERTS)
    if policy.drill is not None:
        found.add(Need.DRILL)
    if policy.roles.names:
        found.add(Need.ROLES)
    return frozenset(found)


def operations(policy: Policy) -> tuple[Operation, ...]:
    """The operations that an audit of this policy calls and that need a permission."""
    wanted = needs(policy)
    return tuple(operation for operation in OPERATIONS if operation.action and operation.need in wanted)


def document(policy: Policy, account: Account, *, partition: str = "aws") -> Mapping[str, Any]:
    """An IAM policy document for one account of the policy: reads only, limited to its regions where AWS lets it be."""
    by_resource: dict[tuple[str, ...], list[str]] = {}
    for operation in operations(policy):
        resources = tuple(_resources(operation, policy, account, partition))
        by_resource.setdefault(resources, []).append(operation.action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": _sid(resources), "Effect": "Allow", "Action": sorted(actions), "Resource": _shown(resources)}
            for resources, actions in sorted(by_resource.items())
        ],
    }


def samples(policy: Policy, account: Account, *, partition: str = "aws") -> Iterator[tuple[str, str]]:
    """(action, a resource to simulate it on); `*` in an ARN stands for any name."""
    for operation in operations(policy):
        for resource in _resources(operation, policy, account, partition):
            yield operation.action, resource


def missing(results: Iterable[Mapping[str, Any]]) -> tuple[Missing, ...]:
    """What SimulatePrincipalPolicy does not allow, sorted."""
    found = (
        Missing(
            action=result["EvalActionName"],
            resource=result.get("EvalResourceName", "*"),
            decision=result["EvalDecision"],
        )
        for result in results
        if result["EvalDecision"] != "allowed"
    )
    return tuple(sorted(found, key=lambda one: (one.action, one.resource)))


def _resources(operation: Operation, policy: Policy, account: Account, partition: str) -> Iterator[str]:
    if "{region}" not in operation.resource:
        yield operation.resource.format(partition=partition, account=account.id)
        return
    for region in regions_of(policy, account):
        yield operation.resource.format(partition=partition, account=account.id, region=region)


def _shown(resources: tuple[str, ...]) -> str | list[str]:
    return resources[0] if len(resources) == 1 else list(resources)


def _sid(resources: tuple[str, ...]) -> str:
    """Named for the service and the kind of resource."""
    if not resources or resources[0] == "*":
        return "WithoutResource"
    service, name = resources[0].split(":")[2], resources[0].split(":", 5)[5]
    kind = "".join(part.capitalize() for part in name.replace("/", ":").split(":")[0].split("-") if part != "*")
    return f"{service.capitalize()}{kind}"
