"""The pure functions, each against the examples of its page, and against what it must refuse."""

from __future__ import annotations

import pytest

from backcheck.template.functions import FunctionError, apply, as_text, bind
from backcheck.template.value import Deferred, Reference, Unresolved, Value, is_known, references_in, unresolved_in

UNKNOWN = Unresolved(path="/p", line=3, reason="why")
TABLE = Reference(logical_id="Table")


def run(function: str, argument: Value) -> Value:
    return apply(function, argument, path="/here", line=9)


@pytest.mark.parametrize(
    ("function", "argument", "result"),
    [
        ("Fn::Join", (":", ("a", "b", "c")), "a:b:c"),
        ("Fn::Join", ("", ("x", 1, True, 2.5)), "x1true2.5"),
        ("Fn::Join", (",", ()), ""),
        ("Fn::Split", ("|", "a|b|c"), ("a", "b", "c")),
        ("Fn::Split", ("|", "a||c|"), ("a", "", "c", "")),
        ("Fn::Select", ("1", ("apples", "grapes", "oranges", "mangoes")), "grapes"),
        ("Fn::Select", (0, ({"a": 1},)), {"a": 1}),
        ("Fn::Base64", "AWS CloudFormation", "QVdTIENsb3VkRm9ybWF0aW9u"),
        ("Fn::Length", (1, "x", 3), 3),
        ("Fn::Length", (UNKNOWN, TABLE), 2),
        ("Fn::ToJsonString", {"key1": "value1", "key2": "resolvedValue"}, '{"key1":"value1","key2":"resolvedValue"}'),
        ("Fn::ToJsonString", ({"key1": "value1"},), '[{"key1":"value1"}]'),
        (
            "Fn::Cidr",
            ("192.168.0.0/24", "6", "5"),
            (
                "192.168.0.0/27",
                "192.168.0.32/27",
                "192.168.0.64/27",
                "192.168.0.96/27",
                "192.168.0.128/27",
                "192.168.0.160/27",
            ),
        ),
        ("Fn::Cidr", ("2001:db8::/56", 1, 64), ("2001:db8::/64",)),
    ],
)
def test_examples_of_the_pages(function: str, argument: Value, result: Value) -> None:
    assert run(function, argument) == result


@pytest.mark.parametrize(
    ("function", "argument", "message"),
    [
        ("Fn::Select", (4, ("a",)), "cannot select nonexistent value at index 4"),
        ("Fn::Select", ("x", ("a",)), "whole number"),
        ("Fn::Select", (0, "a"), "an index and a list"),
        ("Fn::Join", (",", "ab"), "a delimiter and a list"),
        ("Fn::Join", (",", (("a",),)), "not a list or a map"),
        ("Fn::Join", (",",), "a list of two"),
        ("Fn::Join", ("", ("x" * 600_000, "x" * 600_000)), "longer than"),
        ("Fn::Split", ("", "a"), "needs a delimiter"),
        ("Fn::Length", "a", "takes a list"),
        ("Fn::ToJsonString", "a", "a map or a list"),
        ("Fn::ToJsonString", {"n": 2**70}, "Fn::ToJsonString"),
        ("Fn::Cidr", ("not", 1, 8), "not an address block"),
        ("Fn::Cidr", ("10.0.0.0/24", 300, 5), "cannot cut 300 blocks"),
        ("Fn::Cidr", ("10.0.0.0/30", 1, 8), "cannot cut"),
        ("Fn::Cidr", ("10.0.0.0/24", 1), "takes an address block"),
    ],
)
def test_what_does_not_fit_is_refused(function: str, argument: Value, message: str) -> None:
    with pytest.raises(FunctionError, match=message):
        run(function, argument)


@pytest.mark.parametrize(
    "function", ["Fn::Base64", "Fn::Cidr", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::ToJsonString"]
)
def test_what_is_not_known_flows_through(function: str) -> None:
    assert run(function, UNKNOWN if function != "Fn::Select" else (0, UNKNOWN)) == Unresolved(
        path="/here", line=9, reason="why"
    )


def test_select_needs_only_what_it_picks() -> None:
    assert run("Fn::Select", (1, (UNKNOWN, "known"))) == "known"
    assert run("Fn::Select", (0, (UNKNOWN, "known"))) == UNKNOWN
    assert run("Fn::Select", (1, (TABLE, "known"))) == "known"


def test_what_waits_for_a_resource_is_applied_when_it_is_bound() -> None:
    arn = run("Fn::Join", ("", ("arn:", TABLE, "/x")))
    part = run("Fn::Select", (1, run("Fn::Split", ("/", arn))))
    assert isinstance(part, Deferred)
    assert not is_known(part)
    assert references_in({"a": (part,)}) == (TABLE,)
    assert bind({"a": (part,), "b": 1}, lambda reference: f"{reference.logical_id}!") == {"a": ("x",), "b": 1}
    assert bind(arn, lambda _: UNKNOWN) == Unresolved(path="/here", line=9, reason="why")


def test_a_dynamic_reference_that_a_function_makes_is_not_known() -> None:
    value = run("Fn::Join", ("", ("{{resolve:", "ssm-secure:name}}")))
    assert unresolved_in(value)[0].reason == "a dynamic reference (ssm-secure) is read when the stack is created"


def test_scalars_become_text_as_cloudformation_writes_them() -> None:
    assert [as_text(value) for value in (True, False, 1, "x")] == ["true", "false", "1", "x"]
