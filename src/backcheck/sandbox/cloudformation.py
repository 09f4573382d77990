"""Deploys resolved templates into the sandbox.

Each resource is created by calls to the account's own services, in the order of its dependencies, and not by moto's
CloudFormation. A service's refusal then is the service's own, with its code and message, and rolls the stack back;
moto's engine has few of the types that backups need, drops properties that it does not know, and turns a service's
error into a reply that clients cannot read. What moto's CloudFormation would answer is answered from here as well
(cloudformation_operations).

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from backcheck.sandbox.cloudformation_build import Building
from backcheck.sandbox.cloudformation_stacks import Account, DeployError, Stack, StackReader, find_stack, stacks_of
from backcheck.template.environment import Environment
from backcheck.template.load import Template
from backcheck.template.resolve import resolve, transforms_of
from backcheck.template.result import ResolvedResource, ResolvedTemplate

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_IDENTITIES: Mapping[str, str] = {
    "AWS::IAM::AccessKey": "UserName?",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "PolicyName?",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "GroupName?",
}
"""Types that need a capability, and the property that is their custom name; `?` where they have none."""


def deploy(
    template: Template,
    *,
    into: Account,
    stack_name: str,
    parameters: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    capabilities: frozenset[str] | None = None,
    body: str = "",
    inside: tuple[str, ...] = (),
    for_drift: bool = True,
) -> Stack:
    """Create a stack of `template`: CREATE_COMPLETE, or ROLLBACK_COMPLETE with the service's words in `failure`.

    Stacks that came before, in this Region and for Fn::GetStackOutput in others, serve its imports. Raises
    TemplateError for a template that CloudFormation would refuse, DeployError for a name that is taken or not a name,
    and for a capability that is missing; None acknowledges all of them. `inside` are the files of the stacks that this
    one is nested in. `for_drift`: every resource is read once it is there, which drift detection compares with; it
    takes as long as to create them.
    """
    if template.file in inside:
        raise DeployError("ValidationError", "a stack is nested in itself", where=template.file)
    if not _NAME.fullmatch(stack_name):
        raise DeployError("ValidationError", f"{stack_name!r} is no name for a stack")
    if find_stack(into.world, into.account, into.region, stack_name):
        raise DeployError("AlreadyExistsException", f"Stack [{stack_name}] already exists")
    reader = StackReader(into.world, into.account, into.region)
    environment = Environment(
        account_id=into.account,
        region=into.region,
        stack_name=stack_name,
        stack_id=into.world.region(into.account, into.region).arn(
            "cloudformation", f"stack/{stack_name}/{into.world.new_id()}"
        ),
        other_stacks=reader,
    )
    resolved = resolve(template, parameters=parameters, environment=environment)
    if capabilities is not None:
        _check_capabilities(template, resolved, capabilities)
    order = _in_order(resolved)
    stack = _new_stack(into, resolved, body, tags or {})
    stack.imports = reader.used

    def nest(child: Template, name: str, given: Mapping[str, str]) -> Stack:
        around = (*inside, template.file)
        return deploy(
            child, into=into, stack_name=name, parameters=given, tags=tags, inside=around, for_drift=for_drift
        )

    Building(into, stack, resolved, nest, for_drift).run(order)
    return stack


def _check_capabilities(template: Template, resolved: ResolvedTemplate, given: frozenset[str]) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, Capabilities."""
    identities = [r for r in resolved.resources.values() if r.type in _IDENTITIES]
    needed = ""
    if any(_IDENTITIES[resource.type] in resource.properties for resource in identities):
        needed = "CAPABILITY_NAMED_IAM"
    elif identities and "CAPABILITY_NAMED_IAM" not in given:
        needed = "CAPABILITY_IAM"
    if transforms_of(template) and "CAPABILITY_AUTO_EXPAND" not in given:
        needed = "CAPABILITY_AUTO_EXPAND"
    if needed and needed not in given:
        raise DeployError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def _new_stack(into: Account, resolved: ResolvedTemplate, body: str, tags: Mapping[str, str]) -> Stack:
    now, environment = into.world.clock.now(), resolved.environment
    stack = Stack(
        id=environment.stack_id,
        name=environment.stack_name,
        account=into.account,
        region=into.region,
        template=resolved,
        body=body,
        tags=tags,
        created=now,
    )
    stacks_of(into.world, into.account, into.region)[stack.id] = stack
    stack.move("CREATE_IN_PROGRESS", now, "User Initiated")
    return stack


def _in_order(resolved: ResolvedTemplate) -> list[ResolvedResource]:
    """Resources so that each comes after what it depends on, else in file order. Raises DeployError for a circle."""
    ordered: dict[str, ResolvedResource] = {}
    waiting = dict(resolved.resources)
    while waiting:
        ready = [r for r in waiting.values() if all(name in ordered for name in r.depends_on)]
        if not ready:
            names, first = ", ".join(waiting), next(iter(waiting.values()))
            problem = f"Circular dependency between resources: [{names}]"
            raise DeployError("ValidationError", problem, where=resolved.file, line=first.line)
        for resource in ready:
            ordered[resource.logical_id] = waiting.pop(resource.logical_id)
    return list(ordered.values())
