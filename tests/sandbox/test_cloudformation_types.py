"""The page that lists the deployed types lists them all, and the operations that it names are answered."""

from __future__ import annotations

import re
from pathlib import Path

from backcheck.sandbox import all_operations
from backcheck.sandbox.cloudformation_types import KINDS, NESTED, why_not
from backcheck.sandbox.operations import OPERATIONS

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text()


def test_the_page_lists_every_type() -> None:
    assert re.findall(r"^\| `(AWS::\S+)`", PAGE, re.M) == sorted([*KINDS, NESTED])


def test_the_page_names_operations_that_are_answered() -> None:
    all_operations.load()
    answered = {name for service, name in OPERATIONS if service == "cloudformation"}
    named = set(re.findall(r"`((?:Create|Delete|Describe|List|Get|Detect)[A-Za-z]+Stack[A-Za-z]*|CreateStack)`", PAGE))
    assert "DetectStackDrift" in answered
    assert {"CreateStack", "DeleteStack", "DescribeStacks", "ListStacks", "GetTemplate"} <= answered
    assert named <= answered


def test_each_reason_says_what_is_missing() -> None:
    assert why_not("Custom::Restore") == "custom resources are recorded, not run"
    assert why_not("AWS::Kinesis::Stream") == "AWS::Kinesis::Stream is not modelled in the sandbox"
    assert "Serverless Application Repository" in why_not("AWS::Serverless::Application")
