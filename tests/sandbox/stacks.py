"""Templates deployed in a sandbox, for the tests of CloudFormation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backcheck.sandbox.cloudformation import deploy
from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.cloudformation_stacks import Stack
from backcheck.sandbox.sandbox import Sandbox
from backcheck.template.load import load, loads

TEMPLATES = Path(__file__).parents[2] / "fixtures" / "templates"

START = datetime(2026, 11, 1, tzinfo=UTC)


def deployed(
    sandbox: Sandbox, template: str, *, name: str = "demo", region: str = "us-east-1", **parameters: str
) -> Stack:
    path = TEMPLATES / template
    read = load(path) if "\n" not in template and path.is_file() else loads(template, file="t.yaml")
    return deploy(read, into=account_in(sandbox.world, region=region), stack_name=name, parameters=parameters)


def client(sandbox: Sandbox, service: str, region: str = "us-east-1") -> Any:
    return account_in(sandbox.world).clients(service, region)


def resource(kind: str, properties: str, more: str = "") -> str:
    return f"Resources:\n  R:\n    Type: {kind}\n    Properties: {properties}\n{more}"


ONE_LINE_TABLE = (
    "BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: id, AttributeType: S}], "
    "KeySchema: [{AttributeName: id, KeyType: HASH}]"
)
