"""What it takes to create, read and delete a resource of one CloudFormation type through the account's own services."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from backcheck.errors import Error
from backcheck.sandbox import shapes
from backcheck.sandbox.cloudformation_properties import PropertyError, fit, mismatch, text_of
from backcheck.sandbox.operations import OWN_SERVICES
from backcheck.template.environment import Environment
from backcheck.template.value import Value

Clients = Callable[[str, str], Any]
"""(service, region) to a boto3 client in the stack's account."""


class ServiceBrokeError(Error):
    """The sandbox's service could not take a request. It says nothing about AWS."""


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
    taken: frozenset[str] = frozenset()
    """What the resources of this type are called that stacks have made here."""
    ignored: list[str] = field(default_factory=list)
    """Pointers of properties that the template has and the API, or this model, does not."""

    def call(self, service: str, operation: str, params: Mapping[str, Any], *, region: str = "", at: str = "") -> Any:
        """Call an operation with `params` fitted to its input; `at` is where they stand below Properties.

        Raises ClientError for the service's refusal, PropertyError and ParamValidationError for ours and botocore's,
        ServiceBrokeError where moto could not take it.
        """
        client = self.clients(service, region or self.environment.region)
        shape = client.meta.service_model.operation_model(operation).input_shape
        fitted = fit(dict(params), shape, at, self.ignored)
        if service not in OWN_SERVICES:  # ours check their own requests; moto's take names and lengths that AWS refuses
            for problem in shapes.problems(shape, fitted, strict=False):
                raise PropertyError(f"#{at}: {problem}")
        try:
            return getattr(client, xform_name(operation))(**fitted)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            # moto trusts the shape of documents that botocore does not check, such as policies.
            raise ServiceBrokeError(f"{service}:{operation} broke on it: {type(error).__name__}: {error}") from error

    def name(self, property_name: str, most: int) -> str:
        """The name that the template gives, else one as CloudFormation makes them, the same in every run.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
        """
        if property_name in self.properties:
            return self.required(property_name)
        suffix = hashlib.sha256(f"{self.stack_id}/{self.logical_id}".encode()).hexdigest()[:12].upper()
        return f"{self.environment.stack_name}-{self.logical_id}"[: most - 13] + f"-{suffix}"

    def free_name(self, property_name: str, most: int) -> str:
        """The same, for a service that would overwrite what has the name. Raises PropertyError where something has.

        "Resource names must be unique across all your active stacks" (aws-properties-name).
        """
        found = self.name(property_name, most)
        if found in self.taken:
            raise PropertyError(f"#/{property_name}: {found} already exists")
        return found

    def required(self, name: str) -> str:
        """A property that is a string. Raises PropertyError where the template does not have it."""
        value = self.properties.get(name)
        if value is None:
            raise PropertyError(f"#: required key [{name}] not found")
        if isinstance(value, (dict, list)):
            raise mismatch("String", value, f"/{name}")
        return text_of(value)

    def is_on(self, name: str, *, default: bool = False) -> bool:
        """A boolean property, also one given as a string."""
        return text_of(self.properties.get(name, default)).lower() == "true"

    def texts(self, name: str) -> list[str]:
        """A property that is a list of strings; empty where the template does not have it."""
        return [text_of(item) for item in self._items(name)]

    def maps(self, name: str) -> list[dict[str, Any]]:
        """A property that is a list of maps; empty where the template does not have it."""
        return [self._map(item, f"/{name}/{index}") for index, item in enumerate(self._items(name))]

    def map(self, name: str) -> dict[str, Any] | None:
        """A property that is a map; None where the template does not have it."""
        value = self.properties.get(name)
        return None if value is None else self._map(value, f"/{name}")

    def tag_map(self) -> dict[str, str]:
        """The property Tags, a list of Key and Value, by key."""
        return {text_of(tag.get("Key", "")): text_of(tag.get("Value", "")) for tag in self.maps("Tags")}

    def _items(self, name: str) -> list[Any]:
        value = self.properties.get(name, [])
        if not isinstance(value, list):
            raise mismatch("JSONArray", value, f"/{name}")
        return value

    def _map(self, value: Any, pointer: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise mismatch("JSONObject", value, pointer)
        return value

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

    def take(self, *names: str) -> None:
        """Note every property but these: for a type whose properties are picked one by one."""
        self.ignore(*(name for name in self.properties if name not in names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One resource type."""

    create: Callable[[Site], Physical]
    delete: Callable[[Site, Physical], None]
    configure: Callable[[Site, Physical], None] = lambda _site, _physical: None
    """What is set after it exists; where this is refused, the resource is deleted again."""
    read: Callable[[Site, Physical], Mapping[str, Any]] | None = None
    """The settings that drift detection compares; None where drift is not detected."""
