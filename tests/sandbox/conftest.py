"""An account to experiment with, and replies that are checked against botocore's model throughout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from backcheck.sandbox import Sandbox, shapes

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCOUNT = "123456789012"
OTHER = "222222222222"
PRIMARY, DR = "us-east-1", "us-west-2"
BACKUP_POLICY = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
RESTORE_POLICY = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores"


@pytest.fixture(autouse=True)
def _checked_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "checking_replies", True)


class Bench:
    """A sandbox with short ways to make what most tests need."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.clock = sandbox.clock
        self.backup = sandbox.client("backup")
        self.dynamodb = sandbox.client("dynamodb")

    def advance(self, **delay: float) -> None:
        self.clock.advance(**delay)

    def role(
        self,
        name: str = "backup",
        *,
        account: str = ACCOUNT,
        trusts: str = "backup.amazonaws.com",
        policy: str = BACKUP_POLICY,
    ) -> str:
        iam = self.sandbox.client("iam", account=account)
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": trusts}, "Action": "sts:AssumeRole"}]}
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        return arn

    def table(self, name: str = "orders", *, items: int = 1, region: str = PRIMARY, **tags: str) -> str:
        dynamodb = self.sandbox.client("dynamodb", region=region)
        made = dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        for number in range(items):
            dynamodb.put_item(TableName=name, Item={"id": {"S": f"{number:05d}"}, "n": {"N": str(number)}})
        arn: str = made["TableDescription"]["TableArn"]
        return arn

    def vault(self, name: str = "vault", *, region: str = PRIMARY, account: str = ACCOUNT, **lock: int) -> str:
        backup = self.sandbox.client("backup", region=region, account=account)
        arn: str = backup.create_backup_vault(BackupVaultName=name)["BackupVaultArn"]
        if lock:
            backup.put_backup_vault_lock_configuration(BackupVaultName=name, **lock)
        return arn

    def plan(
        self, *rules: dict[str, Any], name: str = "plan", resources: list[str] | None = None, role: str = ""
    ) -> str:
        plan_id: str = self.backup.create_backup_plan(BackupPlan={"BackupPlanName": name, "Rules": list(rules)})[
            "BackupPlanId"
        ]
        if resources is not None:
            selection = {"SelectionName": "all", "IamRoleArn": role, "Resources": resources}
            self.backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=selection)
        return plan_id

    def points(self, vault: str = "vault", *, region: str = PRIMARY, account: str = ACCOUNT) -> list[dict[str, Any]]:
        backup = self.sandbox.client("backup", region=region, account=account)
        pages = backup.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=vault)
        return [point for page in pages for point in page["RecoveryPoints"]]

    def jobs(self) -> list[dict[str, Any]]:
        pages = self.backup.get_paginator("list_backup_jobs").paginate()
        return [job for page in pages for job in page["BackupJobs"]]

    def copy_jobs(self) -> list[dict[str, Any]]:
        pages = self.backup.get_paginator("list_copy_jobs").paginate()
        return [job for page in pages for job in page["CopyJobs"]]


def rule(name: str = "daily", **fields: Any) -> dict[str, Any]:
    """A daily rule at one o'clock into `vault`, changed by `fields`."""
    standard = {"TargetBackupVaultName": "vault", "ScheduleExpression": "cron(0 1 * * ? *)", "StartWindowMinutes": 60}
    return {"RuleName": name, **standard, "Lifecycle": {"DeleteAfterDays": 30}, **fields}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(account=ACCOUNT, start=START, seed=7) as opened:
        yield opened


@pytest.fixture
def bench(sandbox: Sandbox) -> Bench:
    return Bench(sandbox)


DR_VAULT = f"arn:aws:backup:{DR}:{ACCOUNT}:backup-vault:dr"


def start(bench: Bench, arn: str, role: str, **more: Any) -> str:
    given = {"BackupVaultName": "vault", "ResourceArn": arn, "IamRoleArn": role, **more}
    job_id: str = bench.backup.start_backup_job(**given)["BackupJobId"]
    return job_id
