"""Stacks as they are kept: what was wanted, what exists, what happened.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backcheck.errors import Error
from backcheck.sandbox.cloudformation_kinds import Clients, Physical
from backcheck.sandbox.world import World
from backcheck.template.result import ResolvedTemplate
from backcheck.template.value import Unresolved, Value, is_known

if TYPE_CHECKING:
    from backcheck.sandbox.cloudformation_drift import ResourceDrift

GONE = frozenset({"DELETE_COMPLETE"})


class DeployError(Error):
    """A stack that CloudFormation would not even begin to create, or to delete."""

    def __init__(self, code: str, message: str, *, where: str = "", line: int = 0) -> None:
        """`code` is CloudFormation's, such as ValidationError; `line` stands in the file `where`."""
        super().__init__(message, where=where)
        self.code = code
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that is deployed into."""

    world: World
    account: str
    region: str
    clients: Clients


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    """One line of a stack's history."""

    at: datetime
    logical_id: str
    type: str
    physical_id: str
    status: str
    reason: str


@dataclass(slots=True, kw_only=True)
class StackResource:
    """One resource of a stack."""

    logical_id: str
    type: str
    deletion_policy: str
    line: int
    status: str = "CREATE_IN_PROGRESS"
    reason: str = ""
    changed: datetime
    physical: Physical | None = None
    """None where it was not created."""
    skipped: str = ""
    """Why the sandbox did not create what AWS would have."""
    unresolved: tuple[tuple[str, Unresolved], ...] = ()
    """Parts that it was created without: pointer below Properties, and why."""
    ignored: tuple[str, ...] = ()
    """Properties that the sandbox does not model."""
    as_created: Mapping[str, Any] | None = None
    """Its settings when it was created; drift is a difference from these."""

    @property
    def physical_id(self) -> str:
        """CloudFormation's PhysicalResourceId; made up for what exists in name only."""
        if self.physical is not None:
            return self.physical.ref
        return f"not-in-the-sandbox-{self.logical_id}" if self.skipped else ""


@dataclass(slots=True, kw_only=True)
class Stack:
    """One stack."""

    id: str
    name: str
    account: str
    region: str
    template: ResolvedTemplate
    body: str
    tags: Mapping[str, str]
    created: datetime
    status: str = "CREATE_IN_PROGRESS"
    reason: str = ""
    deleted: datetime | None = None
    resources: dict[str, StackResource] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    """Only those that are known, or Unresolved."""
    exports: dict[str, Value] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    """Names of exports that it uses."""
    events: list[StackEvent] = field(default_factory=list)
    drifts: dict[str, tuple[ResourceDrift, ...]] = field(default_factory=dict)
    """Drift detections by id, oldest first."""

    def record(self, resource: StackResource, status: str, at: datetime, reason: str = "") -> None:
        """Move a resource to `status`."""
        resource.status, resource.reason, resource.changed = status, reason, at
        self._event(at, resource.logical_id, resource.type, resource.physical_id, status, reason)

    def move(self, status: str, at: datetime, reason: str = "") -> None:
        """Move the stack itself to `status`."""
        self.status, self.reason = status, reason
        self._event(at, self.name, "AWS::CloudFormation::Stack", self.id, status, reason)

    def _event(self, at: datetime, logical_id: str, kind: str, physical_id: str, status: str, reason: str) -> None:
        event = StackEvent(
            at=at, logical_id=logical_id, type=kind, physical_id=physical_id, status=status, reason=reason
        )
        self.events.append(event)

    @property
    def failure(self) -> str:
        """Why it was not created: the first resource that failed and the service's own words; empty if it was."""
        first = self.first_failure
        if first is not None:
            return f"{first.logical_id}: {first.reason}"
        return self.reason if "ROLLBACK" in self.status else ""

    @property
    def first_failure(self) -> StackEvent | None:
        """What AWS said of the resource that it refused first; None if it refused none."""
        return next((event for event in self.events if event.status == "CREATE_FAILED"), None)

    @property
    def not_created(self) -> tuple[StackResource, ...]:
        """Resources that AWS would have created and the sandbox did not, each with its reason."""
        return tuple(resource for resource in self.resources.values() if resource.skipped)

    @property
    def incomplete(self) -> tuple[StackResource, ...]:
        """Resources that stand here without a part that could not be resolved: no verdict on them is final."""
        return tuple(resource for resource in self.resources.values() if resource.unresolved)


class StackReader:
    """What other stacks of the account put out; notes which exports were used."""

    def __init__(self, world: World, account: str, region: str) -> None:
        """For a template of this account and Region."""
        self._world, self._account, self._region = world, account, region
        self.used: set[str] = set()

    def exported(self, name: str) -> Value | None:
        """An export of this Region."""
        for stack in living_stacks(self._world, self._account, self._region):
            if name in stack.exports:
                self.used.add(name)
                return stack.exports[name]
        return None

    def output(self, *, stack_name: str, output_name: str, region: str) -> Value | None:
        """An output of a stack of this account."""
        stack = find_stack(self._world, self._account, region, stack_name)
        value = stack.outputs.get(output_name) if stack else None
        return value if value is not None and is_known(value) else None


def stacks_of(world: World, account: str, region: str) -> dict[str, Stack]:
    """The Region's stacks by id, deleted ones included."""
    return world.region(account, region).stacks


def living_stacks(world: World, account: str, region: str) -> Iterator[Stack]:
    """The Region's stacks that are not deleted, oldest first."""
    return (stack for stack in stacks_of(world, account, region).values() if stack.status not in GONE)


def find_stack(world: World, account: str, region: str, name_or_id: str) -> Stack | None:
    """The living stack of that name, or any stack of that id."""
    by_id = stacks_of(world, account, region).get(name_or_id)
    if by_id is not None:
        return by_id
    return next((stack for stack in living_stacks(world, account, region) if stack.name == name_or_id), None)
