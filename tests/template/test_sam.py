"""SAM: what AWS's translator makes of a template, and where each part of it was written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from backcheck.template.load import load, loads
from backcheck.template.node import TemplateError
from backcheck.template.resolve import resolve
from backcheck.template.result import ResolvedTemplate
from backcheck.template.value import Value

FIXTURES = Path(__file__).parents[2] / "fixtures" / "templates"
HEAD = "Transform: AWS::Serverless-2016-10-31\n"


def resolved(text: str, **parameters: str) -> ResolvedTemplate:
    return resolve(loads(HEAD + text, file="t.yaml"), parameters=parameters)


def part(value: Value, *keys: str | int) -> Value:
    for key in keys:
        match value, key:
            case Mapping(), str():
                value = value[key]
            case tuple(), int():
                value = value[key]
            case _:
                pytest.fail(f"{value} has no {key}")
    return value


def test_the_lab_expands_to_thirteen_resources_with_their_lines() -> None:
    done = resolve(load(FIXTURES / "lab/template.yaml"))
    types = sorted(resource.type for resource in done.resources.values())
    assert types.count("AWS::IAM::Role") == 4
    assert types.count("AWS::Lambda::Function") == 3
    assert "AWS::Lambda::Permission" not in types  # the lab's rule has none: EventBridge cannot invoke the function
    role = done.resources["RestoreBackupFunctionRole"]
    statement = "/Properties/Policies/1/PolicyDocument/Statement/1"
    assert (
        part(role.properties, "Policies", 1, "PolicyDocument", "Statement", 1, "Action", 0) == "backup:StartRestoreJob"
    )
    assert role.line_of(f"{statement}/Action/0") == 104
    plan = done.resources["BackupPlan"]
    assert plan.line_of("/Properties/BackupPlan/BackupPlanRule/1/Lifecycle/MoveToColdStorageAfterDays") == 49
    assert done.unresolved == ()


def test_globals_are_merged_and_keep_their_lines() -> None:
    done = resolve(load(FIXTURES / "shapes/globals.yaml"))
    restore = done.resources["Restore"]
    assert (restore.properties["Timeout"], restore.properties["MemorySize"]) == (600, 256)
    assert restore.properties["Runtime"] == "python3.13"
    assert restore.line_of("/Properties/Timeout") == 28
    assert restore.line_of("/Properties/MemorySize") == 12
    assert part(done.resources["Orders"].properties, "SSESpecification", "SSEEnabled") is True
    assert done.resources["Orders"].type == "AWS::DynamoDB::Table"


def test_a_schedule_brings_its_rule_and_permission() -> None:
    done = resolve(load(FIXTURES / "shapes/simple-table.yaml"))
    assert done.resources["ValidateDaily"].type == "AWS::Events::Rule"
    assert done.resources["ValidateDaily"].properties["ScheduleExpression"] == "cron(0 9 * * ? *)"
    assert done.resources["ValidateDailyPermission"].properties["Principal"] == "events.amazonaws.com"
    assert part(done.resources["Products"].properties, "PointInTimeRecoverySpecification") == {
        "PointInTimeRecoveryEnabled": True
    }
    assert done.resources["Bare"].properties["BillingMode"] == "PAY_PER_REQUEST"


def test_managed_policies_come_from_the_bundled_map() -> None:
    done = resolved("""
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.13, Policies: [AWSBackupOperatorAccess, "arn:aws:iam::aws:policy/X"]}
""")
    arns = done.resources["FRole"].properties["ManagedPolicyArns"]
    assert isinstance(arns, tuple)
    assert "arn:aws:iam::aws:policy/AWSBackupOperatorAccess" in arns


def test_a_parameter_that_only_the_account_knows_is_not_taken_for_its_name() -> None:
    done = resolved("""
Parameters:
  Schedule: {Type: "AWS::SSM::Parameter::Value<String>", Default: /schedules/daily}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      Events: {Daily: {Type: Schedule, Properties: {Schedule: !Ref Schedule}}}
""")
    assert [unresolved.path for unresolved in done.unresolved] == ["/Resources/FDaily/Properties/ScheduleExpression"]
    assert done.unresolved[0].line == 11


def test_loops_are_written_out_before_sam() -> None:
    text = """Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Resources:
  Fn::ForEach::Tables:
    - Name
    - [Orders, Stock]
    - "${Name}":
        Type: AWS::Serverless::SimpleTable
        Properties: {TableName: !Ref Name}
"""
    done = resolve(loads(text))
    assert {name: resource.properties["TableName"] for name, resource in done.resources.items()} == {
        "Orders": "Orders",
        "Stock": "Stock",
    }


def test_applications_are_left_for_the_account() -> None:
    done = resolved("""
Resources:
  App:
    Type: AWS::Serverless::Application
    Properties: {Location: {ApplicationId: "arn:aws:serverlessrepo:us-east-1:1:applications/x", SemanticVersion: 1.0.0}}
  T: {Type: AWS::Serverless::SimpleTable}
""")
    assert done.resources["App"].type == "AWS::Serverless::Application"
    assert done.resources["App"].line == 4


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "{Type: AWS::Serverless::Function, Properties: {Runtime: 1, Handler: x, Events: []}}",
            "SAM cannot be expanded",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: r, Policies: [Nope: {}]}}",
            "SAM cannot",
        ),
        ("{Type: AWS::Serverless::SimpleTable, Properties: []}", "SAM cannot be expanded"),
        ("[]", "SAM cannot be expanded|must be a map"),
    ],
)
def test_what_sam_refuses_is_an_error_with_its_reason(resource: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        resolved(f"Resources:\n  T: {{Type: AWS::SNS::Topic}}\n  X: {resource}\n")


def test_sam_is_not_needed_for_other_templates() -> None:
    code = (
        "import sys; from backcheck.template.load import loads; from backcheck.template.resolve import resolve;"
        "resolve(loads('Resources: {A: {Type: T}}'));"
        "assert not {'samtranslator', 'boto3', 'moto'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
