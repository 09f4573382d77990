"""Which templates a gate deploys, where and with what: `[NAME=]TEMPLATE[@[ACCOUNT/]REGION]`, in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backcheck.errors import UsageError
from backcheck.policy.model import PRIMARY, Policy
from backcheck.template.load import Template, load, loads_any, read
from backcheck.template.node import Map, Node, Sequence, text_of

Parameters = Mapping[str, Mapping[str, str]]
"""Stack name to parameter to value; the name "" holds for every stack that has the parameter."""

_NAMED = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9-]{0,127})=(?P<rest>.+)")
_PLACED = re.compile(r"(?P<rest>.+)@(?:(?P<account>[A-Za-z0-9_.-]+)/)?(?P<region>[a-z][a-z0-9-]*)")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpec:
    """One stack that is to be deployed."""

    name: str
    template: Template
    account: str
    """12 digits."""
    region: str
    """Such as us-east-1."""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The template's path, as it was given."""
        return self.template.file


def stacks_of(written: Iterable[str], parameters: Parameters, policy: Policy) -> tuple[StackSpec, ...]:
    """The stacks that the arguments name. A region is AWS's name or the policy's key for it; without one, primary.

    Raises UsageError for a name given twice or a region or account that is not the policy's, and for a parameter that
    no template has; TemplateError for what is no template.
    """
    bare = [_stack(one, policy) for one in written]
    names = [one.name for one in bare]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two stacks are named {twice}", hint="name them: NAME=TEMPLATE@REGION")
    _check_parameters(bare, parameters)
    return tuple(_with_parameters(one, parameters) for one in bare)


def _stack(written: str, policy: Policy) -> StackSpec:
    named = None if Path(written).exists() else _NAMED.fullmatch(written)
    rest = named["rest"] if named else written
    placed = None if Path(rest).exists() else _PLACED.fullmatch(rest)
    path = Path(placed["rest"] if placed else rest)
    place = placed.groupdict() if placed else {}
    return StackSpec(
        name=named["name"] if named else _name_of(path),
        template=load(path),
        account=_account(place.get("account"), policy),
        region=_region(place.get("region"), policy),
    )


def _name_of(path: Path) -> str:
    """`templates/primary.yaml` is stack `primary`; a name begins with a letter."""
    stem = _NOT_A_NAME.sub("-", path.name.partition(".")[0]).strip("-")
    return (stem if stem[:1].isalpha() else f"stack-{stem}".rstrip("-"))[:128]


def _account(written: str | None, policy: Policy) -> str:
    key = written or PRIMARY
    found = policy.account(key) or next((one for one in policy.accounts if one.id == key), None)
    if found is None and written is None:
        found = policy.accounts[0]
    if found is None:
        keys = ", ".join(one.key for one in policy.accounts)
        raise UsageError(f"account {written} is not the policy's", hint=f"it has: {keys}")
    return found.id


def _region(written: str | None, policy: Policy) -> str:
    region = policy.regions.get(written or PRIMARY, written or "")
    if region not in policy.regions.values():
        known = ", ".join(f"{key} ({name})" for key, name in policy.regions.items())
        raise UsageError(f"region {region} is not the policy's", hint=f"it has: {known}")
    return region


def _check_parameters(stacks: Iterable[StackSpec], parameters: Parameters) -> None:
    known = {one.name: set(one.template.section("Parameters").names) for one in stacks}
    for stack, given in parameters.items():
        if stack and stack not in known:
            raise UsageError(f"there is no stack {stack}", hint=f"the stacks are: {', '.join(known)}")
        names = known[stack] if stack else set().union(*known.values())
        if surplus := sorted(set(given) - names):
            where = f"stack {stack} has" if stack else "any template has"
            raise UsageError(f"no parameter that {where} is named {', '.join(surplus)}")


def _with_parameters(spec: StackSpec, parameters: Parameters) -> StackSpec:
    declared = set(spec.template.section("Parameters").names)
    shared = {name: value for name, value in parameters.get("", {}).items() if name in declared}
    return StackSpec(
        name=spec.name,
        template=spec.template,
        account=spec.account,
        region=spec.region,
        parameters={**shared, **parameters.get(spec.name, {})},
    )


def parameters_of(pairs: Iterable[str], file: Path | None) -> Parameters:
    """Parameters from `--parameter [STACK.]K=V` over those of a file.

    Raises UsageError for what is neither, TemplateError for a file that cannot be read as YAML or JSON.
    """
    found: dict[str, dict[str, str]] = {}
    for stack, name, value in [*(_from_file(file) if file else ()), *map(_pair, pairs)]:
        found.setdefault(stack, {})[name] = value
    return found


def _pair(written: str) -> tuple[str, str, str]:
    name, equals, value = written.partition("=")
    stack, dot, rest = name.rpartition(".")
    if not equals or not rest or (dot and not stack):
        raise UsageError(f"--parameter {written} is not of the form NAME=VALUE or STACK.NAME=VALUE")
    return stack, rest, value


def _from_file(path: Path) -> list[tuple[str, str, str]]:
    """A map of names to values, of stacks to such maps, CloudFormation's list, or its configuration file.

    Values are taken as they are written: an account id keeps its zeros, and a date is text.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
    """
    document = loads_any(read(path), file=str(path))
    inner = document.get("Parameters") if isinstance(document, Map) else None
    if isinstance(inner, Map):
        document = inner
    if isinstance(document, Sequence):
        return [("", *_listed(item, path)) for item in document.items]
    if not isinstance(document, Map):
        raise UsageError("holds no parameters", where=str(path), hint="NAME: VALUE, one a line")
    found: list[tuple[str, str, str]] = []
    for entry in document.entries:
        if isinstance(entry.value, Map):
            found += [(entry.key, one.key, _text(one.value, path)) for one in entry.value.entries]
        else:
            found.append(("", entry.key, _text(entry.value, path)))
    return found


def _listed(item: Node, path: Path) -> tuple[str, str]:
    key, value = (item.get(name) if isinstance(item, Map) else None for name in ("ParameterKey", "ParameterValue"))
    if key is None or value is None:
        where = f"{path}:{item.mark.line}"
        raise UsageError("an item is not ParameterKey and ParameterValue", where=where)
    return _text(key, path), _text(value, path)


def _text(node: Node, path: Path) -> str:
    """A value as CloudFormation takes it: a list is one string with commas."""
    if isinstance(node, Sequence):
        return ",".join(_text(item, path) for item in node.items)
    text = text_of(node)
    if text is None:
        raise UsageError("a parameter's value is a string or a list of strings", where=f"{path}:{node.mark.line}")
    return text
