"""Deploys resolved templates into the sandbox, and takes them away again.

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from botocore.exceptions import ClientError, ParamValidationError

from backcheck.errors import Error
from backcheck.sandbox import (
    cloudformation_alerting,
    cloudformation_backup,
    cloudformation_dynamodb,
    cloudformation_iam,
)
from backcheck.sandbox.cloudformation_kinds import Clients, Kind, Physical, Site
from backcheck.sandbox.cloudformation_properties import Known, PropertyError, text_of
from backcheck.sandbox.cloudformation_stacks import (
    Stack,
    StackReader,
    StackResource,
    find_stack,
    living_stacks,
    stacks_of,
)
from backcheck.sandbox.refusal import UNSUPPORTED
from backcheck.sandbox.world import World
from backcheck.template.environment import Environment
from backcheck.template.functions import FunctionError, bind
from backcheck.template.load import Template, load
from backcheck.template.resolve import resolve, transforms_of
from backcheck.template.result import ResolvedResource, ResolvedTemplate
from backcheck.template.value import Reference, Unresolved, Value

KINDS: Mapping[str, Kind] = {
    **cloudformation_backup.KINDS,
    **cloudformation_dynamodb.KINDS,
    **cloudformation_iam.KINDS,
    **cloudformation_alerting.KINDS,
}
"""The resource types that are created, by their names."""

NESTED = "AWS::CloudFormation::Stack"
CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")
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
_KEPT_ON_DELETE = frozenset({"Retain", "RetainExceptOnCreate"})


class DeployError(Error):
    """A stack that CloudFormation would not even begin to create, or to delete."""

    def __init__(self, code: str, message: str, *, where: str = "") -> None:
        """`code` is CloudFormation's, such as ValidationError."""
        super().__init__(message, where=where)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that is deployed into."""

    world: World
    account: str
    region: str
    clients: Clients


def deploy(
    template: Template,
    *,
    into: Account,
    stack_name: str,
    parameters: Mapping[str, str] | None = None,
    capabilities: frozenset[str] | None = None,
    body: str = "",
) -> Stack:
    """Create a stack of `template`: status CREATE_COMPLETE, or ROLLBACK_COMPLETE with the service's message in `failure`.

    Stacks that came before, in this Region and for Fn::GetStackOutput in others, serve its imports. Raises TemplateError
    for a template that CloudFormation would refuse, DeployError for a name that is taken or not a name, and for a
    capability that is missing; None acknowledges all of them.
    """
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
    stack = _new_stack(into, resolved, body)
    stack.imports = reader.used
    _Building(into, stack, resolved).run(order)
    return stack


def delete(stack: Stack, *, of: Account) -> None:
    """Delete a stack and what it created, newest first; what its DeletionPolicy retains stays and is no longer its own.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    Raises DeployError while another stack imports one of its exports.
    """
    for other in living_stacks(of.world, stack.account, stack.region):
        used = sorted(other.imports & stack.exports.keys())
        if used and other is not stack:
            raise DeployError("ValidationError", f"Export {used[0]} cannot be deleted as it is in use by {other.name}")
    stack.move("DELETE_IN_PROGRESS", of.world.clock.now())
    failed = _take_down(stack, of, keep=_KEPT_ON_DELETE)
    if failed:
        stack.move("DELETE_FAILED", of.world.clock.now(), _failed_to("delete", failed))
        return
    stack.exports.clear()
    stack.deleted = of.world.clock.now()
    stack.move("DELETE_COMPLETE", stack.deleted)


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


def _new_stack(into: Account, resolved: ResolvedTemplate, body: str) -> Stack:
    now, environment = into.world.clock.now(), resolved.environment
    stack = Stack(
        id=environment.stack_id,
        name=environment.stack_name,
        account=into.account,
        region=into.region,
        template=resolved,
        body=body,
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
            names = ", ".join(waiting)
            raise DeployError(
                "ValidationError", f"Circular dependency between resources: [{names}]", where=resolved.file
            )
        for resource in ready:
            ordered[resource.logical_id] = waiting.pop(resource.logical_id)
    return list(ordered.values())


@dataclass(slots=True)
class _Building:
    into: Account
    stack: Stack
    resolved: ResolvedTemplate
    sites: dict[str, Site] = field(default_factory=dict)

    def run(self, order: list[ResolvedResource]) -> None:
        self._note_undecided()
        for wanted in order:
            if not self._create(wanted):
                self._roll_back(_failed_to("create", [wanted.logical_id]))
                return
        problem = self._put_out()
        if problem:
            self._roll_back(problem)
            return
        self.stack.move("CREATE_COMPLETE", self.now)

    @property
    def now(self) -> Any:
        return self.into.world.clock.now()

    def _note_undecided(self) -> None:
        for undecided in self.resolved.undecided:
            self._add(
                undecided.logical_id, undecided.type, "Delete", undecided.line
            ).skipped = f"whether it is created is not known: {undecided.because.reason}"

    def _add(self, logical_id: str, kind: str, deletion_policy: str, line: int) -> StackResource:
        resource = StackResource(
            logical_id=logical_id, type=kind, deletion_policy=deletion_policy, line=line, changed=self.now
        )
        self.stack.resources[logical_id] = resource
        return resource

    def _create(self, wanted: ResolvedResource) -> bool:
        """False where the service refused, and AWS would have too."""
        resource = self._add(wanted.logical_id, wanted.type, wanted.deletion_policy, wanted.line)
        kind = KINDS.get(wanted.type)
        if kind is None and wanted.type != NESTED:
            return self._skip(resource, _why_not(wanted.type))
        known = Known()
        try:
            properties = known.of(bind(dict(wanted.properties), self._look_up))
        except FunctionError as error:
            return self._fail(resource, error.message)
        resource.unresolved = tuple(known.unresolved)
        if kind is None:
            return self._nest(resource, properties)
        site = Site(
            clients=self.into.clients,
            environment=self.resolved.environment,
            stack_id=self.stack.id,
            logical_id=wanted.logical_id,
            properties=properties,
        )
        problem = self._build(kind, site, resource)
        resource.ignored = tuple(dict.fromkeys(site.ignored))
        if problem is None:
            self.stack.record(resource, "CREATE_COMPLETE", self.now)
            return True
        if resource.unresolved or problem.startswith(UNSUPPORTED):
            # Without the part that is not known the refusal says nothing about AWS.
            self._undo(kind, site, resource)
            return self._skip(resource, f"it could not be created here: {problem}")
        return self._fail(resource, problem)

    def _nest(self, resource: StackResource, properties: Mapping[str, Any]) -> bool:
        """Deploy a nested stack whose template lies beside this one, as before `aws cloudformation package`."""
        url = str(properties.get("TemplateURL", ""))
        if not url or "://" in url:
            return self._skip(resource, f"its template {url or 'is not known'} is not at hand")
        child = load(Path(self.resolved.file).parent / url)
        given = properties.get("Parameters", {})
        stack = deploy(
            child,
            into=self.into,
            stack_name=f"{self.stack.name}-{resource.logical_id}"[:128],
            parameters={key: _parameter_text(value) for key, value in given.items()},
        )
        outputs = {f"Outputs.{name}": value for name, value in stack.outputs.items()}
        resource.physical = Physical(ref=stack.id, arn=stack.id, attributes=outputs)
        if stack.status != "CREATE_COMPLETE":
            resource.physical = None
            return self._fail(resource, f"Embedded stack {stack.id} was not successfully created: {stack.failure}")
        self.stack.record(resource, "CREATE_COMPLETE", self.now)
        return True

    def _build(self, kind: Kind, site: Site, resource: StackResource) -> str | None:
        """What the service said against it, or None."""
        try:
            self.stack.record(resource, "CREATE_IN_PROGRESS", self.now)
            resource.physical = kind.create(site)
            kind.configure(site, resource.physical)
            resource.as_created = kind.read(site, resource.physical) if kind.read else None
        except ClientError as error:
            return service_message(error)
        except PropertyError as error:
            return f"Properties validation failed for resource {site.logical_id} with message: {error.message}"
        except ParamValidationError as error:
            return f"Properties validation failed for resource {site.logical_id} with message: {error}"
        except KeyError as error:
            return f"Properties validation failed for resource {site.logical_id} with message: #: required key [{error.args[0]}] not found"
        return None

    def _undo(self, kind: Kind, site: Site, resource: StackResource) -> None:
        if resource.physical is not None:
            kind.delete(site, resource.physical)
            resource.physical = None

    def _fail(self, resource: StackResource, reason: str) -> bool:
        self.stack.record(resource, "CREATE_FAILED", self.now, reason)
        return False

    def _skip(self, resource: StackResource, why: str) -> bool:
        resource.skipped = why
        self.stack.record(resource, "CREATE_COMPLETE", self.now, f"not in the sandbox: {why}")
        return True

    def _roll_back(self, reason: str) -> None:
        self.stack.move("ROLLBACK_IN_PROGRESS", self.now, reason)
        failed = _take_down(self.stack, self.into, keep=frozenset({"Retain"}))
        if failed:
            self.stack.move("ROLLBACK_FAILED", self.now, _failed_to("delete", failed))
            return
        self.stack.move("ROLLBACK_COMPLETE", self.now, reason)

    def _look_up(self, reference: Reference) -> Value:
        resource = self.stack.resources[reference.logical_id]
        if resource.physical is None:
            return replace_reason(
                reference, f"{resource.type} {resource.logical_id} is not in the sandbox: {resource.skipped}"
            )
        if not reference.attribute:
            return resource.physical.ref
        value = resource.physical.attributes.get(reference.attribute)
        if value is None:
            return replace_reason(reference, f"{resource.type} has no attribute {reference.attribute} in the sandbox")
        return value

    def _put_out(self) -> str:
        """Set the outputs and exports; what is wrong with them, or nothing."""
        for output in self.resolved.outputs.values():
            try:
                self.stack.outputs[output.name] = bind(output.value, self._look_up)
                name = None if output.export_name is None else bind(output.export_name, self._look_up)
            except FunctionError as error:
                return f"Output {output.name}: {error.message}"
            if isinstance(name, str):
                for other in living_stacks(self.into.world, self.stack.account, self.stack.region):
                    if name in other.exports:
                        return f"Export with name {name} is already exported by stack {other.name}"
                self.stack.exports[name] = self.stack.outputs[output.name]
        return ""


def replace_reason(reference: Reference, reason: str) -> Unresolved:
    """Why a reference has no value here."""
    return Unresolved(path=reference.path, line=reference.line, reason=reason)


def _why_not(kind: str) -> str:
    if kind.startswith(CUSTOM):
        return "custom resources are recorded, not run"
    if kind == "AWS::Serverless::Application":
        return "only an account can fetch an application of the Serverless Application Repository"
    return f"{kind} is not modelled: nothing about backups depends on it"


def _parameter_text(value: Any) -> str:
    return ",".join(map(text_of, value)) if isinstance(value, list) else text_of(value)


def _failed_to(verb: str, logical_ids: list[str]) -> str:
    return f"The following resource(s) failed to {verb}: [{', '.join(logical_ids)}]. "


def service_message(error: ClientError) -> str:
    """A service's refusal as CloudFormation reports it, the service's own words inside."""
    response = cast("Mapping[str, Any]", error.response)
    code, message = response["Error"]["Code"], response["Error"]["Message"]
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    prefix = f"{UNSUPPORTED}: " if code == UNSUPPORTED else ""
    return f'{prefix}Resource handler returned message: "{message} (Status Code: {status})" (ErrorCode: {code})'


def _take_down(stack: Stack, account: Account, *, keep: frozenset[str]) -> list[str]:
    """Delete the stack's resources, newest first; the logical ids of those that could not be."""
    failed = []
    for resource in reversed(list(stack.resources.values())):
        now = account.world.clock.now()
        if resource.physical is None or resource.deletion_policy in keep:
            status = "DELETE_COMPLETE" if resource.physical is None else "DELETE_SKIPPED"
            stack.record(resource, status, now)
            continue
        try:
            _remove(stack, resource, resource.physical, account)
        except ClientError as error:
            if is_absent(error):
                stack.record(resource, "DELETE_COMPLETE", now)
                continue
            stack.record(resource, "DELETE_FAILED", now, service_message(error))
            failed.append(resource.logical_id)
            continue
        resource.physical = None
        stack.record(resource, "DELETE_COMPLETE", now)
    return failed


def _remove(stack: Stack, resource: StackResource, physical: Physical, account: Account) -> None:
    if resource.type != NESTED:
        KINDS[resource.type].delete(site_of(stack, resource, account), physical)
        return
    nested = stacks_of(account.world, stack.account, stack.region)[physical.ref]
    if nested.status != "DELETE_COMPLETE":
        delete(nested, of=account)


def is_absent(error: ClientError) -> bool:
    """Whether the service says that there is no such thing."""
    code = str(error.response["Error"]["Code"])
    return code.startswith(("ResourceNotFound", "NoSuchEntity", "NotFound"))


def site_of(stack: Stack, resource: StackResource, account: Account) -> Site:
    """A place to delete or read a resource from, long after it was created."""
    return Site(
        clients=account.clients,
        environment=stack.template.environment,
        stack_id=stack.id,
        logical_id=resource.logical_id,
        properties={},
    )
