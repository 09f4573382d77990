"""Parameters: given before default, checked, and never shown when they are secret."""

from __future__ import annotations

import pytest

from backcheck.template.load import loads
from backcheck.template.node import TemplateError
from backcheck.template.parameters import Parameter, parameters_of
from backcheck.template.value import Unresolved


def parameter(declaration: str, given: str | None = None) -> Parameter:
    template = loads(f"Parameters: {{P: {{{declaration}}}}}\nResources: {{A: {{Type: T}}}}", file="t.yaml")
    return parameters_of(template, {} if given is None else {"P": given})["P"]


@pytest.mark.parametrize(
    ("declaration", "given", "value"),
    [
        ("Type: String, Default: a", None, "a"),
        ("Type: String, Default: a", "b", "b"),
        ("Type: String, Default: ''", None, ""),
        ("Type: String, Default: 1.10", None, "1.10"),
        ("Type: String, Default: true", None, "true"),
        ("Type: Number, Default: 8888", None, "8888"),
        ("Type: CommaDelimitedList, Default: 'test, dev ,prod'", None, ("test", "dev", "prod")),
        ("Type: CommaDelimitedList, Default: ''", None, ()),
        ("Type: List<Number>", "80,20", ("80", "20")),
        ("Type: 'List<AWS::EC2::Subnet::Id>'", "subnet-1,subnet-2", ("subnet-1", "subnet-2")),
        ("Type: 'AWS::EC2::VPC::Id', Default: vpc-1", None, "vpc-1"),
        ("Type: 'AWS::SSM::Parameter::Name', Default: /x", None, "/x"),
        ("Type: String, AllowedPattern: '[a-z]+', Default: abc", None, "abc"),
        (
            "Type: String, AllowedPattern: '(a+)+', Default: b",
            None,
            "b",
        ),  # Java's, and dangerous: left to CloudFormation
    ],
)
def test_values(declaration: str, given: str | None, value: object) -> None:
    assert parameter(declaration, given).value == value


@pytest.mark.parametrize(
    ("declaration", "given", "message"),
    [
        ("Type: Number, Default: x", None, "must be a number"),
        ("Type: Number, MinValue: 1, MaxValue: 9", "10", "must be at most 9"),
        ("Type: Number, MinValue: 1", "0", "must be at least 1"),
        ("Type: Number, AllowedValues: [1, 2]", "3", "one of AllowedValues: 1, 2"),
        ("Type: String, AllowedValues: [dev, prod]", "test", "'test' must be one of AllowedValues: dev, prod"),
        ("Type: String, MinLength: 3, Default: ab", None, "at least 3 characters"),
        ("Type: String, MaxLength: 3", "abcd", "at most 3 characters"),
        ("Type: String, AllowedPattern: '[a-z]+'", "A1", "must match pattern"),
        ("Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower case only", "A1", "lower case only"),
        ("Type: CommaDelimitedList, AllowedValues: [a]", "a,b", "'b' must be one of"),
        ("Type: Strin, Default: a", None, "unknown Type Strin"),
        ("Default: a", None, "has no Type"),
        ("Type: String, Default: [a]", None, "Default must be a string"),
        ("Type: String, Deflt: a", None, "unknown attribute Deflt"),
        ("Type: Number, MinValue: x", "1", "MinValue must be a number"),
        ("Type: String", "x" * 4097, "longer than 4,096 bytes"),
    ],
)
def test_refusals(declaration: str, given: str | None, message: str) -> None:
    with pytest.raises(TemplateError, match=message) as caught:
        parameter(declaration, given)
    assert caught.value.where.startswith("t.yaml:1:")


@pytest.mark.parametrize(
    ("declaration", "reason"),
    [
        ("Type: String", "parameter P has no value"),
        ("Type: 'AWS::SSM::Parameter::Value<String>', Default: /db/name", "Parameter Store (/db/name)"),
    ],
)
def test_what_is_not_known(declaration: str, reason: str) -> None:
    value = parameter(declaration).value
    assert isinstance(value, Unresolved)
    assert reason in value.reason
    assert (value.path, value.line) == ("/Parameters/P", 1)


def test_a_secret_is_never_shown() -> None:
    secret = parameter("Type: String, NoEcho: true", "hunter2")
    assert secret.value == "hunter2"
    assert secret.shown == "****"
    assert "hunter2" not in repr(secret)
    with pytest.raises(TemplateError) as caught:
        parameter("Type: String, NoEcho: true, AllowedValues: [x]", "hunter2")
    assert "hunter2" not in caught.value.diagnostics()


def test_a_name_that_the_template_does_not_have() -> None:
    template = loads("Parameters: {Stage: {Type: String}}\nResources: {A: {Type: T}}")
    with pytest.raises(TemplateError, match=r"Parameters: \[Stag\] do not exist") as caught:
        parameters_of(template, {"Stag": "x"})
    assert "Stage" in caught.value.hint
