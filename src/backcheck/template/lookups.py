"""The functions that look something up: in a string's variables, the mappings, the region, other stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from backcheck.template.node import Map, Node, Scalar, Sequence, text_of
from backcheck.template.value import MaybeValue, Removed, Unresolved, Value

if TYPE_CHECKING:
    from backcheck.template.evaluate import Evaluator

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_.:]+")


def sub(evaluator: Evaluator, argument: Node, path: str) -> MaybeValue:
    """Fn::Sub, with or without a map of variables; a variable that the string does not use is not looked at."""
    variables = Map(())
    template = argument
    if isinstance(argument, Sequence):
        template, given = evaluator.items("Fn::Sub", argument, 2)
        if not isinstance(given, Map):
            raise evaluator.error(f"{path}: Fn::Sub takes a string and a map of variables", given)
        variables = given
    if not isinstance(template, Scalar) or template.value is None:
        raise evaluator.error(f"{path}: Fn::Sub takes a string", template)
    parts: list[Value] = []
    seen: dict[str, Value] = {}
    for index, part in enumerate(_VARIABLE.split(template.text)):
        if index % 2 == 0:
            parts.append(part)
        elif part.startswith("!"):
            parts.append(f"${{{part[1:]}}}")
        else:
            if part not in seen:
                seen[part] = _variable(evaluator, part, variables, path, template)
            parts.append(seen[part])
    return evaluator.apply("Fn::Join", ("", tuple(parts)), path, argument)


def _variable(evaluator: Evaluator, name: str, variables: Map, path: str, node: Scalar) -> Value:
    given = variables.get(name)
    if given is not None:
        return evaluator.settled(given, path)
    if not _VARIABLE_NAME.fullmatch(name):
        raise evaluator.error(
            f"{path}: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, "
            "periods, and colons",
            node,
        )
    if "." in name:
        resource, attribute = name.split(".", 1)
        return evaluator.resource(resource, attribute, path, node)
    value = evaluator.variable(name, path, node)
    if isinstance(value, Removed):
        raise evaluator.error(f"{path}: AWS::NoValue cannot stand in Fn::Sub", node)
    return value


def find_in_map(evaluator: Evaluator, argument: Node, path: str) -> MaybeValue:
    """Fn::FindInMap, with a DefaultValue for what the mapping does not have."""
    if not isinstance(argument, Sequence) or len(argument.items) not in (3, 4):
        raise evaluator.error(f"{path}: Fn::FindInMap takes a map name and two keys", argument)
    keys: list[str] = []
    for item in argument.items[:3]:
        key = evaluator.text("Fn::FindInMap", item, path)
        if isinstance(key, Unresolved):
            return key
        keys.append(key)
    found: Node | None = evaluator.document.mappings
    for key in keys:
        found = found.get(key) if isinstance(found, Map) else None
    if found is not None:
        return evaluator.value(found, path)
    last = argument.items[-1]
    default = last.get("DefaultValue") if len(argument.items) == 4 and isinstance(last, Map) else None
    if default is not None:
        return evaluator.value(default, path)
    if "Fn::Transform" in evaluator.document.mappings.names:
        return Unresolved(path=path, line=argument.mark.line, reason="the mapping comes from Fn::Transform")
    raise evaluator.error(f"{path}: Unable to get mapping for {'::'.join(keys)}", argument)


def get_azs(evaluator: Evaluator, argument: Node, path: str) -> MaybeValue:
    """Fn::GetAZs; which zones an account sees is known only if the environment says so."""
    region = "" if text_of(argument) == "" else evaluator.text("Fn::GetAZs", argument, path)
    if isinstance(region, Unresolved):
        return region
    region = region or evaluator.environment.region
    zones = evaluator.environment.availability_zones.get(region)
    if zones is None:
        reason = f"the availability zones of {region} are the account's own"
        return Unresolved(path=path, line=argument.mark.line, reason=reason)
    return zones


def import_value(evaluator: Evaluator, argument: Node, path: str) -> MaybeValue:
    """Fn::ImportValue; an export that nobody makes is unresolved."""
    name = evaluator.text("Fn::ImportValue", argument, path)
    if isinstance(name, Unresolved):
        return name
    value = evaluator.environment.other_stacks.exported(name)
    if value is None:
        reason = f"no export named {name} in {evaluator.environment.region}"
        return Unresolved(path=path, line=argument.mark.line, reason=reason)
    if isinstance(value, Unresolved):
        return Unresolved(path=path, line=argument.mark.line, reason=f"export {name}: {value.reason}")
    return value


def get_stack_output(evaluator: Evaluator, argument: Node, path: str) -> MaybeValue:
    """Fn::GetStackOutput, for stacks of the same account.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
    """
    if not isinstance(argument, Map):
        raise evaluator.error(f"{path}: Fn::GetStackOutput takes a map", argument)
    texts: dict[str, str] = {}
    for entry in argument.entries:
        text = evaluator.text("Fn::GetStackOutput", entry.value, path)
        if isinstance(text, Unresolved):
            return text
        texts[entry.key] = text
    stack, output = texts.get("StackName"), texts.get("OutputName")
    if not stack or not output:
        raise evaluator.error(f"{path}: Fn::GetStackOutput needs StackName and OutputName", argument)
    region = texts.get("Region", evaluator.environment.region)
    if "RoleArn" in texts:
        reason = f"the output {output} of {stack} is another account's"
        return Unresolved(path=path, line=argument.mark.line, reason=reason)
    value = evaluator.environment.other_stacks.output(stack_name=stack, output_name=output, region=region)
    if value is None:
        reason = f"no output {output} of a stack {stack} in {region}"
        return Unresolved(path=path, line=argument.mark.line, reason=reason)
    return value


def transform(evaluator: Evaluator, argument: Node, path: str) -> Unresolved:
    """Fn::Transform: AWS::Include and other macros run in an account only."""
    name = (text_of(argument.get("Name")) if isinstance(argument, Map) else None) or "Fn::Transform"
    return Unresolved(path=path, line=argument.mark.line, reason=f"{name} is a macro that runs in the account only")


LOOKUPS: Mapping[str, Callable[[Evaluator, Node, str], MaybeValue]] = {
    "Fn::FindInMap": find_in_map,
    "Fn::GetAZs": get_azs,
    "Fn::GetStackOutput": get_stack_output,
    "Fn::ImportValue": import_value,
    "Fn::Sub": sub,
    "Fn::Transform": transform,
}
