"""The sandbox has what an audit calls, and each of its own operations replies by AWS's model."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import get_session

from backcheck.inventory.operations import OPERATIONS as CALLED
from backcheck.sandbox import Sandbox, shapes
from backcheck.sandbox.operations import OPERATIONS
from backcheck.sandbox.refusal import Refusal

ARGUMENTS: dict[str, dict[str, Any]] = {
    "backup:GetBackupPlan": {"BackupPlanId": "x"},
    "backup:ListBackupSelections": {"BackupPlanId": "x"},
    "backup:GetBackupSelection": {"BackupPlanId": "x", "SelectionId": "x"},
    "backup:GetBackupVaultAccessPolicy": {"BackupVaultName": "xx"},
    "backup:GetBackupVaultNotifications": {"BackupVaultName": "xx"},
    "backup:ListRecoveryPointsByBackupVault": {"BackupVaultName": "xx"},
    "backup:ListRecoveryPointsByResource": {"ResourceArn": "x"},
    "backup:DescribeRecoveryPoint": {"BackupVaultName": "xx", "RecoveryPointArn": "x"},
    "backup:DescribeBackupVault": {"BackupVaultName": "xx"},
    "backup:ListTags": {"ResourceArn": "arn:aws:backup:us-east-1:123456789012:backup-vault:x"},
    "backup:ListBackupPlanVersions": {"BackupPlanId": "x"},
    "backup:GetRestoreTestingPlan": {"RestoreTestingPlanName": "x"},
    "backup:ListRestoreTestingSelections": {"RestoreTestingPlanName": "x"},
    "backup:GetRestoreTestingSelection": {"RestoreTestingPlanName": "x", "RestoreTestingSelectionName": "x"},
    "dynamodb:DescribeTable": {"TableName": "xxx"},
    "dynamodb:DescribeContinuousBackups": {"TableName": "xxx"},
    "dynamodb:DescribeTimeToLive": {"TableName": "xxx"},
    "dynamodb:GetResourcePolicy": {"ResourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/xxx"},
    "dynamodb:ListTagsOfResource": {"ResourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/xxx"},
    "kms:DescribeKey": {"KeyId": "arn:aws:kms:us-east-1:123456789012:key/x"},
    "kms:GetKeyRotationStatus": {"KeyId": "arn:aws:kms:us-east-1:123456789012:key/x"},
    "kms:GetKeyPolicy": {"KeyId": "arn:aws:kms:us-east-1:123456789012:key/x", "PolicyName": "default"},
    "kms:ListAliases": {"KeyId": "arn:aws:kms:us-east-1:123456789012:key/x"},
    "iam:SimulatePrincipalPolicy": {"PolicySourceArn": "arn:aws:iam::123456789012:role/x", "ActionNames": ["a:b"]},
    "events:ListTargetsByRule": {"Rule": "x"},
    "sns:GetTopicAttributes": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:x"},
    "sns:ListSubscriptionsByTopic": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:x"},
    "lambda:GetFunctionConfiguration": {"FunctionName": "x"},
    "sns:GetSubscriptionAttributes": {"SubscriptionArn": "arn:aws:sns:us-east-1:123456789012:x:1"},
    "lambda:GetFunctionConcurrency": {"FunctionName": "x"},
    "lambda:GetPolicy": {"FunctionName": "x"},
    "cloudwatch:GetMetricData": {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1},
}


@pytest.mark.parametrize("operation", CALLED, ids=lambda operation: operation.id)
def test_each_operation_that_the_collector_calls_is_here(sandbox: Sandbox, operation: Any) -> None:
    """On an empty account: an answer, or 'not found' in the service's own words, never 'unsupported'."""
    client = sandbox.client(operation.service)
    try:
        getattr(client, xform_name(operation.name))(**ARGUMENTS.get(operation.id, {}))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert "NotFound" in code or code in ("NoSuchEntity", "NoSuchEntityException"), code


def test_each_of_ours_is_an_operation_of_aws() -> None:
    session = get_session()
    for service, name in OPERATIONS:
        assert name in session.get_service_model(service).operation_names


def test_own_services_have_no_answer_of_motos(sandbox: Sandbox) -> None:
    """moto accepts report plans; the sandbox does not look after them, so it does not have them."""
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        sandbox.client("backup").describe_report_plan(ReportPlanName="x")


class TestShapes:
    def check(self, name: str, reply: dict[str, Any]) -> None:
        shapes.check_reply(get_session().get_service_model("backup").operation_model(name), reply)

    @pytest.mark.parametrize(
        ("reply", "problem"),
        [
            ({"Surprise": 1}, "unknown .*Surprise"),
            ({"NumberOfRecoveryPoints": "1"}, "no integer"),
            ({"Locked": "true"}, "no boolean"),
            ({"VaultState": "FINE"}, "not one of"),
            ({"CreationDate": 1.0}, "no datetime"),
            ({"LockDate": None}, "is None"),
            ({"LatestMpaApprovalTeamUpdate": []}, "no structure"),
        ],
    )
    def test_a_reply_against_the_model_is_an_error_of_ours(self, reply: dict[str, Any], problem: str) -> None:
        with pytest.raises(AssertionError, match=problem):
            self.check("DescribeBackupVault", reply)

    def test_a_missing_member(self) -> None:
        with pytest.raises(AssertionError, match=r"missing .*RestoreTestingPlans"):
            self.check("ListRestoreTestingPlans", {})

    def test_a_reply_where_none_belongs(self) -> None:
        with pytest.raises(AssertionError, match="has no output"):
            self.check("DeleteBackupVault", {"x": 1})

    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({}, "MissingParameterValueException"),
            ({"BackupVaultName": "!"}, "InvalidParameterValueException"),
            ({"BackupVaultName": 1}, "InvalidParameterValueException"),
        ],
    )
    def test_a_request_against_the_model_is_refused(self, params: dict[str, Any], code: str) -> None:
        operation = get_session().get_service_model("backup").operation_model("CreateBackupVault")
        with pytest.raises(Refusal, match=code):
            shapes.check_request("backup", operation, params)
