"""The Rules section: what it asserts of the parameters, and what it may be written with."""

from __future__ import annotations

import pytest

from backcheck.template.load import loads
from backcheck.template.node import TemplateError
from backcheck.template.resolve import resolve
from backcheck.template.result import ResolvedTemplate

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


def _resolved(assertion: str, *, condition: str = "", **parameters: str) -> ResolvedTemplate:
    written = assertion if assertion.startswith("!") else "{" + assertion + "}"
    text = TEMPLATE.format(assertion=written)
    if condition:
        text = text.replace("    Assertions:", f"    RuleCondition: {condition}\n    Assertions:")
    return resolve(loads(text, file="t.yaml"), parameters=parameters)


HOLD = [
    ("!Equals [!Ref One, a]", {"One": "a"}, {"One": "b"}),
    ("!Equals [!Ref AWS::Region, us-east-1]", {}, None),
    ("!Not [!Equals [!Ref AWS::Region, us-east-1]]", None, {}),
    ("!Not [!Equals [!Ref One, '']]", {"One": "a"}, {}),
    ("Fn::Contains: [[a, b], !Ref One]", {"One": "b"}, {"One": "c"}),
    ("Fn::Contains: [!Ref People, !Ref One]", {"People": "ann,bob", "One": "bob"}, {"People": "ann,bob", "One": "eve"}),
    ("!Contains [[a, b], !Ref One]", {"One": "b"}, {"One": "c"}),
    ("!EachMemberEquals [!Ref People, a]", {"People": "a"}, {"People": "a,b"}),
    ("Fn::EachMemberEquals: [!Ref People, ann]", {"People": "ann,ann"}, {"People": "ann,bob"}),
    ("Fn::EachMemberIn: [!Ref People, [ann, bob]]", {"People": "bob,ann"}, {"People": "ann,eve"}),
    ("!Not [Fn::EachMemberEquals: [!Ref People, x]]", {"People": "x,y"}, {"People": "x"}),
    (
        "!Or [!Equals [!Ref One, a], !And [!Equals [!Ref One, b], !Not [!Equals [!Ref One, c]]]]",
        {"One": "b"},
        {"One": "c"},
    ),
]


@pytest.mark.parametrize(("assertion", "given"), [(one, given) for one, given, _ in HOLD if given is not None])
def test_a_rule_that_holds_says_nothing(assertion: str, given: dict[str, str]) -> None:
    assert _resolved(assertion, **given).warnings == ()


@pytest.mark.parametrize(("assertion", "given"), [(one, given) for one, _, given in HOLD if given is not None])
def test_a_rule_that_does_not_hold_refuses_the_stack(assertion: str, given: dict[str, str]) -> None:
    with pytest.raises(TemplateError, match="rule Somebody does not hold, so the stack is not created: nobody") as told:
        _resolved(assertion, **given)
    assert "t.yaml:7" in told.value.diagnostics()


def test_a_rule_whose_condition_is_false_asserts_nothing() -> None:
    assert _resolved("!Equals [!Ref One, a]", condition="!Equals [!Ref One, b]", One="c").warnings == ()
    with pytest.raises(TemplateError, match="does not hold"):
        _resolved("!Equals [!Ref One, a]", condition="!Equals [!Ref One, b]", One="b")


@pytest.mark.parametrize(
    ("assertion", "why"),
    [
        (
            "Fn::EachMemberIn: [{Fn::ValueOfAll: [AWS::EC2::Subnet::Id, VpcId]}, {Fn::RefAll: AWS::EC2::VPC::Id}]",
            "Fn::ValueOfAll is known in the account only",
        ),
        ("Fn::Contains: [[x, {Fn::RefAll: AWS::EC2::VPC::Id}], !Ref One]", "Fn::RefAll is known in the account only"),
        ("!Equals [!Ref Stored, x]", "parameter Stored"),
        ("!If [A, true, false]", "AWS's pages disagree on Fn::If in Rules"),
        ("!Implies [!Equals [!Ref One, a], !Equals [!Ref One, b]]", "AWS's pages disagree on Fn::Implies in Rules"),
        (
            '!EachMemberIn [!ValueOfAll ["AWS::EC2::Subnet::Id", VpcId], !RefAll "AWS::EC2::VPC::Id"]',
            "Fn::ValueOfAll is known in the account only",
        ),
        ("!Equals [!ValueOf [One, Tags.Department], IT]", "Fn::ValueOf is known in the account only"),
    ],
)
def test_what_only_the_account_knows_is_said_and_decides_nothing(assertion: str, why: str) -> None:
    stored = "  Stored: {{Type: 'AWS::SSM::Parameter::Value<String>', Default: /x}}\n  One:"
    written = assertion if assertion.startswith("!") else "{" + assertion + "}"
    text = TEMPLATE.replace("  One:", stored, 1).format(assertion=written)
    (told,) = resolve(loads(text, file="t.yaml")).warnings
    assert told.message.startswith("/Rules/Somebody/Assertions/0/Assert is not judged: ")
    assert why in told.message


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("{A: {}}", "a rule is a map with a list of Assertions"),
        ("{A: {Assertions: []}}", "a rule is a map with a list of Assertions"),
        ("{A: x}", "a rule is a map with a list of Assertions"),
        ("{A: {Assertions: [x]}}", "an assertion is a map with Assert"),
        ("{A: {Assertions: [{AssertDescription: x}]}}", "an assertion is a map with Assert"),
        ("{A: {Assertions: [{Assert: true}]}}", "a condition is one of"),
        ("{A: {Assertions: [{Assert: {Fn::Contains: [[a]]}}]}}", "Fn::Contains takes a list of 2"),
        ("{A: {Assertions: [{Assert: {Fn::Equals: [!Ref T, x]}}]}}", "a rule cannot depend on a resource"),
        ("{A: {Assertions: [{Assert: {Fn::Equals: [!Ref None, x]}}]}}", "no such resource"),
    ],
)
def test_a_rule_that_is_none_refuses_the_template(rules: str, told: str) -> None:
    text = f"Rules: {rules}\nResources:\n  T: {{Type: AWS::SNS::Topic}}\n"
    with pytest.raises(TemplateError, match=told):
        resolve(loads(text, file="t.yaml"))


@pytest.mark.parametrize("name", ["Contains", "EachMemberEquals", "EachMemberIn", "RefAll", "ValueOf", "ValueOfAll"])
def test_a_function_of_rules_stands_nowhere_else(name: str) -> None:
    text = f"Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties: {{TopicName: !{name} [[a], a]}}\n"
    with pytest.raises(TemplateError, match=f"unknown function Fn::{name}") as raised:
        resolve(loads(text, file="t.yaml"))
    assert "t.yaml:4" in raised.value.diagnostics()
