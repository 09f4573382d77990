"""Requests and replies against botocore's model: the part of the contract that AWS publishes for machines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.model import OperationModel, Shape
from botocore.parsers import create_parser

from backcheck.sandbox.refusal import Refusal

SYSTEM_BACKUP = "$DeletedTableBackup"
"""AWS names these backups so (PointInTimeRecovery_Howitworks), against its own model's pattern of BackupName."""

checking_replies = False
"""Whether our own replies are checked too; the tests turn it on."""


def check_request(service: str, operation: OperationModel, params: Mapping[str, Any]) -> None:
    """Raise the service's parameter error for the first thing that the input shape does not allow."""
    if operation.input_shape is None:
        return
    problem = next(problems(operation.input_shape, params, strict=False), None)
    if problem is None:
        return
    missing = problem.startswith("missing")
    if service == "backup":
        raise Refusal(f"{'MissingParameterValue' if missing else 'InvalidParameterValue'}Exception", problem)
    raise Refusal("ValidationException", problem)


def check_reply(operation: OperationModel, reply: Mapping[str, Any]) -> None:
    """Raise AssertionError for a reply that AWS's model does not allow, while `checking_replies`."""
    if not checking_replies:
        return
    if operation.output_shape is None:
        if reply:
            raise AssertionError(f"{operation.name} has no output, but got {sorted(reply)}")
        return
    found = list(problems(operation.output_shape, reply, strict=True))
    if found:
        raise AssertionError(f"{operation.name} replied against its shape: {'; '.join(found)}")


def check_wire(operation: OperationModel, status: int, headers: Mapping[str, Any], body: str | bytes) -> None:
    """The same for a reply that moto wrote: what botocore reads out of it must fit the shape."""
    if not checking_replies or status >= 300 or operation.output_shape is None:
        return
    raw = body.encode() if isinstance(body, str) else body
    parser = create_parser(operation.service_model.resolved_protocol)
    parsed = parser.parse({"status_code": status, "headers": headers, "body": raw}, operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    found = list(problems(operation.output_shape, parsed, strict=True))
    if found:
        raise AssertionError(f"{operation.name} replied against its shape: {'; '.join(found)}")


def problems(shape: Shape, value: Any, *, strict: bool, path: str = "") -> Iterator[str]:
    """What is wrong with a value. `strict` also asks for known members only and for the exact type of scalars."""
    check = _CHECKS.get(shape.type_name, _scalar)
    yield from check(shape, value, strict, path or shape.name)


def _structure(shape: Any, value: Any, strict: bool, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} is no structure: {value!r}"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"missing {path}.{name}"
    for name, item in value.items():
        if name not in shape.members:
            if strict:
                yield f"unknown {path}.{name}"
        elif item is not None:
            yield from problems(shape.members[name], item, strict=strict, path=f"{path}.{name}")
        elif strict:
            yield f"{path}.{name} is None"


def _list(shape: Any, value: Any, strict: bool, path: str) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        yield f"{path} is no list: {value!r}"
        return
    if not strict:  # replies of AWS itself leave their bounds: NumberOfDecreasesToday is 0, its minimum 1
        yield from _bounds(shape, len(value), path)
    for place, item in enumerate(value):
        yield from problems(shape.member, item, strict=strict, path=f"{path}[{place}]")


def _map(shape: Any, value: Any, strict: bool, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} is no map: {value!r}"
        return
    for key, item in value.items():
        yield from problems(shape.key, key, strict=strict, path=f"{path}.{key}")
        yield from problems(shape.value, item, strict=strict, path=f"{path}.{key}")


def _string(shape: Any, value: Any, strict: bool, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path} is no string: {value!r}"
        return
    if not strict:
        yield from _bounds(shape, len(value), path)
    if shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, not one of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value) and not (strict and value.endswith(SYSTEM_BACKUP)):
        yield f"{path} is {value!r}, which does not match {pattern}"


def _number(shape: Any, value: Any, strict: bool, path: str) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"{path} is no integer: {value!r}"
        return
    if not strict:
        yield from _bounds(shape, value, path)


def _boolean(shape: Any, value: Any, strict: bool, path: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{path} is no boolean: {value!r}"


def _timestamp(shape: Any, value: Any, strict: bool, path: str) -> Iterator[str]:
    if strict and not isinstance(value, datetime):
        yield f"{path} is no datetime: {value!r}"


def _scalar(shape: Any, value: Any, strict: bool, path: str) -> Iterator[str]:
    yield from ()


def _bounds(shape: Any, size: int, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"{path} is {size}, below {low}"
    if high is not None and size > high:
        yield f"{path} is {size}, above {high}"


_CHECKS = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
}


def _matches(pattern: str, value: str) -> bool:
    """Whether it matches; a pattern of Java's that Python does not read (`\\p{L}`) is left to AWS."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True
