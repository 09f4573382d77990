"""Fn::ForEach against the examples of its page."""

from __future__ import annotations

import pytest

from backcheck.template.load import loads
from backcheck.template.node import TemplateError
from backcheck.template.resolve import resolve
from backcheck.template.result import ResolvedTemplate

HEAD = "Transform: AWS::LanguageExtensions\n"


def resolved(text: str, **parameters: str) -> ResolvedTemplate:
    return resolve(loads(HEAD + text, file="t.yaml"), parameters=parameters)


def test_topics_of_the_page() -> None:
    done = resolved("""
Resources:
  Fn::ForEach::Topics:
    - TopicName
    - [Success, Failure, Timeout, Unknown]
    - SnsTopic${TopicName}:
        Type: AWS::SNS::Topic
        Properties: {TopicName: !Sub "${TopicName}.fifo", FifoTopic: true}
""")
    assert {name: dict(resource.properties) for name, resource in done.resources.items()} == {
        f"SnsTopic{name}": {"TopicName": f"{name}.fifo", "FifoTopic": True}
        for name in ("Success", "Failure", "Timeout", "Unknown")
    }
    assert done.resources["SnsTopicFailure"].line == 7


def test_nested_loops_with_computed_references_and_a_condition_that_is_left_out() -> None:
    done = resolved("""
Mappings: {Net: {Condition: {B: Two}}}
Conditions: {Two: !Equals [!Ref AWS::Region, eu-west-1]}
Resources:
  Fn::ForEach::Outer:
    - Prefix
    - [Transit, Public]
    - "Nacl${Prefix}": {Type: AWS::EC2::NetworkAcl}
      Fn::ForEach::Inner:
        - Suffix
        - [A, B]
        - "${Prefix}${Suffix}":
            Type: AWS::EC2::Subnet
            Condition: !FindInMap [Net, Condition, !Ref Suffix, {DefaultValue: !Ref AWS::NoValue}]
            Properties:
              Acl: !Ref {Fn::Sub: "Nacl${Prefix}"}
""")
    assert list(done.resources) == ["NaclTransit", "TransitA", "NaclPublic", "PublicA"]
    assert done.resources["PublicA"].depends_on == ("NaclPublic",)


def test_loops_in_properties_conditions_and_outputs() -> None:
    done = resolved("""
Mappings:
  InstanceA: {Properties: {ImageId: ami-1, InstanceType: m5.xlarge}}
  InstanceB: {Properties: {ImageId: ami-2}}
Conditions:
  Fn::ForEach::Wanted: [Id, [InstanceA, InstanceB], {"Wanted${Id}": !Equals [!Sub "${Id}", InstanceA]}]
Resources:
  Fn::ForEach::Instances:
    - Id
    - [InstanceA, InstanceB]
    - "${Id}":
        Type: AWS::EC2::Instance
        Properties:
          Wanted: !If [!Sub "Wanted${Id}", 1, 0]
          Fn::ForEach::Properties:
            - Name
            - [ImageId, InstanceType]
            - "${Name}": !FindInMap [!Ref Id, Properties, !Ref Name, {DefaultValue: !Ref AWS::NoValue}]
Outputs:
  Fn::ForEach::Ids: [Id, [InstanceA, InstanceB], {"${Id}Id": {Value: !Ref Id}}]
""")
    assert done.resources["InstanceA"].properties == {"Wanted": 1, "ImageId": "ami-1", "InstanceType": "m5.xlarge"}
    assert done.resources["InstanceB"].properties == {"Wanted": 0, "ImageId": "ami-2"}
    assert {name: output.value for name, output in done.outputs.items()} == {
        "InstanceAId": "InstanceA",
        "InstanceBId": "InstanceB",
    }


def test_characters_that_a_logical_id_cannot_have_are_dropped_from_it() -> None:
    done = resolved(
        """
Parameters: {Cidrs: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Subnets:
    - Cidr
    - !Ref Cidrs
    - "Subnet&{Cidr}": {Type: AWS::EC2::Subnet, Properties: {CidrBlock: !Ref Cidr}}
""",
        Cidrs="10.0.2.0/24,10.0.3.0/24",
    )
    assert {name: resource.properties["CidrBlock"] for name, resource in done.resources.items()} == {
        "Subnet1002024": "10.0.2.0/24",
        "Subnet1003024": "10.0.3.0/24",
    }


def test_a_collection_that_is_not_known_is_reported() -> None:
    done = resolved("""
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      Fn::ForEach::Inner: [Id, !Ref Names, {"${Id}": 1}]
  Fn::ForEach::Tables: [Id, !Ref Names, {"T${Id}": {Type: AWS::DynamoDB::Table}}]
""")
    assert list(done.resources) == ["Topic"]
    assert [unresolved.reason for unresolved in done.unresolved] == [
        "parameter Names has no value: it has no default and none was given"
    ] * 2


@pytest.mark.parametrize(
    ("loop", "message"),
    [
        ("[Id, [a]]", "takes an identifier, a collection and a map"),
        ("[[Id], [a], {}]", "takes an identifier, a collection and a map"),
        ("[Id, a, {x: y}]", "the collection must be a list"),
        ("[Id, [[a]], {x: y}]", "a list of strings"),
        ("[Id, [!Ref Topic], {x: y}]", "a list of strings that are known"),
        ("[Id, [a, b], {Same: {Type: T}}]", "Same is given twice"),
        ("[Id, [a], {Topic: {Type: T}}]", "Topic is given twice"),
    ],
)
def test_malformed_loops(loop: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        resolved(f"Resources:\n  Topic: {{Type: AWS::SNS::Topic}}\n  Fn::ForEach::X: {loop}\n")


def test_loops_in_loops_cannot_exhaust_the_memory() -> None:
    loop = '{"X${A}${B}${C}${D}": {Type: T}}'
    for name in "ABCD":
        loop = f"{{Fn::ForEach::{name}: [{name}, !Ref Many, {loop}]}}"
    many = ",".join(f"v{i}" for i in range(100))
    with pytest.raises(TemplateError, match="write more than"):
        resolved(f"Parameters: {{Many: {{Type: CommaDelimitedList}}}}\nResources: {loop}\n", Many=many)
