"""Creates a stack's resources one after the other, and rolls back where a service refuses one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from backcheck.sandbox.cloudformation_kinds import Kind, Physical, ServiceBrokeError, Site
from backcheck.sandbox.cloudformation_properties import Known, PropertyError, refuse_malformed_policies, text_of
from backcheck.sandbox.cloudformation_removal import (
    KEPT_ON_ROLLBACK,
    failed_to,
    is_about_elsewhere,
    service_message,
    settings_of,
    take_down,
)
from backcheck.sandbox.cloudformation_stacks import Account, Stack, StackResource, living_stacks
from backcheck.sandbox.cloudformation_types import KINDS, NESTED, why_not
from backcheck.sandbox.refusal import UNSUPPORTED
from backcheck.template.functions import FunctionError, bind
from backcheck.template.load import Template, load
from backcheck.template.node import Mark, TemplateError
from backcheck.template.result import ResolvedResource, ResolvedTemplate
from backcheck.template.value import Reference, Unresolved, Value

_INVALID = "Properties validation failed for resource"


@dataclass(slots=True)
class Building:
    """A stack while it is being created."""

    into: Account
    stack: Stack
    resolved: ResolvedTemplate
    nest: Callable[[Template, str, Mapping[str, str]], Stack]
    """Deploys the template of a nested stack under a name, with parameters."""
    for_drift: bool = True
    """Whether drift detection can be asked for."""

    def run(self, order: list[ResolvedResource]) -> None:
        """Create the resources in this order, then the outputs; or roll back."""
        self._note_undecided()
        for wanted in order:
            if not self._create(wanted):
                self._roll_back(failed_to("create", [wanted.logical_id]))
                return
        problem = self._put_out()
        if problem:
            self._roll_back(problem)
            return
        for resource in self.stack.resources.values() if self.for_drift else ():
            resource.as_created = settings_of(self.stack, resource, self.into)
        self.stack.move("CREATE_COMPLETE", self.now)

    @property
    def now(self) -> datetime:
        """The sandbox's present."""
        return self.into.world.clock.now()

    def _note_undecided(self) -> None:
        for undecided in self.resolved.undecided:
            resource = self._add(undecided.logical_id, undecided.type, "Delete", undecided.line)
            self._skip(resource, f"whether it is created, or with what, is not known: {undecided.because.reason}")

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
            return self._skip(resource, why_not(wanted.type))
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
            tags=self.stack.tags,
            taken=frozenset(self._names(wanted.type)),
        )
        problem = self._build(kind, site, resource)
        resource.ignored = tuple(dict.fromkeys(site.ignored))
        if problem is None:
            self._tag(resource, site)
            self.stack.record(resource, "CREATE_COMPLETE", self.now)
            return True
        if resource.unresolved or problem.startswith(UNSUPPORTED):
            # Without the part that is not known the refusal says nothing about AWS.
            self._undo(kind, site, resource)
            return self._skip(resource, f"it could not be created here: {problem.removeprefix(f'{UNSUPPORTED}: ')}")
        return self._fail(resource, problem)

    def _names(self, kind: str) -> Iterator[str]:
        """What the resources of a type are called here: the end of an ARN, where Ref gives that."""
        for stack in living_stacks(self.into.world, self.into.account, self.into.region):
            for resource in stack.resources.values():
                if resource.type == kind and resource.physical is not None:
                    yield resource.physical.ref.rpartition(":")[2]

    def _nest(self, resource: StackResource, properties: Mapping[str, Any]) -> bool:
        """Deploy a nested stack whose template lies beside this one, as before `aws cloudformation package`."""
        url = str(properties.get("TemplateURL", ""))
        if not url or "://" in url:
            return self._skip(resource, f"its template {url or 'is not known'} is not at hand")
        given = properties.get("Parameters", {})
        if not isinstance(given, dict):
            return self._fail(resource, f"{_INVALID} {resource.logical_id} with message: Parameters must be a map")
        child = self._nested_template(url, self.resolved.resources[resource.logical_id])
        name = f"{self.stack.name}-{resource.logical_id}"[:128]
        stack = self.nest(child, name, {key: _parameter_text(value) for key, value in given.items()})
        outputs = {f"Outputs.{name}": value for name, value in stack.outputs.items()}
        resource.physical = Physical(ref=stack.id, arn=stack.id, attributes=outputs)
        if stack.status != "CREATE_COMPLETE":
            resource.physical = None
            return self._fail(resource, f"Embedded stack {stack.id} was not successfully created: {stack.failure}")
        self.stack.record(resource, "CREATE_COMPLETE", self.now)
        return True

    def _nested_template(self, url: str, wanted: ResolvedResource) -> Template:
        """The template beside this one. Raises TemplateError with the line that names it where there is none."""
        path = Path(self.resolved.file).parent / url
        try:
            return load(path)
        except TemplateError as error:
            if error.mark.line:  # it is there, and says where it is wrong
                raise
            mark = Mark(line=wanted.line_of("/Properties/TemplateURL"))
            problem = f"nested template {path} {error.message}"
            raise TemplateError(problem, file=self.resolved.file, mark=mark, hint=error.hint) from error

    def _build(self, kind: Kind, site: Site, resource: StackResource) -> str | None:
        """What the service said against it, or None."""
        try:
            self.stack.record(resource, "CREATE_IN_PROGRESS", self.now)
            refuse_malformed_policies(site.properties)
            resource.physical = kind.create(site)
            kind.configure(site, resource.physical)
        except ClientError as error:
            message = service_message(error)
            return f"{UNSUPPORTED}: {message}" if is_about_elsewhere(error) else message
        except ServiceBrokeError as error:
            return f"{UNSUPPORTED}: {error.message}"
        except PropertyError as error:
            return f"{_INVALID} {site.logical_id} with message: {error.message}"
        except ParamValidationError as error:
            return f"{_INVALID} {site.logical_id} with message: {error}"
        return None

    def _tag(self, resource: StackResource, site: Site) -> None:
        """Put CloudFormation's own tags on what AWS Backup has: only a service can set tags that begin with aws:."""
        if resource.type.startswith("AWS::Backup::") and resource.physical is not None and resource.physical.arn:
            region = self.into.world.region(self.into.account, self.into.region)
            tags = region.tags.setdefault(resource.physical.arn, {})
            for tag in site.stack_tags():
                tags.setdefault(tag["Key"], tag["Value"])

    def _undo(self, kind: Kind, site: Site, resource: StackResource) -> None:
        if resource.physical is None:
            return
        with suppress(ClientError, ServiceBrokeError):
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
        self.stack.outputs.clear()
        self.stack.exports.clear()
        self.stack.move("ROLLBACK_IN_PROGRESS", self.now, reason)
        failed = take_down(self.stack, self.into, keep=KEPT_ON_ROLLBACK)
        if failed:
            self.stack.move("ROLLBACK_FAILED", self.now, failed_to("delete", failed))
            return
        self.stack.move("ROLLBACK_COMPLETE", self.now, reason)

    def _look_up(self, reference: Reference) -> Value:
        resource = self.stack.resources[reference.logical_id]
        if resource.physical is None:
            return _unknown(
                reference, f"{resource.type} {resource.logical_id} is not in the sandbox: {resource.skipped}"
            )
        if not reference.attribute:
            return resource.physical.ref
        value = resource.physical.attributes.get(reference.attribute)
        if value is None:
            return _unknown(reference, f"{resource.type} has no attribute {reference.attribute} in the sandbox")
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


def _unknown(reference: Reference, reason: str) -> Unresolved:
    return Unresolved(path=reference.path, line=reference.line, reason=reason)


def _parameter_text(value: Any) -> str:
    return ",".join(map(text_of, value)) if isinstance(value, list) else text_of(value)
