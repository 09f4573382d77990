"""The intrinsic functions that need nothing but their argument.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
Each takes values with nothing unknown in them; `apply` sees to that.
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
from collections.abc import Callable, Mapping

import orjson

from backcheck.errors import Error
from backcheck.template.value import Deferred, Lookup, Reference, Unresolved, Value, is_known, unresolved_in

MAX_TEXT = 1_048_576
"""Characters that a function may produce: nested joins must not exhaust the memory."""


DYNAMIC_REFERENCE = "{{resolve:"
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html"""


def dynamic_reference_reason(text: str) -> str:
    """Why a string with a dynamic reference is not known; names the service, never the secret."""
    service = text.partition(DYNAMIC_REFERENCE)[2].partition(":")[0]
    return f"a dynamic reference ({service}) is read when the stack is created"


class FunctionError(Error):
    """A function that CloudFormation would refuse, such as an index out of bounds."""


def apply(function: str, argument: Value, *, path: str, line: int) -> Value:
    """`function` of `argument`: its result, or an Unresolved or a Deferred where part of the argument is not known.

    Raises FunctionError where the argument does not fit the function.
    """
    if function == "Fn::Select":
        return _select(argument, path=path, line=line)
    if function == "Fn::Length" and isinstance(argument, tuple):
        return len(argument)  # known even where the elements are not
    unknown = unresolved_in(argument)
    if unknown:
        return Unresolved(path=path, line=line, reason=unknown[0].reason)
    if not is_known(argument):
        return Deferred(function=function, argument=argument, path=path, line=line)
    result = _FUNCTIONS[function](argument)
    if isinstance(result, str) and DYNAMIC_REFERENCE in result:
        return Unresolved(path=path, line=line, reason=dynamic_reference_reason(result))
    return result


def bind(value: Value, lookup: Lookup) -> Value:
    """`value` with each reference replaced by what `lookup` says, and the functions that waited applied."""
    if isinstance(value, Reference):
        return lookup(value)
    if isinstance(value, Deferred):
        return apply(value.function, bind(value.argument, lookup), path=value.path, line=value.line)
    if isinstance(value, tuple):
        return tuple(bind(item, lookup) for item in value)
    if isinstance(value, Mapping):
        return {key: bind(item, lookup) for key, item in value.items()}
    return value


def as_text(value: Value) -> str:
    """A scalar as CloudFormation writes it into a string. Raises FunctionError for a list or a map."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise FunctionError("a string is needed here, not a list or a map")


def as_index(value: Value) -> int:
    """A whole number, also one given as a string. Raises FunctionError."""
    text = as_text(value)
    if not text.isdecimal() or len(text) > 9:
        raise FunctionError(f"a whole number is needed here, not {text!r}")
    return int(text)


def _pair(argument: Value, name: str) -> tuple[Value, Value]:
    if not isinstance(argument, tuple) or len(argument) != 2:
        raise FunctionError(f"{name} takes a list of two")
    return argument[0], argument[1]


def _join(argument: Value) -> Value:
    delimiter, items = _pair(argument, "Fn::Join")
    if not isinstance(items, tuple):
        raise FunctionError("Fn::Join takes a delimiter and a list of strings")
    texts = [as_text(item) for item in items]
    between = as_text(delimiter)
    if sum(map(len, texts)) + len(between) * len(texts) > MAX_TEXT:
        raise FunctionError(f"the string would be longer than {MAX_TEXT:,} characters")
    return between.join(texts)


def _split(argument: Value) -> Value:
    delimiter, text = _pair(argument, "Fn::Split")
    if not as_text(delimiter):
        raise FunctionError("Fn::Split needs a delimiter")
    return tuple(as_text(text).split(as_text(delimiter)))


def _select(argument: Value, *, path: str, line: int) -> Value:
    """Only the index and the element that it picks need to be known."""
    index, items = _pair(argument, "Fn::Select")
    for part in (index, items):
        if isinstance(part, Unresolved):
            return Unresolved(path=path, line=line, reason=part.reason)
    if isinstance(index, (Reference, Deferred)) or isinstance(items, (Reference, Deferred)):
        unknown = unresolved_in(argument)
        if unknown:
            return Unresolved(path=path, line=line, reason=unknown[0].reason)
        return Deferred(function="Fn::Select", argument=argument, path=path, line=line)
    if not isinstance(items, tuple):
        raise FunctionError("Fn::Select takes an index and a list")
    position = as_index(index)
    if position >= len(items):
        raise FunctionError(f"Fn::Select cannot select nonexistent value at index {position}")
    return items[position]


def _base64(argument: Value) -> Value:
    return base64.b64encode(as_text(argument).encode()).decode()


def _length(argument: Value) -> Value:
    if not isinstance(argument, tuple):
        raise FunctionError("Fn::Length takes a list")
    return len(argument)


def _to_json_string(argument: Value) -> Value:
    if not isinstance(argument, (tuple, Mapping)):
        raise FunctionError("Fn::ToJsonString takes a map or a list")
    try:
        return orjson.dumps(argument).decode()
    except TypeError as error:  # an integer beyond 64 bits, a lone surrogate
        raise FunctionError(f"Fn::ToJsonString: {error}") from error


def _cidr(argument: Value) -> Value:
    if not isinstance(argument, tuple) or len(argument) != 3:
        raise FunctionError("Fn::Cidr takes an address block, a count and the subnet bits")
    try:
        block = ipaddress.ip_network(as_text(argument[0]), strict=False)
    except ValueError as error:
        raise FunctionError(f"Fn::Cidr: {as_text(argument[0])!r} is not an address block") from error
    count = as_index(argument[1])
    bits = as_index(argument[2])
    prefix = block.max_prefixlen - bits
    if not 1 <= count <= 256 or prefix < block.prefixlen or count > 2 ** (prefix - block.prefixlen):
        raise FunctionError(f"Fn::Cidr cannot cut {count} blocks of {bits} bits out of {block}")
    return tuple(str(subnet) for subnet in itertools.islice(block.subnets(new_prefix=prefix), count))


_FUNCTIONS: Mapping[str, Callable[[Value], Value]] = {
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Split": _split,
    "Fn::ToJsonString": _to_json_string,
}
PURE = (*_FUNCTIONS, "Fn::Select")
"""The functions that `apply` knows."""
