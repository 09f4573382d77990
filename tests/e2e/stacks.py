"""Our templates into an emulator's CloudFormation, in the order that docs/deploy.md gives."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.emulators import Emulator, until
from tests.e2e.packages import bucket
from tests.e2e.reductions import REDUCTIONS, Template, name_the_bucket
from tests.templates.deploying import ORDER
from tests.templates.reading import template

REGION = {name: region for name, region, _ in ORDER}
PARAMETERS = {name: parameters for name, _, parameters in ORDER}
ORPHAN = "orphan"
"""A prefix whose stacks are in ministack only: in the account that functions call, there is no such table."""
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack that CloudFormation has finished with."""

    name: str
    status: str
    resources: dict[str, dict[str, Any]]
    """By logical id, as ListStackResources tells of them."""
    failures: tuple[str, ...]
    """Why resources could not be created or changed, oldest first."""

    def physical(self, logical_id: str) -> str:
        """The physical id of a resource."""
        return str(self.resources[logical_id]["PhysicalResourceId"])


def packaged(name: str, *, but: Iterable[str] = ()) -> Template:
    """A template as `sam package` leaves it, reduced to what ministack has; without the reductions named in `but`."""
    made: Template = copy.deepcopy(template(name))
    for holder in _with_code(made):
        folder = holder["CodeUri"].rpartition("/")[2]
        holder["CodeUri"] = {"Bucket": bucket(REGION[name]), "Key": f"{folder}.zip"}
    if name == "restore-testing":
        name_the_bucket(made)
    for key, reduction in REDUCTIONS.items():
        if reduction.template == name and key not in but:
            reduction.apply(made)
    return made


def _with_code(made: Template) -> list[dict[str, Any]]:
    functions = [one["Properties"] for one in made["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    return [one for one in (made.get("Globals", {}).get("Function", {}), *functions) if "CodeUri" in one]


def create(into: Emulator, name: str, body: Template, *, stack: str = "", **parameters: str) -> Stack:
    """Create a stack and wait for its end, whatever that is. Raises ClientError where the template is refused."""
    cloudformation = into.client("cloudformation", REGION[name])
    stack = stack or f"backups-{name}"
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(body),
        Capabilities=CAPABILITIES,
        Parameters=_parameters(PARAMETERS[name] | parameters),
    )
    return ended(cloudformation, stack)


def update(into: Emulator, name: str, body: Template, *, stack: str = "", **parameters: str) -> Stack:
    """Update a stack and wait for its end."""
    cloudformation = into.client("cloudformation", REGION[name])
    stack = stack or f"backups-{name}"
    cloudformation.update_stack(
        StackName=stack,
        TemplateBody=json.dumps(body),
        Capabilities=CAPABILITIES,
        Parameters=_parameters(PARAMETERS[name] | parameters),
    )
    return ended(cloudformation, stack)


def _parameters(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def ended(cloudformation: Any, stack: str) -> Stack:
    """A stack once nothing of it is in progress."""

    def status() -> str:
        said = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        return "" if said.endswith("IN_PROGRESS") else said

    final = until(status, f"the end of stack {stack}", seconds=120)
    listed = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED")]
    return Stack(
        name=stack,
        status=final,
        resources={one["LogicalResourceId"]: one for one in listed},
        failures=tuple(
            f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}" for one in reversed(failed)
        ),
    )
