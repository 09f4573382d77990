"""What it takes to create, read and delete a resource of one CloudFormation type through the account's own services."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from backcheck.sandbox.cloudformation_properties import fit
from backcheck.template.environment import Environment
from backcheck.template.value import Value

Clients = Callable[[str, str], Any]
"""(service, region) to a boto3 client in the stack's account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Physical:
    """A resource that exists."""

    ref: str
    """What Ref gives, and CloudFormation's physical id."""
    arn: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    """What Fn::GetAtt gives."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """What its delete and read calls need beyond `ref`."""


@dataclass(slots=True, kw_only=True)
class Site:
    """Where one resource is being built."""

    clients: Clients
    environment: Environment
    stack_id: str
    logical_id: str
    properties: dict[str, Any]
    """Plain and known."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The stack's own tags, which go to what it creates."""
    ignored: list[str] = field(default_factory=list)
    """Pointers of properties that the template has and the API, or this model, does not."""

    def call(self, service: str, operation: str, params: Mapping[str, Any], *, region: str = "", at: str = "") -> Any:
        """Call an operation with `params` fitted to its input; `at` is where they stand below Properties.

        Raises ClientError for the service's refusal, PropertyError and ParamValidationError for ours and botocore's.
        """
        client = self.clients(service, region or self.environment.region)
        shape = client.meta.service_model.operation_model(operation).input_shape
        return getattr(client, xform_name(operation))(**fit(dict(params), shape, at, self.ignored))

    def name(self, property_name: str, most: int) -> str:
        """The name that the template gives, else one as CloudFormation makes them, the same in every run.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
        """
        given = self.properties.get(property_name)
        if given is not None:
            return str(given)
        suffix = hashlib.sha256(f"{self.stack_id}/{self.logical_id}".encode()).hexdigest()[:12].upper()
        return f"{self.environment.stack_name}-{self.logical_id}"[: most - 13] + f"-{suffix}"

    def stack_tags(self) -> list[dict[str, str]]:
        """The stack's tags, and those that CloudFormation puts on what it creates.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html
        """
        return [
            *({"Key": key, "Value": value} for key, value in self.tags.items()),
            {"Key": "aws:cloudformation:stack-name", "Value": self.environment.stack_name},
            {"Key": "aws:cloudformation:stack-id", "Value": self.stack_id},
            {"Key": "aws:cloudformation:logical-id", "Value": self.logical_id},
        ]

    def ignore(self, *names: str) -> None:
        """Note properties that are not modelled, where the template has them."""
        self.ignored.extend(f"/{name}" for name in names if name in self.properties)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One resource type."""

    create: Callable[[Site], Physical]
    delete: Callable[[Site, Physical], None]
    configure: Callable[[Site, Physical], None] = lambda _site, _physical: None
    """What is set after it exists; where this is refused, the resource is deleted again."""
    read: Callable[[Site, Physical], Mapping[str, Any]] | None = None
    """The settings that drift detection compares; None where drift is not detected."""
