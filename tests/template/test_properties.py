"""For any template: a result or a TemplateError, never a crash; and a branch that is not taken is never looked at."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backcheck.errors import Error
from backcheck.template.functions import bind
from backcheck.template.load import loads
from backcheck.template.node import TemplateError
from backcheck.template.resolve import resolve
from backcheck.template.result import ResolvedTemplate
from backcheck.template.value import Reference, Value, is_known, references_in

NAMES = ["P", "L", "N", "Missing", "Ssm", "Topic", "Gone", "AWS::Region", "AWS::NoValue", "AWS::Nope", "Nothing"]
CONDITIONS = ["Yes", "No", "Maybe", "Loop", "Absent"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.sampled_from(["${P}", "${L}", "${Topic.Arn}", "${Missing}${P}", "${!x}", "{{resolve:ssm:x}}", "10.0.0.0/16"]),
)


def functions(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    pair = st.lists(inner, max_size=4)
    names = st.sampled_from(NAMES)
    return st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.builds(lambda name: {"Ref": name}, st.one_of(names, inner)),
        st.builds(lambda name, attribute: {"Fn::GetAtt": [name, attribute]}, names, inner),
        st.builds(lambda text, variables: {"Fn::Sub": [text, {"P": variables}]}, scalars, inner),
        st.builds(lambda text: {"Fn::Sub": text}, inner),
        st.builds(lambda c, a, b: {"Fn::If": [c, a, b]}, st.sampled_from(CONDITIONS), inner, inner),
        st.builds(
            lambda name, argument: {name: argument},
            st.sampled_from(
                ["Fn::Join", "Fn::Select", "Fn::Split", "Fn::Base64", "Fn::Cidr", "Fn::FindInMap", "Fn::GetAZs",
                 "Fn::ImportValue", "Fn::Length", "Fn::ToJsonString", "Fn::Transform", "Fn::GetStackOutput", "Fn::Nope",
                 "Fn::ForEach::Loop", "Fn::Equals"]
            ),
            st.one_of(inner, pair),
        ),
        st.builds(lambda items: {"Fn::Join": ["-", items]}, st.lists(inner, max_size=3)),
        st.builds(lambda index, items: {"Fn::Select": [index, items]}, st.integers(0, 2), st.lists(inner, max_size=3)),
    )  # fmt: skip


expressions = st.recursive(scalars, functions, max_leaves=12)


def template(expression: object, condition: object = None) -> str:
    return json.dumps(
        {
            "Transform": "AWS::LanguageExtensions",
            "Parameters": {
                "P": {"Type": "String", "Default": "p"},
                "L": {"Type": "CommaDelimitedList", "Default": "a,b"},
                "N": {"Type": "Number", "Default": 1},
                "Missing": {"Type": "String"},
                "Ssm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"},
            },
            "Mappings": {"M": {"p": {"a": "1"}}},
            "Conditions": {
                "Yes": {"Fn::Equals": ["1", "1"]},
                "No": {"Fn::Not": [{"Condition": "Yes"}]},
                "Maybe": {"Fn::Equals": [{"Ref": "Missing"}, "x"]},
                "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
                "Drawn": condition if condition is not None else {"Condition": "Yes"},
            },
            "Resources": {
                "Topic": {"Type": "AWS::SNS::Topic"},
                "Gone": {"Type": "AWS::SNS::Topic", "Condition": "No"},
                "R": {"Type": "AWS::SNS::Topic", "Condition": "Drawn", "Properties": {"x": expression}},
            },
            "Outputs": {"O": {"Value": expression}},
        }
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expressions, st.one_of(st.none(), expressions))
def test_any_template_gives_a_result_or_a_template_error(expression: object, condition: object) -> None:
    try:
        done = resolve(loads(template(expression, condition)))
    except TemplateError:
        return
    for resource in done.resources.values():
        for value in resource.properties.values():
            assert is_known(value) or done.unresolved or resource.depends_on


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expressions)
def test_what_is_bound_waits_for_nothing(expression: object) -> None:
    def lookup(reference: Reference) -> Value:
        return f"{reference.logical_id}-{reference.attribute}"

    try:
        value = resolve(loads(template(expression))).resources["R"].properties.get("x", "")
        bound = bind(value, lookup)
    except Error:
        return
    assert references_in(bound) == ()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expressions, st.booleans())
def test_a_branch_that_is_not_taken_is_never_looked_at(poison: object, verdict: bool) -> None:
    """Whatever stands in the other branch, valid or not, the result is the same."""
    branches = ["taken", poison] if verdict else [poison, "taken"]
    expression = {"Fn::If": ["Yes" if verdict else "No", *branches]}
    nested = {"Fn::Join": ["", [expression, {"Fn::If": ["No", {"Fn::Nope": poison}, {"Ref": "AWS::NoValue"}]}]]}
    unused = {"Fn::Sub": ["${used}", {"used": nested, "unused": poison}]}
    default = {"Fn::FindInMap": ["M", "p", "a", {"DefaultValue": poison}]}
    done = resolve(loads(template([expression, nested, unused, default])))
    assert done.resources["R"].properties["x"] == ("taken", "taken", "taken", "1")
    assert done.unresolved == ()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_template_or_an_error(text: str) -> None:
    for candidate in (text, f"Resources:\n  A:\n    Type: T\n    Properties:\n      x: {text}"):
        try:
            outcome: object = resolve(loads(candidate))
        except TemplateError as error:
            outcome = error
        assert isinstance(outcome, ResolvedTemplate | TemplateError)
