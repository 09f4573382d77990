"""A small policy, and the account that it asks for, made in whatever emulator answers at a URL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"

POLICY = """\
schema: backcheck/policy/v1
name: shop
account: "123456789012"
regions: {primary: us-east-1}
tables: ["shop-*"]
tiers:
  daily: {schedule: "cron(0 1 * * ? *)", retention_days: 35}
vaults: {shop: {region: primary, lock: none}}
objectives: {rpo_hours: 27, rto_hours: 4}
owner: ops@example.com
"""

KEY = "id"

KEPT = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": [
                "backup:DeleteRecoveryPoint",
                "backup:UpdateRecoveryPointLifecycle",
                "backup:DeleteBackupVault",
                "backup:DeleteBackupVaultAccessPolicy",
                "backup:PutBackupVaultAccessPolicy",
                "backup:DeleteBackupVaultLockConfiguration",
            ],
            "Resource": "*",
        }
    ],
}
"""A vault's policy that lets nobody delete."""


def client(service: str, url: str, key: str) -> Any:
    """A client of the emulator."""
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def fill(url: str, key: str = "test") -> None:
    """The account of the policy, as far as an emulator holds it: a protected table, a vault, a plan that selects it."""
    dynamodb, backup = client("dynamodb", url, key), client("backup", url, key)
    table = dynamodb.create_table(
        TableName="shop-orders",
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )["TableDescription"]["TableArn"]
    dynamodb.update_continuous_backups(
        TableName="shop-orders",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35},
    )
    kms = client("kms", url, key)
    customer = kms.create_key()["KeyMetadata"]["Arn"]
    kms.enable_key_rotation(KeyId=customer)
    backup.create_backup_vault(BackupVaultName="shop", EncryptionKeyArn=customer)
    attempt(backup.put_backup_vault_access_policy, BackupVaultName="shop", Policy=json.dumps(KEPT))
    rule = {
        "RuleName": "daily",
        "TargetBackupVaultName": "shop",
        "ScheduleExpression": "cron(0 1 * * ? *)",
        "StartWindowMinutes": 60,
        "CompletionWindowMinutes": 120,
        "Lifecycle": {"DeleteAfterDays": 35},
    }
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "shop", "Rules": [rule]})["BackupPlanId"]
    selection = {"SelectionName": "shop", "IamRoleArn": _role(client("iam", url, key)), "Resources": [table]}
    attempt(backup.create_backup_selection, BackupPlanId=plan, BackupSelection=selection)


def attempt(operation: Callable[..., Any], **params: Any) -> None:
    """A call that an emulator may lack."""
    try:
        operation(**params)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 500, 501) and "No route" not in str(error):
            raise


def _role(iam: Any) -> str:
    """The role that backs up."""
    allow = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    role = iam.create_role(RoleName="backup", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    actions = ["dynamodb:*", "backup:*", "tag:GetResources", "kms:*"]
    grant = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName="backup", PolicyName="backup", PolicyDocument=json.dumps(grant))
    return str(role)
