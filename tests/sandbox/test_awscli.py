"""The plain `aws` command line against the served sandbox. `tox -e awscli` puts it into an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from backcheck.sandbox import Sandbox

from .conftest import ACCOUNT, BACKUP_POLICY, DR

pytestmark = pytest.mark.awscli

TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
RULE: dict[str, Any] = {
    "RuleName": "daily",
    "TargetBackupVaultName": "vault",
    "ScheduleExpression": "cron(0 1 * * ? *)",
    "Lifecycle": {"DeleteAfterDays": 30},
    "CopyActions": [{"DestinationBackupVaultArn": f"arn:aws:backup:{DR}:{ACCOUNT}:backup-vault:dr"}],
}
PLAN = {"BackupPlanName": "plan", "Rules": [RULE]}


class Aws:
    """Runs `aws`, in a home of its own so that no settings of the machine reach it."""

    def __init__(self, url: str, home: Path) -> None:
        found = os.environ.get("BACKCHECK_AWS") or shutil.which("aws")
        if found is None:
            pytest.fail("there is no aws command; run tox -e awscli")
        self._command = [found, "--endpoint-url", url]
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments],
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=120,
            check=False,
        )

    def __call__(self, *arguments: str) -> Any:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture
def aws(sandbox: Sandbox, tmp_path: Path) -> Aws:
    return Aws(sandbox.serve().url, tmp_path)


@pytest.fixture
def role(aws: Aws) -> str:
    made = aws("iam", "create-role", "--role-name", "backup", "--assume-role-policy-document", json.dumps(TRUST))
    aws("iam", "attach-role-policy", "--role-name", "backup", "--policy-arn", BACKUP_POLICY)
    arn: str = made["Role"]["Arn"]
    return arn


@pytest.fixture
def table(aws: Aws) -> str:
    aws(
        "dynamodb", "create-table", "--table-name", "orders",
        "--attribute-definitions", "AttributeName=id,AttributeType=S",
        "--key-schema", "AttributeName=id,KeyType=HASH",
        "--billing-mode", "PAY_PER_REQUEST",
    )  # fmt: skip
    aws("dynamodb", "put-item", "--table-name", "orders", "--item", '{"id": {"S": "1"}, "n": {"N": "1.50"}}')
    return TABLE


def test_a_plan_backs_up_and_copies_to_us_west_2(aws: Aws, sandbox: Sandbox, role: str, table: str) -> None:
    aws("backup", "create-backup-vault", "--backup-vault-name", "vault")
    aws("--region", DR, "backup", "create-backup-vault", "--backup-vault-name", "dr")
    plan = aws("backup", "create-backup-plan", "--backup-plan", json.dumps(PLAN))["BackupPlanId"]
    selection = {"SelectionName": "all", "IamRoleArn": role, "Resources": [table]}
    aws("backup", "create-backup-selection", "--backup-plan-id", plan, "--backup-selection", json.dumps(selection))
    sandbox.clock.advance(days=3)
    listed = aws("backup", "list-recovery-points-by-backup-vault", "--backup-vault-name", "vault")["RecoveryPoints"]
    copied = aws("--region", DR, "backup", "list-recovery-points-by-backup-vault", "--backup-vault-name", "dr")
    assert (len(listed), len(copied["RecoveryPoints"])) == (3, 3)
    jobs = aws("backup", "list-copy-jobs", "--by-state", "COMPLETED")["CopyJobs"]
    assert len(jobs) == 3
    preview = aws("backup", "get-backup-plan", "--backup-plan-id", plan, "--max-scheduled-runs-preview", "2")
    assert len(preview["ScheduledRunsPreview"]) == 2
    aws(
        "backup", "start-copy-job",
        "--recovery-point-arn", listed[0]["RecoveryPointArn"],
        "--source-backup-vault-name", "vault",
        "--destination-backup-vault-arn", f"arn:aws:backup:{DR}:{ACCOUNT}:backup-vault:dr",
        "--iam-role-arn", role,
    )  # fmt: skip
    sandbox.clock.advance(hours=1)
    assert len(aws("backup", "list-copy-jobs")["CopyJobs"]) == 4


def test_a_job_on_demand(aws: Aws, sandbox: Sandbox, role: str, table: str) -> None:
    aws("backup", "create-backup-vault", "--backup-vault-name", "vault")
    job = aws(
        "backup", "start-backup-job",
        "--backup-vault-name", "vault", "--resource-arn", table, "--iam-role-arn", role,
        "--lifecycle", "DeleteAfterDays=35",
    )["BackupJobId"]  # fmt: skip
    assert aws("backup", "describe-backup-job", "--backup-job-id", job)["State"] == "CREATED"
    sandbox.clock.advance(hours=1)
    assert aws("backup", "describe-backup-job", "--backup-job-id", job)["State"] == "COMPLETED"


def test_the_lock_is_enforced(aws: Aws) -> None:
    aws("backup", "create-backup-vault", "--backup-vault-name", "vault")
    lock = ["--min-retention-days", "7", "--max-retention-days", "30"]
    aws("backup", "put-backup-vault-lock-configuration", "--backup-vault-name", "vault", *lock)
    vault = aws("backup", "describe-backup-vault", "--backup-vault-name", "vault")
    assert (vault["Locked"], vault["MinRetentionDays"], vault["MaxRetentionDays"]) == (True, 7, 30)
    refused = aws.run(
        "backup", "put-backup-vault-lock-configuration", "--backup-vault-name", "vault", "--changeable-for-days", "2"
    )
    assert refused.returncode != 0
    assert "InvalidParameterValueException" in refused.stderr


def test_an_impossible_plan_is_refused_with_awss_reason(aws: Aws) -> None:
    aws("backup", "create-backup-vault", "--backup-vault-name", "vault")
    lifecycle = {"DeleteAfterDays": 90, "MoveToColdStorageAfterDays": 30}
    plan = {"BackupPlanName": "plan", "Rules": [{**RULE, "Lifecycle": lifecycle}]}
    refused = aws.run("backup", "create-backup-plan", "--backup-plan", json.dumps(plan))
    assert refused.returncode != 0
    assert "cannot be less than 90 days apart" in refused.stderr


def test_lists_come_in_pages(aws: Aws, sandbox: Sandbox) -> None:
    for number in range(7):
        sandbox.client("backup").create_backup_vault(BackupVaultName=f"vault-{number}")
    assert len(aws("backup", "list-backup-vaults", "--page-size", "3")["BackupVaultList"]) == 7
    first = aws("backup", "list-backup-vaults", "--max-items", "4")
    rest = aws("backup", "list-backup-vaults", "--starting-token", first["NextToken"])
    assert len(first["BackupVaultList"]) + len(rest["BackupVaultList"]) == 7


def test_scan(aws: Aws, table: str) -> None:
    assert aws("dynamodb", "scan", "--table-name", "orders")["Items"] == [{"id": {"S": "1"}, "n": {"N": "1.5"}}]
