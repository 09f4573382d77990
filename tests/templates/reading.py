"""Our templates, parsed with their tags kept, so that tests can ask for properties by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "templates"
NAMES = ("auditor", "dr", "drill", "primary", "restore-testing")


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, read as their long ones."""


def _long_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = node.value
        return {name: value.split(".", 1)} if suffix == "GetAtt" else {name: value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _long_form)


@cache
def text(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text()


@cache
def template(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text(name), Loader)
    return loaded


def resources(name: str, kind: str = "") -> dict[str, dict[str, Any]]:
    """Logical id to resource, of one type or of all."""
    every: dict[str, dict[str, Any]] = template(name)["Resources"]
    return {key: one for key, one in every.items() if kind in ("", one["Type"])}


def walk(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value with its path, parents first."""
    yield path, value
    if isinstance(value, Mapping):
        children: Iterable[tuple[object, object]] = value.items()
    else:
        children = enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, child in children:
        yield from walk(child, f"{path}/{key}")


def everything() -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, key, one) for name in NAMES for key, one in resources(name).items()]


def statements(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of an IAM policy in a template, with the resource that has it; both sides of Fn::If."""
    for key, one in resources(name).items():
        for _, value in walk(one):
            if isinstance(value, dict) and "Effect" in value and ("Action" in value or "NotAction" in value):
                yield key, value


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
