"""What a template leaves unknown stays unknown in the stack, and is no refusal of AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.sandbox.stacks import ONE_LINE_TABLE, START, client, deployed, resource

from backcheck.sandbox.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start=START) as opened:
        yield opened


def test_what_could_not_be_resolved_is_left_out_and_reported(sandbox: Sandbox) -> None:
    stack = deployed(sandbox, "shapes/ssm-references.yaml")
    reported = {r.logical_id: [(pointer, why.line) for pointer, why in r.unresolved] for r in stack.incomplete}
    assert reported == {
        "Table": [("/Tags/0", 22)],
        "Vault": [("/EncryptionKeyArn", 28)],
        "Topic": [("/DisplayName", 33)],
    }
    assert "AWS::SecretsManager::Secret" in stack.resources["Topic"].unresolved[0][1].reason
    tags = client(sandbox, "dynamodb").list_tags_of_resource(
        ResourceArn="arn:aws:dynamodb:us-east-1:123456789012:table/techmoda-products"
    )["Tags"]
    assert {"Key": "owner", "Value": "retail"} in tags
    assert all(tag["Key"] != "cost-centre" for tag in tags)


def test_an_unknown_in_a_policy_keeps_its_place(sandbox: Sandbox) -> None:
    template = """
Parameters: {Who: {Type: String}}
Resources:
  Vault:
    Type: AWS::Backup::BackupVault
    Properties:
      BackupVaultName: vault
      AccessPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: !Ref Who}, Action: "backup:CopyIntoBackupVault", Resource: "*"}
"""
    stack = deployed(sandbox, template)
    assert stack.status == "CREATE_COMPLETE"
    assert stack.resources["Vault"].unresolved[0][0] == "/AccessPolicy/Statement/0/Principal/AWS"


def test_a_refusal_without_an_unknown_part_says_nothing_about_aws(sandbox: Sandbox) -> None:
    template = "Parameters: {Name: {Type: String}}\n" + resource(
        "AWS::Backup::BackupVault", "{BackupVaultName: !Ref Name}"
    )
    stack = deployed(sandbox, template)
    assert stack.status == "CREATE_COMPLETE"
    assert stack.not_created[0].skipped.startswith("it could not be created here")


def test_a_resource_whose_condition_is_not_known_is_reported(sandbox: Sandbox) -> None:
    template = """
Parameters: {Stage: {Type: "AWS::SSM::Parameter::Value<String>", Default: /stage}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  Vault: {Type: AWS::Backup::BackupVault, Condition: Prod, Properties: {BackupVaultName: vault}}
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Vault}}
"""
    stack = deployed(sandbox, template)
    assert stack.status == "CREATE_COMPLETE"
    assert "is not known: condition Prod" in stack.resources["Vault"].skipped
    assert stack.resources["Topic"].unresolved[0][0] == "/DisplayName"


def test_what_the_sandbox_does_not_model_is_no_refusal_of_aws(sandbox: Sandbox) -> None:
    properties = "{BackupVaultName: gap, MinRetentionDays: 7, MaxRetentionDays: 30}"
    stack = deployed(sandbox, resource("AWS::Backup::LogicallyAirGappedBackupVault", properties))
    assert stack.status == "CREATE_COMPLETE"
    vault = stack.resources["R"]
    assert vault.physical is not None or "UnsupportedOperation" in vault.skipped
    queue = deployed(sandbox, resource("AWS::Kinesis::Stream", "{}"), name="queue")
    assert queue.not_created[0].skipped == "AWS::Kinesis::Stream is not modelled in the sandbox"


def test_properties_that_are_not_modelled_are_named(sandbox: Sandbox) -> None:
    properties = f"{{TableName: t, {ONE_LINE_TABLE}, ContributorInsightsSpecification: {{Enabled: true}}, Typo: 1}}"
    stack = deployed(sandbox, resource("AWS::DynamoDB::Table", properties))
    assert stack.resources["R"].ignored == ("/ContributorInsightsSpecification", "/Typo")
