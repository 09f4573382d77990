"""The lab's template and functions as they were written, and how a defect of them is shown.

By what AWS would make of them: the template after SAM, its policies judged, requests and replies held against
botocore's models. Where nothing else tells, by the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from botocore.session import get_session
from botocore.validate import ParamValidator
from cfnlint.api import lint_file
from tests.templates.reading import Loader, walk

from backcheck.controls.iam_policy import allows
from backcheck.inventory.collect.documents import parse_document
from backcheck.inventory.iam import NamedPolicy
from backcheck.template.environment import Environment
from backcheck.template.functions import bind
from backcheck.template.load import load
from backcheck.template.resolve import resolve
from backcheck.template.value import Reference, Value

LAB = Path(__file__).parents[1] / "fixtures" / "templates" / "lab"
ACCOUNT = "123456789012"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/shop-products"
RESTORED = f"{TABLE}-restored-1700000000000"


@cache
def lab() -> dict[str, Any]:
    """The template, parsed."""
    loaded: dict[str, Any] = yaml.load((LAB / "template.yaml").read_text(), Loader)
    return loaded


def properties(name: str) -> dict[str, Any]:
    """The properties of one resource."""
    found: dict[str, Any] = lab()["Resources"][name]["Properties"]
    return found


@cache
def expanded() -> Mapping[str, tuple[str, Any]]:
    """Type and properties of every resource after SAM, in a stack called shop; a reference to another is its name."""

    def look_up(reference: Reference) -> Value:
        if reference.logical_id == "ProductsTable":
            return TABLE if reference.attribute == "Arn" else "shop-products"
        return reference.logical_id

    environment = Environment(account_id=ACCOUNT, region="us-east-1", stack_name="shop")
    resolved = resolve(load(LAB / "template.yaml"), parameters={}, environment=environment)
    return {name: (one.type, bind(one.properties, look_up)) for name, one in resolved.resources.items()}


def lacks_types(*wanted: str) -> str:
    """Which of some resource types the template has none of, after SAM."""
    there = {kind for kind, _ in expanded().values()}
    return " ".join(f"no {kind}" for kind in wanted if kind not in there)


def schedules() -> str:
    """Every schedule of the template but the backup plan's, and what it starts."""
    found = [
        f"{rule['ScheduleExpression']} starts {', '.join(target['Arn'] for target in rule['Targets'])}"
        for kind, rule in expanded().values()
        if kind in ("AWS::Events::Rule", "AWS::Scheduler::Schedule") and "ScheduleExpression" in rule
    ]
    return f"{'; '.join(found)}."


@cache
def _rights() -> Mapping[str, tuple[NamedPolicy, ...]]:
    """What SAM makes of each function's policies; AWS's own for Lambda, which is about logs, left out."""
    return {
        name: tuple(
            NamedPolicy(name=one["PolicyName"], arn=None, document=parse_document(json.dumps(one["PolicyDocument"])))
            for one in role["Policies"]
        )
        for name, (kind, role) in expanded().items()
        if kind == "AWS::IAM::Role" and name.endswith("FunctionRole")
    }


def who_may(action: str, resource: str) -> str:
    """The functions whose roles may do something to a resource; nobody where none may."""
    found = (name.removesuffix("Role") for name, held in _rights().items() if allows(held, action, resource))
    return f"{action}: {', '.join(found) or 'nobody'}"


def lacks(where: object, *names: str) -> str:
    """Which of some names occur nowhere below a value."""
    there = " ".join(f"{path} {value}" for path, value in walk(where))
    return " ".join(f"no {name}" for name in names if name not in there)


def _operation(service: str, name: str) -> Any:
    return get_session().get_service_model(service).operation_model(name)


def refused(service: str, operation: str, request: dict[str, Any]) -> str:
    """What botocore's model says of a request: what the SDK says before anything is sent."""
    return str(ParamValidator().validate(request, _operation(service, operation).input_shape).generate_report())


def cannot_ask(service: str, operation: str, *members: str) -> str:
    """Which of some members a request cannot have, by botocore's model."""
    has = _operation(service, operation).input_shape.members
    return " ".join(f"no {name}" for name in members if name not in has)


def reads(name: str, variable: str, shape: Any, *members: str) -> str:
    """What a function reads of a variable, and which of some members of its shape it passes over."""
    read = sorted(set(re.findall(rf"\b{variable}\.([A-Z]\w+)", source(name))))
    over = [member for member in members if member in shape.members and member not in read]
    return f"reads {', '.join(read)}; passes over {', '.join(over)}"


def reply(service: str, operation: str) -> Any:
    """The shape of an operation's reply."""
    return _operation(service, operation).output_shape


def source(name: str) -> str:
    """One of the functions, in one line."""
    return re.sub(r"\s+", " ", (LAB / "src" / f"{name}.js").read_text())


def calls(name: str) -> str:
    """Everything that a function asks of AWS."""
    return f"{name}: {', '.join(re.findall(r'await ([a-z]+[.][A-Za-z]+)[(]', source(name)))}."


def arguments(name: str, called: str) -> str:
    """How many arguments each call of something is given."""
    return ", ".join(str(_top_level_commas(part) + 1) for part in source(name).split(f"{called}(")[1:])


def _top_level_commas(text: str) -> int:
    """Up to the parenthesis that closes what was opened before the text."""
    depth, commas = 1, 0
    for letter in text:
        depth += (letter in "({[") - (letter in ")}]")
        if depth == 0:
            return commas
        commas += letter == "," and depth == 1
    raise AssertionError(f"never closed: {text}")


def says(name: str, *texts: str) -> str:
    """Those of some texts that stand in one of the functions."""
    return " | ".join(text for text in texts if text in source(name))


def never(name: str, *words: str) -> str:
    """Those of some words that occur nowhere in one of the functions."""
    return " ".join(f"never {word}" for word in words if word not in source(name))


def seeded() -> str:
    """What the script that fills the table posts, and the table's key."""
    script = (LAB / "src" / "populate.sh").read_text()
    [key] = [one["AttributeName"] for one in properties("ProductsTable")["KeySchema"]]
    posted = re.findall(r'\\"(\w+)\\":', script)
    methods = re.findall(r"curl -X (\w+)", script)
    return f"{', '.join(methods)} of {', '.join(posted)}; key {key}{'' if key in posted else ' is not among them'}"


@cache
def linted() -> str:
    """What cfn-lint says of the template."""
    return "\n".join(f"{match.rule.id}: {match.message}" for match in lint_file(LAB / "template.yaml"))


def statements() -> Iterator[dict[str, Any]]:
    """The statements of the restore function."""
    for policy in properties("RestoreBackupFunction")["Policies"]:
        yield from policy.get("Statement", ())


def names() -> str:
    """The lengths of names beyond the stack's own; AWS Backup takes 50 characters."""
    texts = {value for _, value in walk(lab()["Resources"]) if isinstance(value, str)}
    added = sorted({text.removeprefix("${AWS::StackName}") for text in texts if text.startswith("${AWS::StackName}-")})
    return ", ".join(f"{name} leaves {50 - len(name)}" for name in added)
