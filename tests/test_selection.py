"""The resolver against the examples of AWS's guide, the API reference's sentences, and what peers get wrong.

The tables are copied from https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html: the
document as it stands there, and whether the sentence above it names the resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backcheck.selection import (
    Condition,
    Operator,
    Resource,
    Selection,
    SelectionError,
    TagEquals,
    matches,
    parse_selection,
    resolve,
)

ALL_IN = {"DynamoDB": True, "EBS": True, "EC2": True, "RDS": True, "Aurora": True, "FSx": True, "Neptune": True}


def table(name: str = "orders", **tags: str) -> Resource:
    return Resource(arn=f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}", type="DynamoDB", tags=tags)


def volume(**tags: str) -> Resource:
    return Resource(arn="arn:aws:ec2:us-east-1:123456789012:volume/vol-1", type="EBS", tags=tags)


def instance(**tags: str) -> Resource:
    return Resource(arn="arn:aws:ec2:us-east-1:123456789012:instance/i-1", type="EC2", tags=tags)


def database(**tags: str) -> Resource:
    return Resource(arn="arn:aws:rds:us-east-1:123456789012:db:sales", type="RDS", tags=tags)


def cluster(name: str, **tags: str) -> Resource:
    return Resource(arn=f"arn:aws:rds:us-east-1:123456789012:cluster:{name}", type="Aurora", tags=tags)


def file_system(**tags: str) -> Resource:
    return Resource(arn="arn:aws:fsx:us-east-1:123456789012:file-system/fs-1", type="FSx", tags=tags)


def when(operator: str, **tags: str) -> dict[str, Any]:
    entries = [{"ConditionKey": f"aws:ResourceTag/{k}", "ConditionValue": v} for k, v in tags.items()]
    return {operator: entries}


EVERYTHING = {"Resources": ["*"]}
NO_EBS = {"Resources": ["*"], "NotResources": ["arn:aws:ec2:*:*:volume/*"]}
NO_EBS_TAGGED = {**NO_EBS, "Conditions": when("StringEquals", backup="true")}
EBS_AND_RDS = {"Resources": ["arn:aws:ec2:*:*:volume/*", "arn:aws:rds:*:*:db:*"]}
BOTH_TAGS = {**EBS_AND_RDS, "Conditions": when("StringEquals", backup="true", stage="prod")}
NOT_TEST = {
    **EBS_AND_RDS,
    "Conditions": {**when("StringEquals", backup="true"), **when("StringNotEquals", stage="test")},
}
LIKE = {
    "Resources": ["*"],
    "Conditions": {**when("StringLike", key1="include*"), **when("StringNotLike", key2="*exclude*")},
}
EXCEPT_SERVICES = {
    "Resources": ["*"],
    "NotResources": ["arn:aws:fsx:*", "arn:aws:rds:*"],
    "Conditions": when("StringEquals", backup="true"),
}
ANY_VALUE = {"Resources": ["*"], "Conditions": when("StringLike", backup="*")}
UNITED = {
    "Resources": ["arn:aws:fsx:*", "arn:aws:rds:*:*:cluster:my-aurora-cluster"],
    "ListOfTags": [{"ConditionType": "StringEquals", "ConditionKey": "backup", "ConditionValue": "true"}],
    "Conditions": when("StringNotEquals", stage="test"),
}


@pytest.mark.parametrize(
    ("document", "resource", "selected"),
    [
        pytest.param({"Resources": ["arn:aws:ec2:*:*:instance/*"]}, instance(), True, id="all instances"),
        pytest.param({"Resources": ["arn:aws:ec2:*:*:instance/*"]}, volume(), False, id="a volume is no instance"),
        pytest.param(EVERYTHING, table(), True, id="all resources"),
        pytest.param(NO_EBS, table(), True, id="all but EBS: table"),
        pytest.param(NO_EBS, volume(), False, id="all but EBS: volume"),
        pytest.param(NO_EBS_TAGGED, table(backup="true"), True, id="tagged, no EBS: tagged table"),
        pytest.param(NO_EBS_TAGGED, table(backup="false"), False, id="tagged, no EBS: other value"),
        pytest.param(NO_EBS_TAGGED, table(), False, id="tagged, no EBS: no tag"),
        pytest.param(NO_EBS_TAGGED, volume(backup="true"), False, id="tagged, no EBS: tagged volume"),
        pytest.param(BOTH_TAGS, volume(backup="true", stage="prod"), True, id="both tags: volume"),
        pytest.param(BOTH_TAGS, database(backup="true", stage="prod"), True, id="both tags: database"),
        pytest.param(BOTH_TAGS, volume(backup="true"), False, id="both tags: one missing"),
        pytest.param(BOTH_TAGS, cluster("c", backup="true", stage="prod"), False, id="both tags: clusters are no db"),
        pytest.param(NOT_TEST, volume(backup="true", stage="prod"), True, id="not test: prod"),
        pytest.param(NOT_TEST, volume(backup="true"), True, id="not test: no stage at all"),
        pytest.param(NOT_TEST, volume(backup="true", stage="test"), False, id="not test: test"),
        pytest.param(LIKE, table(key1="included"), True, id="like: prefix"),
        pytest.param(LIKE, table(key1="included", key2="to exclude"), True, id="like: * stops at white space"),
        pytest.param(LIKE, table(key1="included", key2="do-exclude-me"), False, id="like: contains exclude"),
        pytest.param(LIKE, table(key1="not include"), False, id="like: not a prefix"),
        pytest.param(EXCEPT_SERVICES, table(backup="true"), True, id="NotResources is OR: table"),
        pytest.param(EXCEPT_SERVICES, file_system(backup="true"), False, id="NotResources is OR: FSx"),
        pytest.param(EXCEPT_SERVICES, database(backup="true"), False, id="NotResources is OR: RDS"),
        pytest.param(ANY_VALUE, table(backup="anything"), True, id="any value"),
        pytest.param(ANY_VALUE, table(), False, id="any value: no tag"),
        pytest.param(UNITED, file_system(), True, id="united: FSx"),
        pytest.param(UNITED, cluster("my-aurora-cluster"), True, id="united: the cluster"),
        pytest.param(UNITED, cluster("other"), False, id="united: another cluster"),
        pytest.param(UNITED, table(backup="true"), True, id="united: tagged table"),
        pytest.param(UNITED, table(backup="true", stage="test"), False, id="united: test is left out"),
        pytest.param(UNITED, file_system(stage="test"), False, id="united: conditions filter Resources too"),
    ],
)
def test_the_examples_of_the_guide(document: Mapping[str, object], resource: Resource, selected: bool) -> None:
    assert resolve(parse_selection(document), resource, ALL_IN).selected is selected


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("prod*", "prod_server", True),
        ("prod*", "prod server", False),
        ("prod *", "prod server", True),
        ("prod*", "production", True),
        ("*rod*", "production", True),
        ("prod*", "Production", False),
        ("*", "", True),
        ("a.c", "abc", False),
        ("a?c", "abc", False),
    ],
)
def test_the_wildcard(pattern: str, value: str, expected: bool) -> None:
    assert matches(pattern, value) is expected


TYPE_NAMED = Selection(name="s", resources=("arn:aws:dynamodb:*:*:table/*",))
SERVICE_NAMED = Selection(name="s", resources=("arn:aws:dynamodb:*",))
TAG_ONLY = Selection(name="s", list_of_tags=(TagEquals(key="backup", value="required"),))


@pytest.mark.parametrize(
    ("selection", "opted_in", "selected", "reason"),
    [
        pytest.param(TYPE_NAMED, False, True, "names it", id="a type is taken whatever the opt-in"),
        pytest.param(SERVICE_NAMED, False, False, "not opted in", id="a service honours the opt-in"),
        pytest.param(SERVICE_NAMED, True, True, "names it", id="a service, opted in"),
        pytest.param(TAG_ONLY, False, False, "not opted in", id="tags honour the opt-in"),
        pytest.param(TAG_ONLY, True, True, "backup=required", id="tags, opted in"),
        pytest.param(TAG_ONLY, None, None, "could not be read", id="tags, opt-in unreadable"),
        pytest.param(TYPE_NAMED, None, True, "names it", id="a type needs no opt-in to be read"),
        pytest.param(Selection(name="s"), True, True, "every opted-in", id="nothing given selects what is opted in"),
        pytest.param(Selection(name="s"), False, False, "not opted in", id="nothing given, opted out"),
        pytest.param(Selection(name="s", resources=("*",)), False, False, "not opted in", id="* honours the opt-in"),
    ],
)
def test_the_opt_in(selection: Selection, opted_in: bool | None, selected: bool | None, reason: str) -> None:
    settings = None if opted_in is None else {"DynamoDB": opted_in}
    membership = resolve(selection, table(backup="required"), settings)
    assert membership.selected is selected
    assert reason in membership.reason


def test_a_type_that_the_settings_do_not_list_is_not_known() -> None:
    assert resolve(TAG_ONLY, table(backup="required"), {"EBS": True}).selected is None


def test_types_that_share_an_arn_format_ask_for_the_opt_in() -> None:
    clusters = Selection(name="s", resources=("arn:aws:rds:*:*:cluster:*",))
    assert resolve(clusters, cluster("a"), {"Aurora": False}).selected is False
    assert resolve(clusters, cluster("a"), {"Aurora": True}).selected is True


class TestWhatProwlerGetsWrong:
    """Four selections that a widely used checker misjudges."""

    def test_a_tag_selection_covers_a_tagged_table(self) -> None:
        assert resolve(TAG_ONLY, table(backup="required"), ALL_IN).selected is True

    def test_not_resources_uncovers_every_table(self) -> None:
        selection = Selection(name="s", resources=("*",), not_resources=("arn:aws:dynamodb:*:*:table/*",))
        membership = resolve(selection, table(), ALL_IN)
        assert membership.selected is False
        assert membership.reason == "NotResources arn:aws:dynamodb:*:*:table/* excludes it"

    def test_conditions_leave_other_tables_out(self) -> None:
        condition = Condition(operator=Operator.STRING_EQUALS, key="aws:ResourceTag/env", value="prod")
        selection = Selection(name="s", resources=("*",), conditions=(condition,))
        assert resolve(selection, table(env="prod"), ALL_IN).selected is True
        membership = resolve(selection, table(env="dev"), ALL_IN)
        assert membership.selected is False
        assert membership.reason == "Conditions.StringEquals aws:ResourceTag/env=prod is not met: the tag is 'dev'"

    @pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
    def test_each_region_is_judged_on_its_own(self, region: str) -> None:
        selection = Selection(name="s", resources=(f"arn:aws:dynamodb:{region}:123456789012:table/orders",))
        here = Resource(arn=f"arn:aws:dynamodb:{region}:123456789012:table/orders", type="DynamoDB", tags={})
        there = Resource(arn="arn:aws:dynamodb:ap-south-1:123456789012:table/orders", type="DynamoDB", tags={})
        assert resolve(selection, here, None).selected is True
        assert resolve(selection, there, None).selected is False

    def test_a_prefix_of_names_is_understood(self) -> None:
        selection = Selection(name="s", resources=("arn:aws:dynamodb:us-east-1:123456789012:table/prod-*",))
        assert resolve(selection, table("prod-orders"), None).selected is True
        assert resolve(selection, table("test-orders"), None).selected is False


@pytest.mark.parametrize("tag", [{"Backup": "required"}, {"backup": "Required"}, {"backup": "required "}])
def test_tags_are_case_sensitive(tag: dict[str, str]) -> None:
    membership = resolve(TAG_ONLY, table(**tag), ALL_IN)
    assert membership.selected is False
    assert membership.reason == "neither Resources nor ListOfTags names it"


def test_list_of_tags_is_or_and_conditions_are_and() -> None:
    either = Selection(name="s", list_of_tags=(TagEquals(key="a", value="1"), TagEquals(key="b", value="2")))
    assert resolve(either, table(b="2"), ALL_IN).selected is True
    conditions = tuple(
        Condition(operator=Operator.STRING_EQUALS, key=f"aws:ResourceTag/{k}", value=v)
        for k, v in (("a", "1"), ("b", "2"))
    )
    both = Selection(name="s", resources=("*",), conditions=conditions)
    assert resolve(both, table(b="2"), ALL_IN).selected is False
    assert resolve(both, table(a="1", b="2"), ALL_IN).selected is True


@pytest.mark.parametrize(
    ("resource", "selected"),
    [
        (table("awsbackup-restore-test-x"), False),
        (table("awsbackup-restore-tes"), True),
        (table("orders", **{"awsbackup-restore-test": ""}), False),
        (table("orders", **{"awsbackup-restore-testing": ""}), None),
    ],
)
def test_plans_ignore_restore_tests(resource: Resource, selected: bool | None) -> None:
    assert resolve(TYPE_NAMED, resource, None).selected is selected


class TestNotKnowing:
    def test_unreadable_tags_make_a_tag_selection_unknown(self) -> None:
        hidden = Resource(arn=table().arn, type="DynamoDB", tags=None)
        membership = resolve(TAG_ONLY, hidden, ALL_IN)
        assert membership.selected is None
        assert membership.reason == "ListOfTags asks for tags that could not be read"

    def test_unreadable_tags_do_not_matter_to_an_arn(self) -> None:
        assert resolve(TYPE_NAMED, Resource(arn=table().arn, type="DynamoDB", tags=None), None).selected is True

    def test_a_definite_no_outweighs_what_is_not_known(self) -> None:
        selection = Selection(name="s", resources=("*",), not_resources=(table().arn,))
        assert resolve(selection, Resource(arn=table().arn, type="DynamoDB", tags=None), None).selected is False

    def test_an_unreadable_condition_outweighs_a_yes(self) -> None:
        condition = Condition(operator=Operator.STRING_NOT_EQUALS, key="aws:ResourceTag/stage", value="test")
        selection = Selection(name="s", resources=(table().arn,), conditions=(condition,))
        hidden = Resource(arn=table().arn, type="DynamoDB", tags=None)
        assert resolve(selection, hidden, None).selected is None

    def test_a_condition_without_the_prefix_is_not_documented(self) -> None:
        condition = Condition(operator=Operator.STRING_EQUALS, key="stage", value="prod")
        membership = resolve(
            Selection(name="s", resources=("*",), conditions=(condition,)), table(stage="prod"), ALL_IN
        )
        assert membership.selected is None
        assert "lacks the prefix aws:ResourceTag/" in membership.reason

    def test_empty_arn_fields_are_not_documented(self) -> None:
        membership = resolve(Selection(name="s", resources=("arn:aws:dynamodb:::table/*",)), table(), ALL_IN)
        assert membership.selected is None
        assert "leaves the Region or account empty" in membership.reason


def test_a_wildcard_that_is_not_at_the_end_is_a_warning() -> None:
    assert resolve(TYPE_NAMED, table(), ALL_IN).warnings == (
        "arn:aws:dynamodb:*:*:table/*: the API reference accepts * only at the end of an ARN, "
        "the guide's examples have it inside",
    )
    suffix = Selection(name="s", resources=("arn:aws:dynamodb:us-east-1:123456789012:table/*", "*"))
    assert resolve(suffix, table(), ALL_IN).warnings == ()


def test_a_prefix_in_list_of_tags_is_a_warning() -> None:
    prefixed = Selection(name="s", list_of_tags=(TagEquals(key="aws:ResourceTag/backup", value="true"),))
    membership = resolve(prefixed, table(backup="true"), ALL_IN)
    assert membership.selected is False
    assert "write it without the prefix" in membership.warnings[0]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Resource": []}, "has no Resource"),
        ({"Resources": "arn"}, "expected a list"),
        ({"Resources": [1]}, "expected a string"),
        ({"Conditions": {"stringEquals": []}}, "no operator stringEquals"),
        ({"ListOfTags": [{"ConditionType": "StringLike"}]}, "only StringEquals, not StringLike"),
        ({"ListOfTags": ["x"]}, "expected an object"),
    ],
)
def test_what_is_no_selection(document: dict[str, object], message: str) -> None:
    with pytest.raises(SelectionError, match=message):
        parse_selection(document)


@given(st.text(), st.text())
def test_a_pattern_without_a_star_matches_only_itself(pattern: str, text: str) -> None:
    literal = pattern.replace("*", "")
    assert matches(literal, text) is (literal == text)


@given(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")))
def test_a_negated_condition_is_the_opposite(tags: dict[str, str]) -> None:
    resource = Resource(arn=table().arn, type="DynamoDB", tags=tags)
    for yes, no in (
        (Operator.STRING_EQUALS, Operator.STRING_NOT_EQUALS),
        (Operator.STRING_LIKE, Operator.STRING_NOT_LIKE),
    ):
        verdicts = [
            resolve(
                Selection(
                    name="s",
                    resources=("*",),
                    conditions=(Condition(operator=operator, key="aws:ResourceTag/a", value="x"),),
                ),
                resource,
                ALL_IN,
            ).selected
            for operator in (yes, no)
        ]
        assert sorted(map(bool, verdicts)) == [False, True]
