"""The operations that the sandbox itself answers, and what each is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backcheck.sandbox.world import Region, World

Reply = Mapping[str, Any]
"""A reply under the member names of botocore's model; datetimes as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, parsed by botocore's model."""

    world: World
    region: Region
    params: dict[str, Any]
    """Under the member names of the operation's input shape."""
    caller: str
    """The ARN of whoever signed the request; an account's root where nobody is known."""
    response: Any = None
    """moto's response object, for operations that change only a part of what moto answers."""

    @property
    def now(self) -> datetime:
        """The sandbox's present."""
        return self.world.clock.now()


@dataclass(frozen=True, slots=True)
class Raw:
    """A reply that is JSON already."""

    body: str


Handler = Callable[[Call], Reply | Raw]

OPERATIONS: dict[tuple[str, str], Handler] = {}
"""(service as boto3 names it, operation) to its handler."""

OWN_SERVICES = frozenset({"backup", "cloudformation"})
"""Services of which nothing is left to moto: an operation without a handler is unsupported."""


def operation(service: str, name: str) -> Callable[[Handler], Handler]:
    """Register a handler. Each operation has one."""

    def register(handler: Handler) -> Handler:
        if (service, name) in OPERATIONS:
            raise AssertionError(f"{service}:{name} is answered twice")
        OPERATIONS[(service, name)] = handler
        return handler

    return register
