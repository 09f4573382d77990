"""CloudFormation's API over the sandbox's stacks, as boto3 sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from backcheck.sandbox.cloudformation_clients import account_in
from backcheck.sandbox.sandbox import Sandbox

TEMPLATES = Path(__file__).parents[2] / "fixtures" / "templates"
LAB = (TEMPLATES / "lab/mutations/00.yaml").read_text()
BROKEN_LAB = (TEMPLATES / "lab/template.yaml").read_text()
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
VAULT = """
Description: a vault
Parameters:
  Name: {Type: String, Default: vault}
  Secret: {Type: String, NoEcho: true, Default: hunter2}
Resources:
  Vault:
    Type: AWS::Backup::BackupVault
    Properties: {BackupVaultName: !Ref Name, LockConfiguration: {MinRetentionDays: 7}}
  Queue: {Type: AWS::Kinesis::Stream}
Outputs:
  Arn: {Value: !GetAtt Vault.BackupVaultArn, Export: {Name: vault-arn}}
  Queue: {Value: !Ref Queue}
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start=datetime(2026, 11, 1, tzinfo=UTC)) as opened:
        yield opened


def client(sandbox: Sandbox, service: str) -> Any:
    return account_in(sandbox.world).clients(service, "us-east-1")


@pytest.fixture
def cloudformation(sandbox: Sandbox) -> Any:
    return client(sandbox, "cloudformation")


def test_a_stack_is_created_described_and_listed(sandbox: Sandbox, cloudformation: Any) -> None:
    stack_id = cloudformation.create_stack(
        StackName="lab", TemplateBody=LAB, Capabilities=CAPABILITIES, Tags=[{"Key": "team", "Value": "retail"}]
    )["StackId"]
    assert stack_id.startswith("arn:aws:cloudformation:us-east-1:123456789012:stack/lab/")
    stack = cloudformation.describe_stacks(StackName="lab")["Stacks"][0]
    assert (stack["StackId"], stack["StackStatus"]) == (stack_id, "CREATE_COMPLETE")
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="lab", WaiterConfig={"Delay": 1, "MaxAttempts": 1}
    )
    rows = {
        row["LogicalResourceId"]: row
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName="lab")
        for row in page["StackResourceSummaries"]
    }
    assert len(rows) == 13
    assert rows["ProductsTable"]["PhysicalResourceId"] == "lab-products"
    assert "not in the sandbox" in rows["TestPITRRestore"]["ResourceStatusReason"]
    assert len(cloudformation.describe_stack_resources(StackName="lab")["StackResources"]) == 13
    one = cloudformation.describe_stack_resource(StackName="lab", LogicalResourceId="BackupVault")
    assert one["StackResourceDetail"]["PhysicalResourceId"] == "lab-vault"
    assert cloudformation.get_template(StackName="lab")["TemplateBody"] == LAB
    tags = client(sandbox, "dynamodb").list_tags_of_resource(
        ResourceArn="arn:aws:dynamodb:us-east-1:123456789012:table/lab-products"
    )["Tags"]
    assert {"Key": "team", "Value": "retail"} in tags


def test_a_refused_template_ends_rolled_back_with_the_services_words(cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="lab", TemplateBody=BROKEN_LAB, Capabilities=CAPABILITIES)
    stack = cloudformation.describe_stacks(StackName="lab")["Stacks"][0]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName="lab")["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert [event["LogicalResourceId"] for event in failed] == ["BackupPlan"]
    assert "cannot be less than 90 days apart" in failed[0]["ResourceStatusReason"]
    assert events[0]["ResourceStatus"] == "ROLLBACK_COMPLETE"


def test_parameters_outputs_and_exports(cloudformation: Any) -> None:
    cloudformation.create_stack(
        StackName="s", TemplateBody=VAULT, Parameters=[{"ParameterKey": "Name", "ParameterValue": "given"}]
    )
    stack = cloudformation.describe_stacks()["Stacks"][0]
    shown = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    assert shown == {"Name": "given", "Secret": "****"}
    outputs = {output["OutputKey"]: output for output in stack["Outputs"]}
    assert outputs["Arn"]["OutputValue"] == "arn:aws:backup:us-east-1:123456789012:backup-vault:given"
    assert outputs["Arn"]["ExportName"] == "vault-arn"
    assert "OutputValue" not in outputs["Queue"]  # a stream is not modelled: its name is not known
    assert cloudformation.list_exports()["Exports"][0]["Name"] == "vault-arn"


def test_drift_is_what_changed_since_the_stack_was_created(sandbox: Sandbox, cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="lab", TemplateBody=LAB, Capabilities=CAPABILITIES)

    def detected() -> tuple[str, list[dict[str, Any]]]:
        detection = cloudformation.detect_stack_drift(StackName="lab")["StackDriftDetectionId"]
        status = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        assert status["DetectionStatus"] == "DETECTION_COMPLETE"
        wanted = ["MODIFIED", "DELETED"]
        drifts = cloudformation.describe_stack_resource_drifts(StackName="lab", StackResourceDriftStatusFilters=wanted)
        return status["StackDriftStatus"], drifts["StackResourceDrifts"]

    assert cloudformation.describe_stacks()["Stacks"][0]["DriftInformation"] == {"StackDriftStatus": "NOT_CHECKED"}
    assert detected() == ("IN_SYNC", [])
    client(sandbox, "dynamodb").update_continuous_backups(
        TableName="lab-products", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    client(sandbox, "backup").delete_backup_vault(BackupVaultName="lab-vault")
    status, drifts = detected()
    assert status == "DRIFTED"
    assert {drift["LogicalResourceId"]: drift["StackResourceDriftStatus"] for drift in drifts} == {
        "ProductsTable": "MODIFIED",
        "BackupVault": "DELETED",
    }
    table = next(drift for drift in drifts if drift["LogicalResourceId"] == "ProductsTable")
    changed = {row["PropertyPath"]: (row["ExpectedValue"], row["ActualValue"]) for row in table["PropertyDifferences"]}
    path = "/us-east-1/PointInTimeRecovery/PointInTimeRecoveryStatus"
    assert changed[path] == ('"ENABLED"', '"DISABLED"')
    information = cloudformation.describe_stacks()["Stacks"][0]["DriftInformation"]
    assert information["StackDriftStatus"] == "DRIFTED"


def test_what_cannot_be_compared_is_unknown_and_not_in_sync(sandbox: Sandbox, cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="s", TemplateBody=VAULT)
    sandbox.faults.deny("backup:DescribeBackupVault")
    detection = cloudformation.detect_stack_drift(StackName="s")["StackDriftDetectionId"]
    status = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert status["StackDriftStatus"] == "UNKNOWN"
    drift = cloudformation.describe_stack_resource_drifts(StackName="s")["StackResourceDrifts"][0]
    assert "AccessDenied" in drift["DriftStatusReason"]


def test_a_deleted_stack_is_found_by_its_id_only(cloudformation: Any) -> None:
    stack_id = cloudformation.create_stack(StackName="s", TemplateBody=VAULT)["StackId"]
    cloudformation.delete_stack(StackName="s")
    cloudformation.delete_stack(StackName="s")
    with pytest.raises(ClientError, match="Stack with id s does not exist"):
        cloudformation.describe_stacks(StackName="s")
    assert cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert cloudformation.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"] == []
    assert len(cloudformation.list_stacks()["StackSummaries"]) == 1
    assert cloudformation.create_stack(StackName="s", TemplateBody=VAULT)["StackId"] != stack_id


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"TemplateBody": "Resources: {A: ["}, "ValidationError", "Template format error"),
        ({"TemplateBody": VAULT, "StackName": "-"}, "ValidationError", "no name for a stack"),
        (
            {"TemplateBody": VAULT, "Parameters": [{"ParameterKey": "Nope", "ParameterValue": "x"}]},
            "ValidationError",
            r"Parameters: \[Nope\] do not exist",
        ),
        ({"TemplateBody": LAB}, "InsufficientCapabilitiesException", "CAPABILITY_AUTO_EXPAND"),
        (
            {"TemplateBody": LAB, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]},
            "InsufficientCapabilitiesException",
            "CAPABILITY_IAM",
        ),
        ({"TemplateURL": "https://s3.amazonaws.com/b/t"}, "UnsupportedOperation", "templates in S3"),
        ({"TemplateBody": VAULT, "DisableRollback": True}, "UnsupportedOperation", "without rollback"),
    ],
)
def test_what_create_stack_refuses(cloudformation: Any, arguments: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        cloudformation.create_stack(**{"StackName": "s", **arguments})
    assert caught.value.response["Error"]["Code"] == code


def test_a_named_role_needs_the_stronger_capability(cloudformation: Any) -> None:
    body = "Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {}}}}"
    with pytest.raises(ClientError, match="CAPABILITY_NAMED_IAM"):
        cloudformation.create_stack(StackName="s", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])


def test_a_name_is_taken_once(cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="s", TemplateBody=VAULT)
    with pytest.raises(ClientError, match=r"Stack \[s\] already exists") as caught:
        cloudformation.create_stack(StackName="s", TemplateBody=VAULT)
    assert caught.value.response["Error"]["Code"] == "AlreadyExistsException"


@pytest.mark.parametrize("operation", ["update_stack", "get_template_summary"])
def test_what_is_not_modelled_is_unsupported(cloudformation: Any, operation: str) -> None:
    arguments = {"StackName": "s"} if operation == "get_template_summary" else {"StackName": "s", "TemplateBody": VAULT}
    with pytest.raises(ClientError) as caught:
        getattr(cloudformation, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "UnsupportedOperation"


def test_pages_are_followed(cloudformation: Any) -> None:
    topics = "\n".join(f"  T{index}: {{Type: AWS::Kinesis::Stream}}" for index in range(250))
    cloudformation.create_stack(StackName="s", TemplateBody=f"Resources:\n{topics}\n")
    first = cloudformation.list_stack_resources(StackName="s")
    assert "NextToken" in first
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName="s")
    assert sum(len(page["StackResourceSummaries"]) for page in pages) == 250


def test_a_served_sandbox_deploys_for_any_client(sandbox: Sandbox) -> None:
    server = sandbox.serve()
    served = boto3.client("cloudformation", region_name="us-east-1", endpoint_url=f"http://{server.address}")
    served.create_stack(StackName="served", TemplateBody=LAB, Capabilities=CAPABILITIES)
    assert served.describe_stacks(StackName="served")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert client(sandbox, "backup").list_backup_plans()["BackupPlansList"][0]["BackupPlanName"] == "served-backup-plan"


def test_another_accounts_stack_is_its_own(sandbox: Sandbox) -> None:
    other = sandbox.client("cloudformation", account="222222222222")
    other.create_stack(StackName="s", TemplateBody=VAULT)
    assert sandbox.client("cloudformation").describe_stacks()["Stacks"] == []
    vaults = sandbox.client("backup", account="222222222222").list_backup_vaults()["BackupVaultList"]
    assert vaults[0]["BackupVaultArn"] == "arn:aws:backup:us-east-1:222222222222:backup-vault:vault"
