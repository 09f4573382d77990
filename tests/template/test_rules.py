"""The Rules section: not evaluated, and not left unread either."""

from __future__ import annotations

import pytest

from backcheck.template.load import loads
from backcheck.template.node import TemplateError
from backcheck.template.resolve import resolve

TEMPLATE = """\
Parameters:
  People: {{Type: CommaDelimitedList, Default: ""}}
  One: {{Type: String, Default: ""}}
Rules:
  Somebody:
    Assertions:
      - Assert: {assertion}
        AssertDescription: nobody
Resources:
  T: {{Type: AWS::SNS::Topic}}
"""


@pytest.mark.parametrize(
    ("assertion", "function"),
    [
        ('!Not [!Equals [!Join ["", !Ref People], ""]]', "Fn::Join"),
        ('!Equals [!Sub "${One}", x]', "Fn::Sub"),
        ("!Not [!Equals [!Select [0, !Ref People], x]]", "Fn::Select"),
        ("Fn::Contains: [!Split [',', !Ref One], x]", "Fn::Split"),
    ],
)
def test_a_function_that_rules_do_not_take_refuses_the_template(assertion: str, function: str) -> None:
    written = assertion if assertion.startswith("!") else "{" + assertion + "}"
    with pytest.raises(TemplateError, match=f"takes no {function} in Rules") as raised:
        resolve(loads(TEMPLATE.format(assertion=written), file="t.yaml"))
    assert "t.yaml:7" in raised.value.diagnostics()


@pytest.mark.parametrize(
    "assertion",
    [
        '!Not [Fn::EachMemberEquals: [!Ref People, ""]]',
        "Fn::Contains: [[a, b], !Ref One]",
        "!Or [!Equals [!Ref One, a], !And [!Equals [!Ref One, b], !Not [!Equals [!Ref One, c]]]]",
        "Fn::EachMemberIn: [{Fn::ValueOfAll: [AWS::EC2::Subnet::Id, VpcId]}, {Fn::RefAll: AWS::EC2::VPC::Id}]",
        "!Contains [[a, b], !Ref One]",
        "!EachMemberEquals [!Ref People, a]",
        '!EachMemberIn [!ValueOfAll ["AWS::EC2::Subnet::Id", VpcId], !RefAll "AWS::EC2::VPC::Id"]',
        "!Equals [!ValueOf [One, Tags.Department], IT]",
        "!Implies [!Equals [!Ref One, a], !Not [!Equals [!Ref One, b]]]",
    ],
)
def test_rules_own_functions_and_ref_are_let_pass(assertion: str) -> None:
    written = assertion if assertion.startswith("!") else "{" + assertion + "}"
    found = resolve(loads(TEMPLATE.format(assertion=written), file="t.yaml"))
    assert [one.message for one in found.warnings] == ["Rules are not evaluated"]


@pytest.mark.parametrize("name", ["Contains", "EachMemberEquals", "EachMemberIn", "RefAll", "ValueOf", "ValueOfAll"])
def test_a_function_of_rules_stands_nowhere_else(name: str) -> None:
    text = f"Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties: {{TopicName: !{name} [[a], a]}}\n"
    with pytest.raises(TemplateError, match=f"unknown function Fn::{name}") as raised:
        resolve(loads(text, file="t.yaml"))
    assert "t.yaml:4" in raised.value.diagnostics()
