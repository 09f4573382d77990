"""Whole templates: conditions, references, laziness, and what stays unknown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backcheck.template.environment import Environment
from backcheck.template.load import load, loads
from backcheck.template.node import TemplateError
from backcheck.template.resolve import resolve
from backcheck.template.result import ResolvedTemplate
from backcheck.template.value import Reference, Unresolved, Value

POISON = "!FindInMap [Nowhere, no, no]"
"""Raises when it is looked at."""


def resolved(text: str, environment: Environment | None = None, **parameters: str) -> ResolvedTemplate:
    return resolve(loads(text, file="t.yaml"), parameters=parameters, environment=environment)


def value_of(expression: str) -> Value:
    """What `expression` comes to as a property, with a parameter, three conditions and two resources about."""
    text = f"""

Parameters:
  P: {{Type: String, Default: p}}
  Missing: {{Type: String}}
  List: {{Type: CommaDelimitedList, Default: "a,b"}}
Mappings: {{M: {{top: {{key: found, list: [x, y]}}}}}}
Conditions:
  Yes: !Equals [!Ref P, p]
  No: !Not [!Condition Yes]
  Maybe: !Equals [!Ref Missing, x]
Resources:
  Other: {{Type: AWS::SNS::Topic}}
  Never: {{Type: AWS::SNS::Topic, Condition: No}}
  Perhaps: {{Type: AWS::SNS::Topic, Condition: Maybe}}
  R:
    Type: AWS::SNS::Topic
    Properties:
      x: {expression}
"""
    return resolved(text).resources["R"].properties.get("x", "(removed)")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!Ref P", "p"),
        ("!Ref List", ("a", "b")),
        ("!Ref AWS::NoValue", "(removed)"),
        ("[1, !Ref AWS::NoValue, 2]", (1, 2)),
        ("{a: !Ref AWS::NoValue, b: {c: !Ref AWS::NoValue}}", {"b": {}}),
        ("!Ref AWS::Partition", "aws"),
        ("!Ref AWS::URLSuffix", "amazonaws.com"),
        ("!Ref AWS::NotificationARNs", ()),
        ('!Sub "${AWS::StackName}-${P}-${!Literal}-$P"', "backcheck-p-${Literal}-$P"),
        ('!Sub ["${v}${v}", {v: !Ref P, unused: ' + POISON + "}]", "pp"),
        (f"!If [Yes, taken, {POISON}]", "taken"),
        (f"!If [No, {POISON}, !If [No, {POISON}, [!If [No, {POISON}, kept]]]]", ("kept",)),
        ("!If [No, x, !Ref AWS::NoValue]", "(removed)"),
        ("!FindInMap [M, top, key]", "found"),
        ("!FindInMap [M, top, list]", ("x", "y")),
        ("!FindInMap [M, top, none, {DefaultValue: d}]", "d"),
        ("!FindInMap [M, top, none, {DefaultValue: !Ref AWS::NoValue}]", "(removed)"),
        (f"!FindInMap [M, top, key, {{DefaultValue: {POISON}}}]", "found"),
        ("!Select [1, !Ref List]", "b"),
        ("!Join ['-', [a, !If [No, x, !Ref AWS::NoValue], b]]", "a-b"),
        (
            "{Statement: [{Condition: {Bool: {aws:x: true}}}]}",
            {"Statement": ({"Condition": {"Bool": {"aws:x": True}}},)},
        ),
        ("{Ref: P, other: 1}", {"Ref": "P", "other": 1}),
    ],
)
def test_expressions(expression: str, value: Value) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("!Ref Missing", "parameter Missing has no value"),
        ('!Sub "a-${Missing}"', "parameter Missing has no value"),
        ("!Join [',', [a, !Ref Missing]]", "parameter Missing has no value"),
        ("!FindInMap [M, !Ref Missing, key]", "parameter Missing has no value"),
        ("!If [Maybe, 1, 2]", "condition Maybe depends on it: parameter Missing has no value"),
        ("!Ref Perhaps", "condition Maybe depends on it"),
        ("!GetAtt Perhaps.TopicName", "condition Maybe depends on it"),
        ("!ImportValue nobodys", "no export named nobodys in us-east-1"),
        ("!GetAZs ''", "the availability zones of us-east-1 are the account's own"),
        ("{Fn::GetStackOutput: {StackName: s, OutputName: o}}", "no output o of a stack s in us-east-1"),
        ("{Fn::GetStackOutput: {StackName: s, OutputName: o, RoleArn: r}}", "another account's"),
        ("'{{resolve:ssm:/x}}'", r"a dynamic reference \(ssm\)"),
        ("{Fn::Transform: {Name: 'AWS::Include', Parameters: {Location: s3://x}}}", "AWS::Include is a macro"),
        ("null", "null"),
    ],
)
def test_what_is_not_known_says_why_and_where(expression: str, reason: str) -> None:
    value = value_of(expression)
    assert isinstance(value, Unresolved)
    assert value.path == "/Resources/R/Properties/x"
    assert value.line == 19
    assert re.search(reason, value.reason)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("!Ref Nothing", r"Unresolved resource dependencies \[Nothing\]"),
        ("!GetAtt Nothing.Arn", r"Unresolved resource dependencies \[Nothing\]"),
        ("!Ref Never", "its condition is false"),
        ("!Ref AWS::Nope", "no pseudo parameter AWS::Nope"),
        ("!Ref {Fn::Sub: P}", "must have a single string value"),
        ("!If [Nope, 1, 2]", "Unresolved condition dependency Nope"),
        ("!If [Yes, 1]", "Fn::If takes a list of 3"),
        ('!Sub "${a b}"', "variable names in Fn::Sub syntax"),
        ("!Sub [1]", "Fn::Sub takes a list of 2"),
        ("!FindInMap [M, top, none]", "Unable to get mapping for M::top::none"),
        ("!Select [9, [a]]", "nonexistent value at index 9"),
        ("{Fn::Nope: 1}", "unknown function Fn::Nope"),
        ("{Fn::Join: [], other: 1}", "must stand alone"),
        ("{Fn::Length: [1]}", "needs Transform: AWS::LanguageExtensions"),
        ("{Fn::ForEach::X: [A, [a], {b: c}]}", "needs Transform: AWS::LanguageExtensions"),
        ("{Fn::ImportValue: !Ref Other}", "cannot depend on a resource"),
        ("!Join [',', [[a]]]", "not a list or a map"),
    ],
)
def test_what_cloudformation_refuses(expression: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message) as caught:
        value_of(expression)
    assert caught.value.where.startswith("t.yaml:19:")


def test_references_between_resources_stay_symbolic() -> None:
    value = value_of("!GetAtt Other.TopicName")
    assert value == Reference(logical_id="Other", attribute="TopicName", path="/Resources/R/Properties/x", line=19)


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ("!Equals [true, 'true']", True),
        ("!Equals [1, '1']", True),
        ("!Equals [[a], [a]]", True),
        ("!Equals [!Ref List, [a, b]]", True),
        ("!Or [!Equals [1, 2], !Equals [1, 1]]", True),
        ("!And [!Equals [1, 2], !Equals [1, 1]]", False),
        ("!Not [!Equals [1, 2]]", True),
        ("!And [!Equals [1, 2], !Condition Unknown]", False),
        ("!Or [!Condition Unknown, !Equals [1, 1]]", True),
        ("!And [!Equals [1, 1], !Condition Unknown]", None),
        ("!Or [!Equals [1, 2], !Condition Unknown]", None),
        ("!Not [!Condition Unknown]", None),
    ],
)
def test_conditions_know_three_verdicts(condition: str, verdict: bool | None) -> None:
    done = resolved(f"""
Parameters: {{Missing: {{Type: String}}, List: {{Type: CommaDelimitedList, Default: "a,b"}}}}
Conditions:
  Unknown: !Equals [!Ref Missing, x]
  C: {condition}
Resources:
  Always: {{Type: T}}
  R: {{Type: T, Condition: C}}
""")
    assert ("R" in done.resources) is (verdict is True)
    assert [resource.logical_id for resource in done.undecided] == (["R"] if verdict is None else [])
    assert bool(done.unresolved) is (verdict is None)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("!Condition C", "Circular dependency between conditions: C -> C"),
        ("!Equals [1]", "Fn::Equals takes a list of 2"),
        ("!And [!Equals [1, 1]]", "Fn::And takes a list of 2 to 10"),
        ("!Equals [!Ref R, 1]", r"Unresolved dependencies \[R\]. Cannot reference resources in the Conditions block"),
        ("!Equals [!Ref AWS::NoValue, 1]", "AWS::NoValue cannot be compared"),
        ("plain", "a condition is one of"),
        ("!Sub x", "no condition function"),
    ],
)
def test_conditions_that_are_none(condition: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        resolved(f"Conditions: {{C: {condition}}}\nResources: {{R: {{Type: T}}, S: {{Type: T, Condition: C}}}}")


def test_a_condition_that_nothing_uses_is_not_evaluated() -> None:
    assert resolved(f"Conditions: {{C: !Equals [{POISON}, 1]}}\nResources: {{R: {{Type: T}}}}").resources


def test_a_resource_that_is_not_created_and_its_output_are_not_looked_at() -> None:
    done = resolved(f"""
Conditions: {{No: !Equals [a, b]}}
Resources:
  Kept: {{Type: T, DependsOn: [Gone]}}
  Gone: {{Type: T, Condition: No, Properties: {{x: {POISON}}}}}
Outputs:
  Out: {{Condition: No, Value: {POISON}}}
""")
    assert list(done.resources) == ["Kept"]
    assert done.resources["Kept"].depends_on == ()
    assert not done.outputs


def test_policies_dependencies_and_lines() -> None:
    done = resolved("""
Conditions: {Yes: !Equals [a, a]}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Vault:
    Type: AWS::Backup::BackupVault
    DeletionPolicy: Retain
    DependsOn: Topic
    Properties:
      Tags:
        - !If [Yes, !Ref AWS::NoValue, x]
        - !If
          - Yes
          - Key: k
            Value: !GetAtt Topic.TopicName
          - no
""")
    vault = done.resources["Vault"]
    assert (vault.deletion_policy, vault.update_replace_policy) == ("Retain", "Delete")
    assert vault.depends_on == ("Topic",)
    assert vault.line == 5
    assert vault.line_of("/Properties/Tags/0/Value") == 15
    assert vault.line_of("/Properties/Tags/0/Value/deeper") == 15
    assert vault.line_of("/Properties/Absent") == 9
    assert vault.line_of("/Nothing") == 5
    assert vault.line_of("/DeletionPolicy") == 7


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("{Type: T, DeletionPolicy: Keep}", "DeletionPolicy must be one of Delete, Retain"),
        (
            "{Type: T, UpdateReplacePolicy: RetainExceptOnCreate}",
            "UpdateReplacePolicy must be one of Delete, Retain, Snapshot",
        ),
        ("{Type: T, Propertys: {}}", "Encountered unsupported property Propertys"),
        ("{Type: T, Properties: []}", "Properties must be a map"),
        ("{Properties: {}}", "must be a map with a Type"),
        ("{Type: T, DependsOn: {a: b}}", "DependsOn takes logical ids"),
        ("{Type: T, Condition: [x]}", "Condition takes the name"),
    ],
)
def test_resources_that_are_none(resource: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        resolved(f"Resources: {{R: {resource}}}")


def test_exports_and_outputs_of_other_stacks_are_used() -> None:
    class Stacks:
        def exported(self, name: str) -> Value | None:
            return f"exported {name}"

        def output(self, *, stack_name: str, output_name: str, region: str) -> Value | None:
            return f"{stack_name}.{output_name} in {region}"

    environment = Environment(
        region="cn-north-1",
        stack_name="s",
        availability_zones={"cn-north-1": ("cn-north-1a",)},
        other_stacks=Stacks(),
    )
    done = resolved(
        """
Resources:
  R:
    Type: T
    Properties:
      imported: {Fn::ImportValue: !Sub "${AWS::StackName}-x"}
      output: {Fn::GetStackOutput: {StackName: other, OutputName: o, Region: eu-west-1}}
      zones: !GetAZs {Ref: AWS::Region}
      suffix: !Sub "${AWS::Partition} ${AWS::URLSuffix} ${AWS::StackId}"
""",
        environment,
    )
    assert done.resources["R"].properties == {
        "imported": "exported s-x",
        "output": "other.o in eu-west-1",
        "zones": ("cn-north-1a",),
        "suffix": "aws-cn amazonaws.com.cn arn:aws-cn:cloudformation:cn-north-1:123456789012:stack/s/"
        "00000000-0000-0000-0000-000000000000",
    }


def test_macros_are_refused_and_hooks_are_warned_about() -> None:
    with pytest.raises(TemplateError, match="macro Mine can be expanded in an account only") as caught:
        resolved("Transform: [Mine]\nResources: {R: {Type: T}}")
    assert "--template-stage Processed" in caught.value.hint
    done = resolved("Transform: AWS::CodeDeployBlueGreen\nHooks: {}\nResources: {R: {Type: T}}")
    assert [warning.message.split(" ")[0] for warning in done.warnings] == ["Hooks", "transform"]


def test_a_macro_among_the_resources_is_reported() -> None:
    done = resolved("Resources:\n  R: {Type: T}\n  Fn::Transform: {Name: 'AWS::Include'}\n")
    assert list(done.resources) == ["R"]
    assert "a macro adds resources" in done.unresolved[0].reason


def test_a_chain_of_conditions_too_deep_is_an_error_and_no_crash() -> None:
    chain = "\n".join(f"  C{i}: !Not [!Condition C{i + 1}]" for i in range(2000))
    with pytest.raises(TemplateError, match="nested too deep"):
        resolved(f"Conditions:\n{chain}\n  C2000: !Equals [1, 1]\nResources: {{R: {{Type: T, Condition: C0}}}}")


def test_functions_cannot_exhaust_the_memory() -> None:
    long = "x" * 4000
    joins = "\n".join(f"      p{i}: !Sub '{'${P}' * 200}'" for i in range(100))
    with pytest.raises(TemplateError, match="produce more than"):
        resolved(
            f"Parameters: {{P: {{Type: String}}}}\nResources:\n  R:\n    Type: T\n    Properties:\n{joins}", P=long
        )


def test_a_repository_file_resolves_by_path() -> None:
    path = Path(__file__).parents[2] / "fixtures/templates/lab/template.yaml"
    assert resolve(load(path)).file == str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Globals: {}\nResources: {R: {Type: T}}", "Globals needs Transform: AWS::Serverless-2016-10-31"),
        ("Resources: {Fn::ForEach::L: [A, [a], {}]}", "Fn::ForEach needs Transform: AWS::LanguageExtensions"),
        ("Resources: {R: {Type: T}}\nOutputs: {O: {Description: d}}", "output O has no Value"),
        ("Resources: {R: {Type: T}}\nOutputs: {O: {Value: !Ref AWS::NoValue}}", "AWS::NoValue cannot stand here"),
        ("Resources:\n" + "\n".join(f"  R{i}: {{Type: T}}" for i in range(501)), "501 resources; CloudFormation takes"),
    ],
)
def test_templates_that_cloudformation_refuses_whole(text: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        resolved(text)


def test_a_policy_that_is_not_known_protects_nothing_and_is_reported() -> None:
    done = resolved("""
Transform: AWS::LanguageExtensions
Parameters: {Policy: {Type: String}}
Resources:
  R: {Type: T, DeletionPolicy: !Ref Policy, UpdateReplacePolicy: !Ref AWS::NoValue}
""")
    assert (done.resources["R"].deletion_policy, done.resources["R"].update_replace_policy) == ("Delete", "Delete")
    assert done.unresolved[0].path == "/Resources/R/DeletionPolicy"


def test_properties_that_are_not_known_as_a_whole_leave_the_resource_undecided() -> None:
    done = resolved("""
Parameters: {Stage: {Type: String}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  R: {Type: T, Properties: !If [Prod, {a: 1}, {a: 2}]}
Outputs:
  O: {Condition: Prod, Value: x}
  Fn::Transform: {Name: "AWS::Include"}
""")
    assert list(done.resources) == []
    assert [(r.logical_id, r.because.line) for r in done.undecided] == [("R", 5)]
    assert [unresolved.line for unresolved in done.unresolved] == [3, 5, 8]


def test_an_include_beside_properties_is_reported_and_the_others_are_kept() -> None:
    done = resolved("""
Resources:
  R:
    Type: T
    Properties:
      kept: 1
      Fn::Transform: {Name: "AWS::Include", Parameters: {Location: s3://b/k}}
      joined: {Fn::GetAtt: R.Arn}
""")
    properties = done.resources["R"].properties
    assert properties["kept"] == 1
    assert isinstance(properties["Fn::Transform"], Unresolved)
    assert isinstance(properties["joined"], Reference)


def test_aliases_warn_with_their_place() -> None:
    done = resolved("Metadata: {a: &a {x: 1}}\nResources: {R: {Type: T, Properties: *a}}")
    assert [(warning.line, warning.column) for warning in done.warnings] == [(2, 38)]
